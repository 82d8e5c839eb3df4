import type { FileMode } from '../rollout/ports.ts';
import type { GitData, TreeEdit } from './git-data.ts';

/** More than this in one request makes GitHub slow or say 422; larger files go ahead as blobs. Characters. */
const MAX_INLINE = 200_000;

/**
 * The tree entry for a file's new text. Inline, so that it costs no request of its own, except where the text's way
 * through JSON could change a byte (a byte order mark) or it is large.
 */
export async function textEdit(
  git: GitData,
  file: { readonly path: string; readonly mode: FileMode; readonly text: string },
): Promise<TreeEdit> {
  const { path, mode, text } = file;
  if (text.startsWith('\uFEFF') || text.length > MAX_INLINE) {
    return { path, mode, sha: await git.createBlob(Buffer.from(text, 'utf8')) };
  }
  return { path, mode, content: text };
}
