import type { CommittedFile, Restored } from '../rollout/ports.ts';
import { OWN_PATCH_MARK } from '../rollout/target.ts';
import { blobSha } from './blob-text.ts';
import type { FileAt } from './object-store.ts';

/** What a revert does with one path. */
export type PathDecision =
  /** Still as our commit left it: put back. */
  | 'restore'
  /** As it should be already. */
  | 'done'
  /** Someone changed it since, or it must not be deleted: a person decides. */
  | 'conflict';

/** Where the restored file would stand; undefined = nowhere. Its sha is computed from the text, whatever was said. */
export function restoredAt(restored: Restored): FileAt | undefined {
  if (restored.kind === 'absent') return undefined;
  return { sha: blobSha(restored.blob.text), mode: restored.blob.mode };
}

/** The three-way decision of a revert for one path, by blob and mode. */
export function decidePath(path: {
  readonly head: FileAt | undefined;
  readonly file: CommittedFile;
  readonly restored: Restored;
  readonly mayDelete: (file: CommittedFile) => boolean;
}): PathDecision {
  const { head, file, restored } = path;
  const wanted = restoredAt(restored);
  if (equal(head, wanted)) return 'done';
  const opened = file.opened && { sha: blobSha(file.opened.text), mode: file.opened.mode };
  const ours = equal(head, file.after) || (opened !== undefined && equal(head, opened));
  if (!ours) return 'conflict';
  if (restored.kind === 'absent' && !(file.before === null && path.mayDelete(file))) return 'conflict';
  return 'restore';
}

function equal(one: FileAt | undefined, other: FileAt | undefined): boolean {
  return one?.sha === other?.sha && one?.mode === other?.mode;
}

const KEPT_KINDS =
  /^[ \t]*(?:-[ \t]+)?["']?kind["']?[ \t]*:[ \t]*["']?(?:Canary|Deployment|DaemonSet|Service)\b/m;

/**
 * Whether a file that our commit added may be deleted by its revert: not when it declares a Canary or a workload.
 * Flux would prune them: with the Canary go the primary and all Services while the target stays at 0 replicas, an
 * outage (seen; design §3). Reads text, not YAML, and so errs on the side of keeping.
 */
export function mayDeleteFile(file: CommittedFile): boolean {
  if (file.after.text.startsWith(OWN_PATCH_MARK)) return true;
  return (
    !KEPT_KINDS.test(file.after.text) &&
    !/"kind"\s*:\s*"(?:Canary|Deployment|DaemonSet|Service)"/.test(file.after.text)
  );
}
