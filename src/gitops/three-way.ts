import type { CommittedFile, FileBlob, Restored } from '../rollout/ports.ts';
import { OWN_PATCH_MARK } from '../rollout/target.ts';
import { blobSha } from './blob-text.ts';
import type { FileAt } from './object-store.ts';
import { type MergedText, mergeTexts } from './text-merge.ts';

/** What a revert does with one path. */
export type PathDecision =
  /** Still as our commit left it: put back. */
  | { readonly kind: 'restore' }
  /** Someone changed other lines of it since: ours are put back, theirs stay. */
  | { readonly kind: 'merge'; readonly text: string }
  /** Nothing of ours is in it any more. */
  | { readonly kind: 'done' }
  /** Someone changed the very lines since, or it must not be deleted: a person decides. `merged`: what could be put back. */
  | { readonly kind: 'conflict'; readonly merged?: MergedText };

/** Where the restored file would stand; undefined = nowhere. Its sha is computed from the text, whatever was said. */
export function restoredAt(restored: Restored): FileAt | undefined {
  if (restored.kind === 'absent') return undefined;
  return { sha: blobSha(restored.blob.text), mode: restored.blob.mode };
}

/**
 * The three-way decision of a revert for one path: by blob and mode where nobody else touched it, else line by line, as
 * `git revert` decides it. `headText` reads what is there now; undefined = it is no text.
 */
export async function decidePath(path: {
  readonly head: FileAt | undefined;
  readonly headText: () => Promise<FileBlob | undefined>;
  readonly file: CommittedFile;
  readonly restored: Restored;
  readonly mayDelete: (file: CommittedFile) => boolean;
}): Promise<PathDecision> {
  const { head, file, restored } = path;
  if (equal(head, restoredAt(restored))) return { kind: 'done' };
  const opened = file.opened && { sha: blobSha(file.opened.text), mode: file.opened.mode };
  const ours = equal(head, file.after) || (opened !== undefined && equal(head, opened));
  if (!ours) return await mergedDecision(path);
  if (restored.kind === 'absent' && !(file.before === null && path.mayDelete(file)))
    return { kind: 'conflict' };
  return { kind: 'restore' };
}

async function mergedDecision(path: Parameters<typeof decidePath>[0]): Promise<PathDecision> {
  const { head, file, restored } = path;
  if (head === undefined || restored.kind === 'absent' || head.mode !== restored.blob.mode) {
    return { kind: 'conflict' };
  }
  const kept = (await path.headText())?.text;
  if (kept === undefined) return { kind: 'conflict' };
  // A barrier of ours that was taken out since is gone from both sides alike.
  const merged = mergeTexts({ base: file.after.text, kept, wanted: restored.blob.text });
  if (merged.met.length > 0) return { kind: 'conflict', merged };
  return merged.restores ? { kind: 'merge', text: merged.text } : { kind: 'done' };
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
