import { posix } from 'node:path';
import type { CommittedFile, FileBlob, RevertForms, RevertRequest } from '../rollout/ports.ts';
import { kindOfKey, OWN_PATCH_MARK, ROLLOUT_ID_ANNOTATION, type TargetKey } from '../rollout/target.ts';
import { helmPlacements } from './sources/helm/helm-placements.ts';
import { withIdPatch } from './sources/helm/id-patch.ts';
import { KUSTOMIZATION_NAMES } from './tree/reach.ts';
import { objectsIn } from './tree/manifests.ts';
import { patchesWithId, TEMPLATE_ANNOTATIONS, withAnnotations } from './patch-list.ts';
import { items, record, text } from '../build/json.ts';
import type { IdPlacement } from './plan.ts';
import { YamlText } from '../edit/yaml-text.ts';

/**
 * Where a rollout's id stands in the files that its commit left. A document may have another name than its target (a
 * prefix is added later) or stand for several; then it counts for each that it may mean.
 */
export function findPlacements(
  files: readonly CommittedFile[],
  on: { readonly id: string; readonly targets: readonly TargetKey[] },
): readonly IdPlacement[] {
  return files.flatMap(({ path, after }) => {
    if (!after.text.includes(on.id)) return [];
    const file = new YamlText(path, after.text);
    return objectsIn(file).flatMap(({ document, root, data: object }): readonly IdPlacement[] => {
      const helm = helmPlacements(object, { ...on, path, document, root });
      if (helm.length > 0) return helm;
      const data = record(object);
      const at = { path, document };
      const inPatches = (root.length === 0 ? patchesWithId(data, on.id) : []).flatMap(
        ({ list, content, ...patch }) =>
          meant(content, on.targets).map(target => ({
            kind: 'in-patches' as const,
            target,
            ...at,
            list,
            ...patch,
          })),
      );
      const metadata = record(record(record(data['spec'])['template'])['metadata']);
      if (record(metadata['annotations'])[ROLLOUT_ID_ANNOTATION] !== on.id) return inPatches;
      const annotations = [...root, ...TEMPLATE_ANNOTATIONS];
      return meant(data, on.targets).map(target => ({
        kind: 'annotations' as const,
        target,
        ...at,
        annotations,
      }));
    });
  });
}

function meant(data: Readonly<Record<string, unknown>>, targets: readonly TargetKey[]): readonly TargetKey[] {
  const metadata = record(data['metadata']);
  const name = text(metadata['name']);
  const kind = text(data['kind']);
  const ofKind = targets.filter(target => kindOfKey(target) === kind);
  const exact = ofKind.filter(target => target.endsWith(`/${name}`));
  if (exact.length > 0) return exact;
  const similar = ofKind.filter(target => target.slice(target.indexOf('/') + 1).includes(name));
  return similar.length > 0 ? similar : ofKind;
}

/**
 * What each path of a commit holds after its revert. Plain: what stood there before, byte for byte. Stamped: the same
 * under a new id, for the documents of those targets that need it.
 */
export function restoredFiles(on: {
  readonly commit: { readonly files: readonly CommittedFile[] };
  readonly placements: readonly IdPlacement[];
  readonly forms: RevertForms;
  readonly revertId: string;
  /** What the paths held in the restore point; a path that is missing here is restored to what our commit found. */
  readonly restoreTexts: ReadonlyMap<string, FileBlob | null>;
  /** Files that our commit added may go again. */
  readonly mayRemove: boolean;
}): RevertRequest['files'] {
  const oldOf = ({ path, before }: CommittedFile): FileBlob | null =>
    on.restoreTexts.has(path) ? (on.restoreTexts.get(path) ?? null) : before;
  const stampedIn = (path: string): readonly IdPlacement[] =>
    on.placements.filter(placement => placement.path === path && on.forms[placement.target] === 'stamped');
  // Patches that our commit added and that carry the new id: they must stay listed where they were.
  const kept = on.commit.files
    .filter(file => oldOf(file) === null && stampedIn(file.path).length > 0)
    .map(({ path }) => path);
  return on.commit.files.map(file => {
    const { path, after } = file;
    const old = oldOf(file);
    const stamped = stampedIn(path);
    if (old === null) {
      // Nothing stood here: a patch of ours, which may go, unless an analysis must be ended by a new id in it.
      if (stamped.length === 0 && on.mayRemove) return { path, restored: { kind: 'absent' } };
      if (stamped.length === 0) return { path, restored: keptOrAbsent(after) };
      return { path, restored: { kind: 'blob', blob: stamp(after, stamped, { path, id: on.revertId }) } };
    }
    const listed = { ...old, text: withPatches(old.text, { path, after: after.text, kept }) };
    return { path, restored: { kind: 'blob', blob: stamp(listed, stamped, { path, id: on.revertId }) } };
  });
}

/** A kustomization with those patches that stay and that it listed after our commit; other files as they are. */
function withPatches(
  old: string,
  on: { readonly path: string; readonly after: string; readonly kept: readonly string[] },
): string {
  if (!KUSTOMIZATION_NAMES.includes(posix.basename(on.path))) return old;
  const patchesOf = (content: string) =>
    items(record(new YamlText(on.path, content).data(0))['patches']).map(record);
  const before = patchesOf(old).map(each => text(each['path']));
  const kept = on.kept.map(path => posix.relative(posix.dirname(on.path), path));
  return patchesOf(on.after)
    .filter(({ path }) => kept.includes(text(path)) && !before.includes(text(path)))
    .reduce((file, entry) => file.append(0, ['patches'], entry), new YamlText(on.path, old)).text;
}

/** A file with a Canary or a workload is never deleted (Flux would prune it); anything else may go. */
function keptOrAbsent(after: FileBlob): RevertRequest['files'][number]['restored'] {
  return /^kind:\s*["']?(?:Canary|Deployment|DaemonSet|Service)\b/m.test(after.text) && !isPatchOfOurs(after)
    ? { kind: 'blob', blob: after }
    : { kind: 'absent' };
}

/** A patch that carries nothing but our annotations, or a value. */
function isPatchOfOurs(after: FileBlob): boolean {
  return after.text.startsWith(OWN_PATCH_MARK);
}

function stamp(
  blob: FileBlob,
  placements: readonly IdPlacement[],
  on: { readonly path: string; readonly id: string },
): FileBlob {
  if (placements.length === 0) return blob;
  const start = new YamlText(on.path, blob.text);
  const annotations = { [ROLLOUT_ID_ANNOTATION]: on.id };
  const done = placements.reduce((file, placement) => {
    const { document } = placement;
    if (placement.kind === 'annotations') {
      return file.set(document, [...placement.annotations, ROLLOUT_ID_ANNOTATION], on.id);
    }
    if (placement.kind === 'in-post-renderers') {
      const { list, workload } = placement;
      return withIdPatch(file, { document, list, workload, annotations });
    }
    const { list, object } = placement;
    return withAnnotations(file, { document, path: list }, { object, annotations });
  }, start);
  return { ...blob, text: done.text };
}
