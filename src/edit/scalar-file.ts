import { LineCounter } from 'yaml';
import { type KeyLine, keyLines, type LineFormat } from '../rollout/key-lines.ts';
import { Refusal } from '../rollout/verdict.ts';
import { writtenInLine } from './line-value.ts';
import { apart, type Hunk, rewritten, withHunks, withLikeValue, withValue } from './rewrite.ts';
import { isJson, type Leaf, leavesOf, type Reads, type YamlPath } from './yaml-leaves.ts';

/** Where a scalar stands in a file: also after other scalars of it were replaced. */
export interface Address {
  /** 0 in files that are no YAML. */
  readonly document: number;
  /** Keys and indexes; the one key of a line; nothing where the text is the value as a whole. */
  readonly path: YamlPath;
  /** In the YAML or JSON that the scalar at `path` holds as text. */
  readonly within?: Address;
}

export interface FileScalar {
  readonly address: Address;
  /** What it says; of anything but a string, as it is written (`1.10`); of nothing, ''. */
  readonly value: string;
  /** As a reader of YAML takes it; `other` where YAML 1.1 and 1.2 differ (`on`, `1_000`, `2024-01-01`). */
  readonly reads: Reads;
  /** 1-based, of the file. */
  readonly line: number;
  readonly column: number;
}

export interface Replacement {
  readonly address: Address;
  readonly value: string;
  /**
   * `string` (if unsaid): every reader reads this very string. `like-before`: what was a number or boolean stays one
   * where the value can be read as one, and a block that ended in a line end still does.
   */
  readonly as?: 'string' | 'like-before';
}

export interface ScalarFile {
  readonly scalars: readonly FileScalar[];
  /** Why it has none that can be edited, in words that go on from “it”; undefined where it could be read. */
  readonly unread?: string;
  /**
   * The text with other values; every byte that they do not need is as it was. Several at one address: the last counts.
   * @throws Refusal where there is no such scalar, or the file's format cannot hold the value.
   */
  replaced(replacements: readonly Replacement[]): string;
}

/** UTF-16 units. The YAML parser reads some 2 MB a second. */
const LARGEST = 2 * 1024 * 1024;
/** UTF-16 units of a file that is one value. */
const LARGEST_WHOLE = 4096;

/** What a file says, scalar by scalar. Never throws: what cannot be read has no scalars, and says why. */
export function scalarsOf(path: string, text: string): ScalarFile {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (text.length > LARGEST) return unread(path, 'it is larger than 2 MB');
  if (text.includes('\0')) return unread(path, 'it is no text');
  if (name.endsWith('.toml')) return unread(path, 'it is TOML, which is not edited');
  if (name.endsWith('.properties')) return ofLines(path, text, 'properties');
  if (/\.env(?:\.|$)/.test(name)) return ofLines(path, text, 'env');
  const leaves = leavesOf(text);
  if (!('words' in leaves) && leaves.some(leaf => leaf.path.length > 0)) return ofYaml(path, text, leaves);
  if (!('words' in leaves) && isJson(text)) return ofYaml(path, text, []);
  const lines = text.split('\n').filter(line => !/^\s*(?:#.*)?$/.test(line));
  if (lines.length > 0 && lines.every(line => /^\s*[\w.-]+=/.test(line))) return ofLines(path, text, 'env');
  if (lines.length === 1 && text.length <= LARGEST_WHOLE && !/\n./.test(text)) return ofWholeText(path, text);
  return 'words' in leaves ? unread(path, leaves.words) : ofYaml(path, text, leaves);
}

/** One scalar's value replaced. @throws Refusal, see ScalarFile.replaced. */
export function replaced(file: { readonly path: string; readonly text: string }, one: Replacement): string {
  return scalarsOf(file.path, file.text).replaced([one]);
}

function unread(path: string, words: string): ScalarFile {
  return {
    scalars: [],
    unread: words,
    replaced: replacements => {
      if (replacements.length === 0) throw new RangeError(`Nothing to replace in ${path}.`);
      throw new Refusal(
        'unsupported-file',
        `${path} cannot be edited: ${words}${words.endsWith('.') ? '' : '.'}`,
        {
          remedy: 'Keep the value in a YAML or JSON file, or in lines KEY=value.',
        },
      );
    },
  };
}

function ofYaml(path: string, text: string, found: readonly Leaf[]): ScalarFile {
  // A document that is one scalar is no place of anything that we know.
  const leaves = found.filter(leaf => leaf.path.length > 0);
  const lines = new LineCounter();
  for (let at = 0; at >= 0; at = text.indexOf('\n', at) + 1 || -1) lines.addNewLine(at);
  const scalars: FileScalar[] = [];
  addScalars(leaves, { offset: at => at, address: at => at, lines, scalars });
  return {
    scalars,
    replaced: replacements => withHunks(text, hunksOf(text, leaves, { path, replacements })),
  };
}

interface Adding {
  /** From an offset in the text of the leaves to one in the file. */
  readonly offset: (at: number) => number;
  readonly address: (inner: Address) => Address;
  readonly lines: LineCounter;
  readonly scalars: FileScalar[];
}

function addScalars(leaves: readonly Leaf[], on: Adding): void {
  for (const leaf of leaves) {
    const { document, path, value, reads, start, inner } = leaf;
    const { line, col } = on.lines.linePos(on.offset(start));
    on.scalars.push({ address: on.address({ document, path }), value, reads, line, column: col });
    if (!inner) continue;
    addScalars(inner.leaves, {
      ...on,
      offset: at => on.offset(start + (inner.offsets[at] ?? 0)),
      address: within => on.address({ document, path, within }),
    });
  }
}

interface Replacing {
  readonly path: string;
  readonly replacements: readonly Replacement[];
}

function hunksOf(text: string, leaves: readonly Leaf[], on: Replacing): readonly Hunk[] {
  const byKey = new Map(leaves.map(leaf => [keyOf(leaf), leaf]));
  const whole = new Map<Leaf, Replacement>();
  const parts = new Map<Leaf, Replacement[]>();
  for (const replacement of on.replacements) {
    const { address } = replacement;
    const leaf = byKey.get(keyOf(address));
    if (!leaf) throw noScalar(on.path, address);
    if (!address.within) whole.set(leaf, replacement);
    else parts.set(leaf, [...(parts.get(leaf) ?? []), { ...replacement, address: address.within }]);
  }
  return [
    ...[...whole].map(([leaf, replacement]) => hunkOf(text, leaf, sourceOf(leaf, replacement))),
    ...[...parts]
      .filter(([leaf]) => !whole.has(leaf))
      .map(([leaf, replacements]) => {
        const inner = hunksOf(leaf.value, leaf.inner?.leaves ?? [], { ...on, replacements });
        return hunkOf(text, leaf, rewritten(leaf.source, leaf.value, inner));
      }),
  ];
}

function keyOf({ document, path }: { readonly document: number; readonly path: YamlPath }): string {
  return JSON.stringify([document, ...path.map(String)]);
}

function sourceOf({ source, value, reads }: Leaf, { value: next, as }: Replacement): string {
  return as === 'like-before'
    ? withLikeValue(source, { value, reads }, next)
    : withValue(source, value, next);
}

function hunkOf(text: string, { start, end }: Leaf, source: string): Hunk {
  return { start, end, text: apart(text, start, end, source) };
}

function ofLines(path: string, text: string, format: LineFormat): ScalarFile {
  const byKey = new Map<string, KeyLine>(keyLines(text, format).map(line => [line.key, line]));
  return {
    scalars: [...byKey].map(([key, { value, line, start }]) => ({
      address: { document: 0, path: [key] },
      value,
      reads: 'string',
      line,
      column: start - text.lastIndexOf('\n', start - 1),
    })),
    replaced: replacements => {
      const hunks = new Map<KeyLine, Hunk>();
      for (const { address, value } of replacements) {
        const line = byKey.get(address.path.join('.'));
        if (!line || address.within) throw noScalar(path, address);
        hunks.set(line, {
          start: line.start,
          end: line.end,
          text: writtenInLine(value, { path, format, key: line.key }),
        });
      }
      return withHunks(text, [...hunks.values()]);
    },
  };
}

/** A file that is one value (`VERSION`); its line end is not part of it. */
function ofWholeText(path: string, text: string): ScalarFile {
  const end = /\r?\n?$/.exec(text)?.index ?? text.length;
  const start = text.startsWith('\ufeff') ? 1 : 0;
  const address: Address = { document: 0, path: [] };
  return {
    scalars: [{ address, value: text.slice(start, end), reads: 'string', line: 1, column: 1 }],
    replaced: replacements => {
      const last = replacements.at(-1);
      if (!last || last.address.path.length > 0) throw noScalar(path, last?.address ?? address);
      const value = writtenInLine(last.value, { path, format: 'env', key: 'its text' });
      return withHunks(text, [{ start, end, text: value }]);
    },
  };
}

function noScalar(path: string, address: Address): Refusal {
  const at = pathOf(address);
  return new Refusal(
    'change-not-found',
    `${path} has no single value ${at === '' ? 'of its own' : at} that can be written.`,
    {
      remedy: 'Write the value out there, without alias and tag.',
    },
  );
}

function pathOf({ path, within }: Address): string {
  return [...path.map(String), ...(within ? [pathOf(within)] : [])].join('.');
}
