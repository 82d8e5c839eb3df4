import { createHash } from 'node:crypto';
import { Refusal } from '../rollout/verdict.ts';

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** The sha that Git gives a file's content. */
export function blobSha(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/**
 * A file's content as text, to the byte: line ends and a byte order mark stay.
 * @throws Refusal `unsupported-file` for LFS pointers and for what is not UTF-8 text.
 */
export function blobText(bytes: Uint8Array, path: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Refusal('unsupported-file', `${path} is not UTF-8 text.`, {
      remedy: 'Save the file as UTF-8, or keep what is released in another file.',
      cause,
    });
  }
  if (text.includes('\0')) {
    throw new Refusal('unsupported-file', `${path} is a binary file.`, {
      remedy: 'Keep what is released in a text file.',
    });
  }
  if (text.startsWith(LFS_POINTER)) {
    throw new Refusal('unsupported-file', `${path} is stored with Git LFS: Git holds only a pointer to it.`, {
      remedy: 'Take the file out of LFS (git lfs untrack); Flux does not read LFS files unless told to.',
    });
  }
  return text;
}
