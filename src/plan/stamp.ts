import type { CommittedFile, FileBlob, RevertForms, RevertRequest } from '../rollout/ports.ts';
import { ID_PATCH_HEADER, kindOfKey, ROLLOUT_ID_ANNOTATION, type TargetKey } from '../rollout/target.ts';
import { record, text } from './patch-reach.ts';
import type { IdPlacement } from './plan.ts';
import { YamlText } from './yaml-text.ts';

export const TEMPLATE_ANNOTATIONS = ['spec', 'template', 'metadata', 'annotations'] as const;

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
    return file.documents.flatMap((_, document) => {
      const data = record(file.data(document));
      const metadata = record(record(record(data['spec'])['template'])['metadata']);
      if (record(metadata['annotations'])[ROLLOUT_ID_ANNOTATION] !== on.id) return [];
      return meant(data, on.targets).map(target => ({
        target,
        path,
        document,
        annotations: TEMPLATE_ANNOTATIONS,
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
  return on.commit.files.map(({ path, before, after }) => {
    const old = on.restoreTexts.has(path) ? (on.restoreTexts.get(path) ?? null) : before;
    const stamped = on.placements.filter(
      placement => placement.path === path && on.forms[placement.target] === 'stamped',
    );
    if (old === null) {
      // Nothing stood here: a patch of ours, which may go, unless an analysis must be ended by a new id in it.
      if (stamped.length === 0 && on.mayRemove) return { path, restored: { kind: 'absent' } };
      if (stamped.length === 0) return { path, restored: keptOrAbsent(after) };
      return { path, restored: { kind: 'blob', blob: stamp(after, stamped, { path, id: on.revertId }) } };
    }
    return { path, restored: { kind: 'blob', blob: stamp(old, stamped, { path, id: on.revertId }) } };
  });
}

/** A file with a Canary or a workload is never deleted (Flux would prune it); anything else may go. */
function keptOrAbsent(after: FileBlob): RevertRequest['files'][number]['restored'] {
  return /^kind:\s*["']?(?:Canary|Deployment|DaemonSet|Service)\b/m.test(after.text) && !isPatchOfOurs(after)
    ? { kind: 'blob', blob: after }
    : { kind: 'absent' };
}

/** A patch that carries nothing but our annotations. */
function isPatchOfOurs(after: FileBlob): boolean {
  return after.text.startsWith(ID_PATCH_HEADER);
}

function stamp(
  blob: FileBlob,
  placements: readonly IdPlacement[],
  on: { readonly path: string; readonly id: string },
): FileBlob {
  if (placements.length === 0) return blob;
  const start = new YamlText(on.path, blob.text);
  const done = placements.reduce(
    (file, { document, annotations }) => file.set(document, [...annotations, ROLLOUT_ID_ANNOTATION], on.id),
    start,
  );
  return { ...blob, text: done.text };
}
