import { parseDocument } from 'yaml';
import { ROLLOUT_ID_ANNOTATION } from '../../../rollout/target.ts';
import { type PatchedObject, TEMPLATE_ANNOTATIONS } from '../../patch-list.ts';
import { items, record, text } from '../../../build/json.ts';
import { type YamlPath, YamlText } from '../../../edit/yaml-text.ts';

/** A patch that carries our annotations, in a document: text in a list of patches. */
export interface IdPatch {
  readonly workload: PatchedObject;
  /** Of the text. */
  readonly path: YamlPath;
  readonly id: string;
}

/** All of them, however deep: in a HelmRelease, in a patch of one, or in an operation on one. */
export function idPatchesIn(data: unknown, path: YamlPath = []): readonly IdPatch[] {
  if (Array.isArray(data)) {
    return items(data).flatMap((item, index) => idPatchesIn(item, [...path, index]));
  }
  const map = record(data);
  // Elsewhere it is a patch of another kind: a Flux Kustomization's own.
  const own = path.at(-3) === 'kustomize' ? idPatch(map, path) : undefined;
  if (own) return [own];
  return Object.entries(map).flatMap(([key, value]) => idPatchesIn(value, [...path, key]));
}

function idPatch(map: Readonly<Record<string, unknown>>, path: YamlPath): IdPatch | undefined {
  const patch = map['patch'];
  if (typeof patch !== 'string' || !patch.includes(ROLLOUT_ID_ANNOTATION)) return undefined;
  const content: unknown = parseDocument(patch).toJS();
  const template = record(record(record(content)['spec'])['template']);
  const id = record(record(template['metadata'])['annotations'])[ROLLOUT_ID_ANNOTATION];
  if (typeof id !== 'string') return undefined;
  const target = record(map['target']);
  return {
    workload: { kind: text(target['kind']), name: text(target['name']) },
    path: [...path, 'patch'],
    id,
  };
}

/**
 * The document with annotations on a workload's pod template: in the patch that is there already, else by a postRenderer
 * of its own at the end of the list, so that it sees the names that all others have made.
 */
export function withIdPatch(
  file: YamlText,
  on: {
    readonly document: number;
    /** Of the list of postRenderers. */
    readonly list: YamlPath;
    readonly workload: PatchedObject;
    readonly annotations: Readonly<Record<string, string>>;
  },
): YamlText {
  const { document, workload, annotations } = on;
  const data = file.data(document);
  const there = idPatchesIn(data).find(each => isSame(each.workload, workload));
  if (there) {
    const node = file.node(document, there.path);
    const inner = new YamlText(`${file.path} (patch)`, node && 'value' in node ? String(node.value) : '');
    const changed = Object.entries(annotations).reduce(
      (now, [key, value]) => now.set(0, [...TEMPLATE_ANNOTATIONS, key], value),
      inner,
    );
    return file.setString(document, there.path, changed.text);
  }
  const renderer = rendererOf(workload, annotations);
  if (!Array.isArray(data)) return file.append(document, on.list, renderer);
  return file.append(document, [], { op: 'add', path: '/spec/postRenderers/-', value: renderer });
}

/** Matched by kind and name as Helm renders them; the namespace may be written there or not. */
export function rendererOf(
  workload: PatchedObject,
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const { kind, name } = workload;
  const patch = new YamlText('patch', '').withFirstDocument({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { template: { metadata: { annotations } } },
  }).text;
  return { kustomize: { patches: [{ target: { kind, name }, patch }] } };
}

export function isSame(one: PatchedObject, other: PatchedObject): boolean {
  return one.kind === other.kind && one.name === other.name;
}
