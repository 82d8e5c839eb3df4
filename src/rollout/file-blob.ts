/** Git's blob modes that a release may touch. */
export type FileMode = '100644' | '100755';

export interface FileBlob {
  readonly sha: string;
  readonly mode: FileMode;
  readonly text: string;
}
