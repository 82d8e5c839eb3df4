import type { FileBlob } from '../rollout/ports.ts';
import type { RestorePoint } from '../rollout/state.ts';
import type { RestoreTexts } from './compose-revert.ts';
import type { RunGitOps } from './parts.ts';

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
