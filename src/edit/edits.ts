import type { FileBlob, FileChange } from '../rollout/ports.ts';
import { OWN_PATCH_MARK } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import { YamlText } from './yaml-text.ts';

/** The files of a plan while they are edited. What ends as it began is no change. */
export class Edits {
  private readonly files: RepositoryFiles;
  private readonly edited = new Map<string, YamlText>();
  private readonly written = new Set<string>();
  /** Files that are no YAML. */
  private readonly texts = new Map<string, string>();
  private readonly before = new Map<string, FileBlob | null>();
  private texted: ReadonlyMap<string, string> | undefined;

  constructor(files: RepositoryFiles) {
    this.files = files;
  }

  /** The file as edited so far. */
  current(file: YamlText): YamlText {
    return this.edited.get(file.path) ?? file;
  }

  update(file: YamlText, edit: (file: YamlText) => YamlText): void {
    this.edited.set(file.path, edit(this.current(file)));
    this.texted = undefined;
  }

  /** A file that does not exist, or whose whole text is ours. */
  write(path: string, text: string): void {
    this.written.add(path);
    this.edited.set(path, new YamlText(path, text));
    this.texted = undefined;
  }

  /** Another text for a file that is no YAML. */
  writeText(path: string, text: string): void {
    this.texts.set(path, text);
    this.texted = undefined;
  }

  /** Path → text as edited so far; the same map until the next edit. */
  snapshot(): ReadonlyMap<string, string> {
    this.texted ??= new Map(this.all());
    return this.texted;
  }

  /** A file's text as edited so far; undefined where it was not touched. */
  textOf(path: string): string | undefined {
    return this.texts.get(path) ?? this.edited.get(path)?.text;
  }

  /** A copy to go on from, which leaves this one as it is. */
  fork(): Edits {
    const fork = new Edits(this.files);
    for (const [path, file] of this.edited) fork.edited.set(path, file);
    for (const path of this.written) fork.written.add(path);
    for (const [path, text] of this.texts) fork.texts.set(path, text);
    return fork;
  }

  /** @throws Refusal when a file that we would write is there already and is not ours. */
  async changes(): Promise<readonly FileChange[]> {
    const all = await Promise.all(
      this.all().map(async ([path, text]): Promise<FileChange | undefined> => {
        const before = await this.blobBefore(path);
        if (before && this.written.has(path) && !isOurs(before.text, text)) throw occupied(path);
        return before?.text === text ? undefined : { path, before, text };
      }),
    );
    return all
      .filter(change => change !== undefined)
      .toSorted((one, other) => (one.path < other.path ? -1 : 1));
  }

  private all(): readonly (readonly [path: string, text: string])[] {
    return [...[...this.edited].map(([path, { text }]) => [path, text] as const), ...this.texts];
  }

  private async blobBefore(path: string): Promise<FileBlob | null> {
    const known = this.before.get(path);
    if (known !== undefined) return known;
    const blob = (await this.files.read(path)) ?? null;
    this.before.set(path, blob);
    return blob;
  }
}

function isOurs(before: string, text: string): boolean {
  return before === text || before.trim() === '' || before.startsWith(OWN_PATCH_MARK);
}

function occupied(path: string): Refusal {
  return new Refusal(
    'change-ambiguous',
    `${path} would have to be written, but it is there already, outside of what Flux builds, and is not ours.`,
    { remedy: 'List it in the kustomization, rename it, or take it away.' },
  );
}
