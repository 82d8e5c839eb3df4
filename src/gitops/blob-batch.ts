import { blobSha } from './blob-text.ts';
import type { limitConcurrency } from './concurrency.ts';
import type { GitData } from './git-data.ts';

/** GitHub takes longer questions, but answers them slower than it is worth. */
const BATCH = 100;

interface Waiting {
  readonly resolve: (content: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Blobs that are asked for at the same time are fetched together: a folder of a thousand files costs ten requests, not a
 * thousand. What comes back as text is believed only when it has the sha that was asked for.
 */
export class BlobBatch {
  private readonly git: GitData;
  private readonly limited: ReturnType<typeof limitConcurrency>;
  private waiting = new Map<string, Waiting[]>();

  constructor(git: GitData, limited: ReturnType<typeof limitConcurrency>) {
    this.git = git;
    this.limited = limited;
  }

  /** @throws as GitData.blob does. */
  read(sha: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) setImmediate(() => this.flush());
      this.waiting.set(sha, [...(this.waiting.get(sha) ?? []), { resolve, reject }]);
    });
  }

  private flush(): void {
    const all = [...this.waiting];
    this.waiting = new Map();
    for (let start = 0; start < all.length; start += BATCH) void this.fetch(all.slice(start, start + BATCH));
  }

  /** Never rejects: each reader is answered. */
  private async fetch(
    asked: readonly (readonly [sha: string, readers: readonly Waiting[]])[],
  ): Promise<void> {
    const shas = asked.map(([sha]) => sha);
    const texts =
      shas.length > 1 ? await this.limited(() => this.git.texts(shas)) : new Map<string, string>();
    await Promise.all(
      asked.map(async ([sha, readers]) => {
        try {
          const text = texts.get(sha);
          const content =
            text !== undefined && blobSha(text) === sha
              ? Buffer.from(text)
              : await this.limited(() => this.git.blob(sha));
          for (const { resolve } of readers) resolve(content);
        } catch (error) {
          for (const { reject } of readers) reject(error);
        }
      }),
    );
  }
}
