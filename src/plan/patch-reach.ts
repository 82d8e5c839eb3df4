import { type Layer, ownerOf, type Patch } from './layer.ts';
import type { Site } from './locate.ts';
import type { ValuePlace } from './value-setter.ts';
import type { YamlPath } from './yaml-text.ts';

/** A patch that reaches an object, and how its content is addressed. */
export interface ReachingPatch {
  readonly content: unknown;
  /** The place of a path within the patch's content. */
  readonly place: (path: YamlPath) => ValuePlace;
}

/** The patches of one kustomization that change an object, in the order in which kustomize applies them. */
export function patchesFor(layer: Layer, site: Site): readonly ReachingPatch[] {
  return layer.patches.flatMap(patch => {
    if (!reaches(patch, site)) return [];
    const owner = ownerOf(layer);
    const file = patch.at.kind === 'file' ? patch.at.file : owner?.file;
    if (!file || !owner) return [];
    const root = site.layers[0]?.folder ?? '';
    const shared = !owner.own && root !== '' && !file.path.startsWith(`${root}/`);
    const { at } = patch;
    return [
      {
        content: patch.content,
        place: (path: YamlPath): ValuePlace =>
          at.kind === 'file'
            ? { file, document: at.document, path, shared }
            : {
                file,
                document: owner.document,
                path: [...owner.path, 'patches', at.index, 'patch'],
                inline: { path },
                shared,
              },
      },
    ];
  });
}

/** Kustomize matches by the name at that stage or by any earlier one, and target names are regular expressions. */
function reaches(patch: Patch, site: Site): boolean {
  const names = namesOf(site);
  const { target } = patch;
  if (target) {
    const kind = target.kind === undefined || matches(target.kind, [text(site.data['kind'])]);
    return kind && (target.name === undefined || matches(target.name, names));
  }
  const content = record(patch.content);
  return (
    text(content['kind']) === text(site.data['kind']) &&
    (content['apiVersion'] === undefined ||
      groupOf(content['apiVersion']) === groupOf(site.data['apiVersion'])) &&
    names.includes(text(record(content['metadata'])['name']))
  );
}

/** A core Service and a Knative one may share their name. */
function groupOf(apiVersion: unknown): string {
  return text(apiVersion).replace(/\/?[^/]*$/, '');
}

function namesOf(site: Site): readonly string[] {
  const names = [site.name];
  for (const { namePrefix, nameSuffix } of site.layers.toReversed()) {
    names.push(`${namePrefix}${names.at(-1) ?? ''}${nameSuffix}`);
  }
  return names;
}

function matches(pattern: string, values: readonly string[]): boolean {
  try {
    const anchored = new RegExp(`^(?:${pattern})$`);
    return values.some(value => anchored.test(value));
  } catch {
    return values.includes(pattern);
  }
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
