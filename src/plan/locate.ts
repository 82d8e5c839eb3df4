import { z } from 'zod';
import type { TargetKind } from '../rollout/target.ts';
import type { Layer } from './layer.ts';
import { items, record } from './patch-reach.ts';
import type { YamlPath, YamlText } from '../edit/yaml-text.ts';

/** Where an object of the build is written down. */
export interface Site {
  readonly file: YamlText;
  readonly document: number;
  /** Of the object in the document: [], or its place in a List. */
  readonly root: YamlPath;
  /** As written, before prefixes. */
  readonly name: string;
  readonly namespace?: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** From the folder that Flux applies down to the one that has the file. */
  readonly layers: readonly Layer[];
  /** Where no file of this repository has the object: what is live stands in for it. */
  readonly live?: LiveOrigin;
}

/** An object whose manifest is elsewhere, and that images and patches of this repository reach. */
export interface LiveOrigin {
  /** Where its manifest is: `https://github.com/acme/faces`. */
  readonly from: string;
  /** What of this repository reaches it; a file that belongs to the object is added beside that. */
  readonly beside: { readonly file: YamlText; readonly layers: readonly Layer[] };
  /** Other workloads of the same origin, which the same patches may reach. */
  readonly neighbours: readonly Site[];
}

const objectSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const refSchema = z.looseObject({ apiVersion: z.string().optional(), kind: z.string(), name: z.string() });

/** All objects of the build, with the way on which kustomize comes to them. */
export function objectsOf(layer: Layer, above: readonly Layer[] = []): readonly Site[] {
  const components = layer.components ?? [];
  // kustomize api/internal/target/kusttarget.go, accumulateComponents: one after the other, over all that came before.
  const layers = [...above, layer, ...components.toReversed().flatMap(withComponents)];
  const own = layer.resources.flatMap(file =>
    objectsIn(file).flatMap(({ document, root, data }): readonly Site[] => {
      const parsed = objectSchema.safeParse(data);
      if (!parsed.success) return [];
      const { name, namespace } = parsed.data.metadata;
      return [
        {
          file,
          document,
          root,
          name,
          ...(namespace === undefined ? {} : { namespace }),
          data: parsed.data,
          layers,
        },
      ];
    }),
  );
  return [
    ...own,
    ...layer.children.flatMap(child => objectsOf(child, layers)),
    ...components.flatMap((component, index) => {
      const later = components.slice(index + 1).toReversed();
      return objectsOf(component, [...above, layer, ...later.flatMap(withComponents)]);
    }),
  ];
}

/** Outermost first, as the layers of a site are. */
function withComponents(component: Layer): readonly Layer[] {
  return [component, ...(component.components ?? []).toReversed().flatMap(withComponents)];
}

/** All objects of a file: its documents, and the items of those that are lists. */
export function objectsIn(
  file: YamlText,
): readonly { readonly document: number; readonly root: YamlPath; readonly data: unknown }[] {
  return file.documents.flatMap((_, document) => {
    const data = file.data(document);
    const { kind, items: listed } = record(data);
    // kustomize api/resource/factory.go: a kind that ends in List and has items stands for them.
    if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(listed)) {
      return [{ document, root: [], data }];
    }
    return items(listed).map((item, index) => ({ document, root: ['items', index], data: item }));
  });
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

/** Where a file is added that belongs to an object of this environment: a base would give it to all that build upon it. */
export function besideOf(site: Site, write: 'overlay' | 'base' | undefined): LiveOrigin['beside'] {
  if (site.live) return site.live.beside;
  if (!isShared(site) || write === 'base') return site;
  const layer = site.layers.find(({ kustomization }) => kustomization !== undefined);
  return layer?.kustomization ? { file: layer.kustomization, layers: [layer] } : site;
}

/** Whether a file lies in the folder that Flux applies, or is shared with others from outside of it. */
export function isShared(site: Pick<Site, 'file' | 'layers' | 'live'>): boolean {
  if (site.live) return false;
  const root = site.layers[0]?.folder ?? '';
  return root !== '' && !site.file.path.startsWith(`${root}/`);
}
