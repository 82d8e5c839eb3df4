import type { RepositoryFiles } from './repository-files.ts';

/** What Flux builds from a tree. One worker serves all builds of a run; it starts at the first build. */
export interface TreeBuilder {
  /**
   * Builds as kustomize-controller does, from the given files alone: there is no network, process, disk or environment.
   * The same question is answered once.
   * @throws whatever `query.files` throws, but for Refusal `unsupported-file`, which is `unsupported`
   */
  build(query: BuildQuery): Promise<Build>;
  /** Ends the worker. A build that is under way ends in `unsupported`. */
  close(): Promise<void>;
}

export interface BuildQuery {
  /** Read lazily: only what the build asks for, and what lies beside it. */
  readonly files: RepositoryFiles;
  /** Path → text as edited; null = removed. */
  readonly overlay?: ReadonlyMap<string, string | null>;
  readonly artifact?: ArtifactRules;
  /** The Flux Kustomization, whole, as in Git or live: its spec and metadata.namespace are used. */
  readonly kustomization: unknown;
  /** What is known of the objects that spec.postBuild.substituteFrom names. Any other is taken as not readable. */
  readonly substituteFrom?: readonly VariableSource[];
  /** Whether to have kustomize note what changed each object (`transformers`): half as long again for a large tree. */
  readonly explain?: boolean;
  /** Whether variables that nothing sets are refused, as with `StrictPostBuildSubstitutions`; else they are named. */
  readonly strictSubstitution?: boolean;
}

/** How source-controller makes its artifact of a commit: GitRepository.spec. `.sourceignore` files are in the tree. */
export interface ArtifactRules {
  readonly ignore?: string;
  readonly sparseCheckout?: readonly string[];
  readonly recurseSubmodules?: boolean;
  readonly include?: readonly IncludedRepository[];
}

export interface IncludedRepository {
  /** Name of the included GitRepository. */
  readonly name: string;
  readonly fromPath: string;
  readonly toPath: string;
  /** Its files; without them a build that reads them is `unsupported`. */
  readonly files?: RepositoryFiles;
}

/** A ConfigMap or Secret of substituteFrom. */
export interface VariableSource {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly content:
    | { readonly kind: 'data'; readonly data: Readonly<Record<string, string>> }
    /** Encrypted, say: the names are there, the values are not. */
    | { readonly kind: 'keys'; readonly keys: readonly string[] }
    | { readonly kind: 'absent' };
}

export type Build =
  | {
      readonly kind: 'built';
      /** In the order in which Flux gives them to the API server. */
      readonly objects: readonly BuiltObject[];
      /** The files that the build read, sorted. */
      readonly reached: readonly string[];
      /** Variables whose value could not be read; in the objects they stay as they are written, `${tag}`. */
      readonly unknownVariables: readonly string[];
      /**
       * Variables that nothing sets and that have no default: they became empty. kustomize-controller refuses them,
       * from 1.9 on by default, before only with the feature gate StrictPostBuildSubstitutions.
       */
      readonly unsetVariables: readonly string[];
    }
  /** Flux would say this, too. */
  | { readonly kind: 'broken'; readonly words: string }
  /** A limit of ours. */
  | { readonly kind: 'too-large'; readonly words: string }
  /** Flux builds it perhaps; this program does not, because it reads nothing but the repository. */
  | { readonly kind: 'unsupported'; readonly words: string };

export interface BuiltObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** The whole object, as JSON. SOPS values are as encrypted. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly origin?: Origin;
  /** What changed it on the way, in order; empty unless `explain`. */
  readonly transformers: readonly Origin[];
}

/** kustomize's own note (buildMetadata). Paths are from the root of the repository. */
export interface Origin {
  /** The file that the object stands in. */
  readonly path?: string;
  /** The kustomization or plugin file whose generator or transformer it was. */
  readonly configuredIn?: string;
  /** `PatchTransformer`, `ImageTagTransformer`, `ConfigMapGenerator`, … */
  readonly configuredBy?: { readonly kind: string; readonly name?: string };
}
