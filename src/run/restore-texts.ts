import type { FileBlob } from '../rollout/ports.ts';
import type { RestorePoint } from '../rollout/state.ts';
import type { RestoreTexts } from './compose-revert.ts';
import type { RunGitOps } from './parts.ts';
import type { RolloutRecord } from './rollout-record.ts';

/**
 * The record, its restore point checked: what a commit names, whoever made it, is put back only if the branch was there
 * before it. Else nothing on the branch says what to go back to, and a person is asked.
 */
export async function withProvenRestore(
  gitops: Pick<RunGitOps, 'hasBeenAt'>,
  commit: { readonly parent: string },
  record: RolloutRecord,
): Promise<RolloutRecord> {
  const { restore } = record;
  if (restore.kind !== 'commit' || (await gitops.hasBeenAt(restore.sha, commit.parent))) return record;
  const why = `It names ${restore.sha.slice(0, 7)} as what to go back to, where the branch was never before it.`;
  return { ...record, restore: { kind: 'none', why } };
}

/** Reads what a revert would put back, as long as there is time for it. Empty when that is the parent. */
export async function readRestoreTexts(
  gitops: RunGitOps,
  commit: { readonly files: readonly { readonly path: string }[] },
  restore: RestorePoint,
): Promise<RestoreTexts> {
  if (restore.kind !== 'commit') return new Map();
  const files = await gitops.filesAt(restore.sha);
  const texts = await Promise.all(
    commit.files.map(
      async ({ path }): Promise<[string, FileBlob | null]> => [path, (await files.read(path)) ?? null],
    ),
  );
  return new Map(texts);
}
