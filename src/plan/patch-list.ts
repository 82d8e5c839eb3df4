import { parseDocument } from 'yaml';
import { blockOf } from '../edit/new-text.ts';
import { ROLLOUT_ID_ANNOTATION } from '../rollout/target.ts';
import { items, record, text, valueAt } from '../build/json.ts';
import { editHeld } from '../edit/places.ts';
import type { YamlPath, YamlText } from '../edit/yaml-text.ts';

/** The annotations of a pod template, in a manifest or in a strategic merge. */
export const TEMPLATE_ANNOTATIONS = ['spec', 'template', 'metadata', 'annotations'] as const;

/** A list `patches` of a kustomization, or of a Flux Kustomization (spec.patches). */
export interface PatchList {
  readonly document: number;
  readonly path: YamlPath;
}

/** An object as a patch names it. */
export interface PatchedObject {
  readonly kind: string;
  /** As written where it comes from, before prefixes. */
  readonly name: string;
}

/** A strategic merge, or operations (JSON6902), for one object and no other, as the last patch of a list. */
export function withPatch(
  file: YamlText,
  list: PatchList,
  on: { readonly object: PatchedObject; readonly content: unknown },
): YamlText {
  const { kind, name } = on.object;
  const patch = `${blockOf(on.content)}\n`;
  return file.append(list.document, list.path, { target: { kind, name }, patch });
}

/** The content of a strategic merge that reaches into a pod template. */
export function mergeOf(object: PatchedObject, template: unknown): unknown {
  const { kind, name } = object;
  return { apiVersion: 'apps/v1', kind, metadata: { name }, spec: { template } };
}

/** Annotations of a pod template in a patch of ours: in the one that is there, else in a new one. */
export function withAnnotations(
  file: YamlText,
  list: PatchList,
  on: { readonly object: PatchedObject; readonly annotations: Readonly<Record<string, string>> },
): YamlText {
  const entries = items(valueAt(file.data(list.document), list.path));
  const index = entries.findIndex(entry => isOurs(entry, on.object));
  if (index < 0) {
    const content = mergeOf(on.object, { metadata: { annotations: on.annotations } });
    return withPatch(file, list, { object: on.object, content });
  }
  const at = { document: list.document, path: [...list.path, index, 'patch'] };
  return editHeld(file, at, inner =>
    Object.entries(on.annotations).reduce(
      (edited, [key, value]) => edited.set(0, [...TEMPLATE_ANNOTATIONS, key], value),
      inner,
    ),
  );
}

/** Patches with a rollout's id, in any list `patches` of a document. */
export function patchesWithId(
  data: unknown,
  id: string,
): readonly {
  readonly list: YamlPath;
  readonly object: PatchedObject;
  readonly content: Readonly<Record<string, unknown>>;
}[] {
  return [['patches'], ['spec', 'patches']].flatMap(list =>
    items(valueAt(data, list)).flatMap(entry => {
      const content = contentOf(entry);
      if (idIn(content) !== id) return [];
      const object = { kind: text(content['kind']), name: text(record(content['metadata'])['name']) };
      return [{ list, object, content }];
    }),
  );
}

/** Our annotations are in it, for this object. */
function isOurs(entry: unknown, object: PatchedObject): boolean {
  const content = contentOf(entry);
  const target = record(entry)['target'];
  return (
    idIn(content) !== '' &&
    text(content['kind']) === object.kind &&
    text(record(content['metadata'])['name']) === object.name &&
    (target === undefined || text(record(target)['name']) === object.name)
  );
}

function contentOf(entry: unknown): Readonly<Record<string, unknown>> {
  const patch = record(entry)['patch'];
  return typeof patch === 'string' && patch.includes(ROLLOUT_ID_ANNOTATION)
    ? record(parseDocument(patch).toJS())
    : {};
}

function idIn(content: Readonly<Record<string, unknown>>): string {
  return text(record(valueAt(content, TEMPLATE_ANNOTATIONS))[ROLLOUT_ID_ANNOTATION]);
}
