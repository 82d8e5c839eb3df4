import { posix } from 'node:path';
import type { RepositoryFiles } from '../build/repository-files.ts';
import { type HiddenLines, unifiedDiff } from '../report/unified-diff.ts';
import type { HiddenValues } from './hidden-values.ts';
import { hiddenWhole, type SecretLines, secretLines } from './secret-lines.ts';

/** What tells that a text may hold a secret, or names a file that does. An escape may spell any word. */
const TELLING = /secret|sops|generator|ENC\[|\\[xuU]/i;
const YAML = /\.(?:ya?ml|json)$|(?:^|\/)kustomization$/i;
const SOPS_NAME = /\.(?:sops|enc)\.[^/]+$/i;

export interface ChangedText {
  readonly path: string;
  /** Empty where there is none. */
  readonly before: string;
  readonly after: string;
}

/**
 * Which text of a GitOps repository is secret. It is told from all that was read of it: a file is what a kustomization
 * makes of it, wherever that kustomization stands.
 */
export class TreeSecrets {
  readonly values: HiddenValues;
  private readonly texts = new Map<string, string>();
  private known: { readonly secrets: ReadonlySet<string>; readonly configs: ReadonlySet<string> } | undefined;

  constructor(values: HiddenValues) {
    this.values = values;
  }

  /** The same files; what is read of them is looked at. */
  watch(files: RepositoryFiles): RepositoryFiles {
    const { prefetch } = files;
    return {
      head: files.head,
      read: async path => {
        const blob = await files.read(path);
        if (blob) this.saw(path, blob.text);
        return blob;
      },
      list: folder => files.list(folder),
      ...(prefetch ? { prefetch: folder => prefetch.call(files, folder) } : {}),
    };
  }

  saw(path: string, text: string): void {
    if (this.texts.get(path) === text) return;
    this.texts.set(path, text);
    this.known = undefined;
  }

  /** Lines (1-based) of a file's text that may not be shown; all of them where nobody knows what it is. */
  hiddenIn(path: string, text: string): HiddenLines {
    return this.look(path, text).lines;
  }

  /** What changes in a file; of what is secret only that it changes, and nothing where all of it is. */
  diffOf({ path, before, after }: ChangedText): string {
    return unifiedDiff(before, after, {
      before: this.hiddenIn(path, before),
      after: this.hiddenIn(path, after),
    });
  }

  /** Whether a line of a file as it was read is secret. */
  isHidden(path: string, line: number): boolean {
    const text = this.texts.get(path);
    if (text === undefined) return false;
    const lines = this.hiddenIn(path, text);
    return lines === 'all' || lines.has(line);
  }

  /** Learns what may not be said of all that was read so far. */
  learn(): void {
    this.feeds();
  }

  private look(path: string, text: string): SecretLines {
    const { secrets, configs } = this.feeds();
    if (secrets.has(path) || SOPS_NAME.test(path)) return hiddenWhole(text);
    if (YAML.test(path)) return secretLines(text);
    // A file that no ConfigMap is known to be made of: a certificate, an env file of a generator that was not read.
    return configs.has(path) ? { ...secretLines(''), values: [] } : hiddenWhole(text);
  }

  private feeds(): NonNullable<typeof this.known> {
    if (this.known) return this.known;
    const secrets = new Set<string>();
    const configs = new Set<string>();
    for (const [path, text] of this.texts) {
      if (!YAML.test(path) || !TELLING.test(text)) continue;
      const { feeds, values } = secretLines(text);
      for (const each of values) this.values.add(each);
      for (const each of feeds.secrets) secrets.add(posix.join(posix.dirname(path), each));
      for (const each of feeds.configs) configs.add(posix.join(posix.dirname(path), each));
    }
    this.known = { secrets, configs };
    for (const [path, text] of this.texts) {
      if (!secrets.has(path) && !SOPS_NAME.test(path)) continue;
      for (const each of hiddenWhole(text).values) this.values.add(each);
    }
    return this.known;
  }
}
