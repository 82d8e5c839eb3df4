import { isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, type Scalar } from 'yaml';
import { readsAsString } from './plain.ts';
import { offsetsOf } from './scalar-map.ts';
import type { Source } from './written.ts';
import { wordsOfError } from './yaml-words.ts';

export type YamlPath = readonly (string | number)[];

export type Reads = 'string' | 'number' | 'boolean' | 'null' | 'other';

/** One scalar as a text has it, and the scalars of the YAML or JSON that its value is. */
export interface Leaf {
  readonly document: number;
  readonly path: YamlPath;
  /** What it says; of anything but a string, as it is written. */
  readonly value: string;
  readonly reads: Reads;
  readonly source: Source;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  readonly inner?: { readonly leaves: readonly Leaf[]; readonly offsets: readonly number[] };
}

/** Texts within texts, that far. A patch in a Kustomization in a ConfigMap is two. */
const MOST_WITHIN = 4;
/** UTF-16 units of a text within a text: patches and values, no dashboards. */
const LARGEST_WITHIN = 256 * 1024;
/** Collections in collections; the parser ends at some 2,000 in a stack of the usual size. */
const DEEPEST = 500;

/**
 * The scalars that a YAML or JSON text writes out; what is behind an alias is where its anchor is. Keys, and scalars
 * with a tag of their own (`!!binary`), are none. Words where it is no YAML.
 */
export function leavesOf(text: string, depth = 0): readonly Leaf[] | { readonly words: string } {
  try {
    if (isTooDeep(text)) return { words: 'it is nested too deeply' };
    const lines = new LineCounter();
    const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const documents = Array.isArray(parsed) ? parsed : [];
    const error = documents.flatMap(document => document.errors)[0];
    if (error)
      return {
        words: `it is no YAML that we can read: line ${lines.linePos(error.pos[0]).line}: ${wordsOfError(error)}`,
      };
    const walk: Walk = { text, depth, found: [], newline: text.includes('\r\n') ? '\r\n' : '\n' };
    const within = isJson(text) ? 'json' : 'block';
    for (const [document, { contents }] of documents.entries()) {
      addLeaves(walk, contents, { document, path: [], within });
    }
    return walk.found;
  } catch (error) {
    if (error instanceof RangeError) return { words: 'it is nested too deeply' };
    throw error;
  }
}

interface Walk {
  readonly text: string;
  readonly depth: number;
  readonly newline: string;
  readonly found: Leaf[];
}

interface At {
  readonly document: number;
  readonly path: YamlPath;
  readonly within: Source['within'];
}

function addLeaves(walk: Walk, node: unknown, at: At): void {
  if (isMap(node) || isSeq(node)) {
    const within = at.within === 'block' && node.flow === true ? 'flow' : at.within;
    for (const [index, item] of node.items.entries()) {
      if (isSeq(node)) addLeaves(walk, item, { ...at, within, path: [...at.path, index] });
      else if (isPair(item) && isScalar(item.key)) {
        addLeaves(walk, item.value, { ...at, within, path: [...at.path, String(item.key.value)] });
      }
    }
  } else if (isScalar(node) && node.range && (node.tag === undefined || node.tag === STRING_TAG)) {
    walk.found.push(leafOf(walk, node, at));
  }
}

const STRING_TAG = 'tag:yaml.org,2002:str';

function leafOf(walk: Walk, node: Scalar, { document, path, within }: At): Leaf {
  const [start = 0, end = 0] = node.range ?? [];
  const style = node.type ?? 'PLAIN';
  const raw = walk.text.slice(start, end);
  const reads = style === 'PLAIN' && node.tag === undefined ? readsOf(raw, node.value) : 'string';
  const value = reads === 'string' && typeof node.value === 'string' ? node.value : raw;
  const inner =
    reads === 'string' && walk.depth < MOST_WITHIN ? innerOf(value, raw, style, walk.depth) : undefined;
  const source = { raw, style, within, newline: walk.newline };
  return { document, path, value, reads, source, start, end, ...(inner ? { inner } : {}) };
}

/** How a reader takes a plain scalar. */
export function readsOf(raw: string, value: unknown): Reads {
  if (raw === '' || value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean')
    return typeof value === 'number' ? 'number' : 'boolean';
  return typeof value === 'string' && readsAsString(raw) ? 'string' : 'other';
}

function innerOf(value: string, raw: string, style: Scalar.Type, depth: number): Leaf['inner'] {
  if (value.length > LARGEST_WITHIN || !/^\s*[[{]|:\s|\n\s*-\s/.test(value)) return undefined;
  const leaves = leavesOf(value, depth + 1);
  if ('words' in leaves || !leaves.some(({ path }) => path.length > 0)) return undefined;
  const offsets = offsetsOf(raw, style, value);
  return offsets && { leaves, offsets };
}

/** Told by its signs, before the parser takes its time: what is open at once, and what one line opens. */
function isTooDeep(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign === OPEN_LIST || sign === OPEN_MAP) open += 1;
    else if (sign === CLOSE_LIST || sign === CLOSE_MAP) open = Math.max(0, open - 1);
    if (open > DEEPEST) return true;
  }
  return /(?:[-?:][ \t]){500}/.test(text) || /^ {4000}/m.test(text);
}

const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** JSON is edited as JSON, whatever the file is called. */
export function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
