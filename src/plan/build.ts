/** The build of a folder by the program that Flux has built in, where the machine has it. */
export interface TreeBuilder {
  /** Builds a folder of these files (path → text), without plugins and without a network. Never rejects. */
  build(files: ReadonlyMap<string, string>, folder: string): Promise<TreeBuild>;
}

export type TreeBuild =
  | { readonly kind: 'built'; readonly by: string; readonly text: string }
  /** It said no, in these words. */
  | { readonly kind: 'failed'; readonly by: string; readonly words: string }
  | { readonly kind: 'unavailable'; readonly why: string };

/** What a real build says of a plan. */
export type BuildProof =
  | {
      readonly kind: 'proven';
      /** `kubectl kustomize v5.5.0`. */
      readonly by: string;
      /** What the release changes in the build. */
      readonly objects: readonly BuiltChange[];
    }
  | {
      readonly kind: 'unproven';
      readonly why: string;
      /** There is a builder, and still it could not be asked. */
      readonly surprising: boolean;
    };

export interface BuiltChange {
  /** `Deployment prod/frontend`. */
  readonly object: string;
  /** As the builder writes it; empty where there is none. */
  readonly before: string;
  readonly after: string;
  /** Its content is nobody's to see: neither text is given. */
  readonly secret: boolean;
}
