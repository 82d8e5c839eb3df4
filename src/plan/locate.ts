import { z } from 'zod';
import type { TargetKind } from '../rollout/target.ts';
import type { Layer } from './layer.ts';
import type { YamlText } from './yaml-text.ts';

/** Where an object of the build is written down. */
export interface Site {
  readonly file: YamlText;
  readonly document: number;
  /** As written, before prefixes. */
  readonly name: string;
  readonly namespace?: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** From the folder that Flux applies down to the one that has the file. */
  readonly layers: readonly Layer[];
}

const objectSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const refSchema = z.looseObject({ apiVersion: z.string().optional(), kind: z.string(), name: z.string() });

/** All objects of the build, with the way on which kustomize comes to them. */
export function objectsOf(layer: Layer, above: readonly Layer[] = []): readonly Site[] {
  const layers = [...above, layer];
  const own = layer.resources.flatMap(file =>
    file.documents.flatMap((_, document): readonly Site[] => {
      const parsed = objectSchema.safeParse(file.data(document));
      if (!parsed.success) return [];
      const { name, namespace } = parsed.data.metadata;
      return [
        {
          file,
          document,
          name,
          ...(namespace === undefined ? {} : { namespace }),
          data: parsed.data,
          layers,
        },
      ];
    }),
  );
  return [...own, ...layer.children.flatMap(child => objectsOf(child, layers))];
}

/** Whether an object is of a target's kind; a core Service is none, only Knative's. */
export function isOfKind(site: Pick<Site, 'data'>, kind: TargetKind): boolean {
  if (site.data['kind'] !== kind) return false;
  return kind !== 'Service' || isKnative(site.data['apiVersion']);
}

/** Whether a Canary's targetRef means a target that goes by one of these names. Flagger canary.go, IsKnativeService. */
export function refersTo(ref: unknown, kind: TargetKind, names: readonly string[]): boolean {
  const { apiVersion, kind: named, name } = refSchema.safeParse(ref).data ?? {};
  if (named !== kind || name === undefined || !names.includes(name)) return false;
  return kind !== 'Service' || isKnative(apiVersion);
}

function isKnative(apiVersion: unknown): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith('serving.knative.dev/');
}

/** The name that the object has in the cluster: inner prefixes stand nearer to it. */
export function builtName(site: Site): string {
  return site.layers.reduceRight(
    (name, { namePrefix, nameSuffix }) => `${namePrefix}${name}${nameSuffix}`,
    site.name,
  );
}

/** The outermost kustomization that sets one wins; `spec.targetNamespace` of Flux wins over all. */
export function builtNamespace(site: Site, targetNamespace: string | undefined): string | undefined {
  return (
    targetNamespace ?? site.layers.find(layer => layer.namespace !== undefined)?.namespace ?? site.namespace
  );
}

/** Whether a file lies in the folder that Flux applies, or is shared with others from outside of it. */
export function isShared(site: Pick<Site, 'file' | 'layers'>): boolean {
  const root = site.layers[0]?.folder ?? '';
  return root !== '' && !site.file.path.startsWith(`${root}/`);
}
