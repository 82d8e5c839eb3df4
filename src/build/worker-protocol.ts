/** What the worker is started with. */
export interface WorkerStart {
  /** The compressed program. */
  readonly program: string;
  /** Counts the answers of `files`, so that the worker can sleep until there is one. */
  readonly answers: SharedArrayBuffer;
}

/** The build's question for something of the repository. The build stands still until it is answered. */
export type FileRequest =
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'read'; readonly path: string }
  /** All files of a name in the whole repository. */
  | { readonly kind: 'named'; readonly path: string };

/** A file or a list as JSON, nothing, or something that is there and cannot be given. */
export type FileAnswer =
  | { readonly kind: 'content'; readonly content: string | Uint8Array }
  | { readonly kind: 'absent' | 'refused' };

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly json: string }
  /** The program broke down; the worker is of no more use. */
  | { readonly kind: 'crashed'; readonly words: string };
