import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  stringify,
  type YAMLMap,
} from 'yaml';
import { Refusal } from '../rollout/verdict.ts';
import {
  flow,
  flowKey,
  isNode,
  lastLeaf,
  mergedValue,
  pairOf,
  quoted,
  resolved,
  startOf,
} from './yaml-nodes.ts';

export type YamlPath = readonly (string | number)[];

/**
 * A YAML file that is edited as text: what an edit does not mean stays byte for byte, comments, quotes, key order, line
 * ends and all. Each edit returns a new file, parsed anew, so that positions are always those of the text.
 */
export class YamlText {
  readonly path: string;
  readonly text: string;
  readonly documents: readonly Document.Parsed[];
  private readonly lines = new LineCounter();

  /** @throws Refusal `unsupported-file` when the file is no YAML. */
  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const parsed = parseAllDocuments(text, {
      lineCounter: this.lines,
      prettyErrors: false,
      uniqueKeys: false,
      // As kustomize reads them (YAML 1.1).
      merge: true,
    });
    this.documents = Array.isArray(parsed) ? parsed : [];
    const error = this.documents.flatMap(document => document.errors)[0];
    if (error) {
      const { line } = this.lines.linePos(error.pos[0]);
      throw new Refusal('unsupported-file', `${path}:${line} is no YAML that we can read: ${error.message}`, {
        remedy: 'Mend the file, or take it out of what Flux builds.',
      });
    }
  }

  /** The document as plain data. */
  data(document: number): unknown {
    try {
      return this.documents[document]?.toJS({ maxAliasCount: 1000 });
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Refusal('unsupported-file', `${this.path} is no YAML that we can read: ${what}`, {
        remedy: 'Mend the file, or take it out of what Flux builds.',
      });
    }
  }

  /** What is written at a path; on the way to it aliases and merged maps (`<<`) are followed. */
  node(document: number, path: YamlPath): Node | undefined {
    let node: unknown = this.documents[document]?.contents;
    for (const key of path) {
      const at = resolved(this.documents[document], node);
      if (isMap(at)) node = at.get(key, true) ?? mergedValue(this.documents[document], at, key);
      else if (isSeq(at)) node = at.get(Number(key), true);
      else return undefined;
    }
    return isNode(node) ? node : undefined;
  }

  /** The scalar that is written at a path, or that an alias there stands for. */
  scalar(document: number, path: YamlPath): Scalar | undefined {
    const node = resolved(this.documents[document], this.node(document, path));
    return isScalar(node) ? node : undefined;
  }

  /** 1-based. */
  lineOf(document: number, path: YamlPath): number {
    const node = this.node(document, path);
    return this.lines.linePos(node?.range?.[0] ?? this.documents[document]?.range[0] ?? 0).line;
  }

  /** The line of a node as text, its comment included. */
  lineText(document: number, path: YamlPath): string {
    return this.text.split('\n')[this.lineOf(document, path) - 1] ?? '';
  }

  /**
   * A string in place of the scalar at a path, in the quotes that were there; plain text gets quotes when it would be
   * read as something else than a string.
   */
  setString(document: number, path: YamlPath, value: string): YamlText {
    const node = this.node(document, path);
    // Another change has set what the alias stands for.
    if (isAlias(node) && this.scalar(document, path)?.value === value) return this;
    if (!isScalar(node) || node.range === null || node.range === undefined) {
      throw this.cannotEdit(document, path, isAlias(node) ? 'an alias of another value' : 'no single value');
    }
    if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') {
      throw this.cannotEdit(document, path, 'a block of several lines');
    }
    const [start, end] = node.range;
    return this.spliced(start, end, quoted(value, node));
  }

  /** A value in place of the scalar at a path, of the type that was there where it can be. */
  setScalar(document: number, path: YamlPath, value: string): YamlText {
    const node = this.node(document, path);
    const typed =
      isScalar(node) &&
      ((typeof node.value === 'number' && /^-?\d+(?:\.\d+)?$/.test(value)) ||
        (typeof node.value === 'boolean' && /^(?:true|false)$/.test(value)));
    if (!typed || !node.range) return this.setString(document, path, value);
    return this.spliced(node.range[0], node.range[1], value);
  }

  /**
   * Any value at the path of a map's key: replaced where it is, inserted after the map's last key where it is not, with
   * the maps above it made when they are missing.
   */
  set(document: number, path: YamlPath, value: unknown): YamlText {
    const key = path.at(-1);
    if (key === undefined) throw new RangeError('A path has at least one key.');
    const parentPath = path.slice(0, -1);
    const parent = this.node(document, parentPath);
    if (isAlias(parent)) throw this.cannotEdit(document, parentPath, 'an alias of another value');
    if (!isMap(parent) && !isSeq(parent)) return this.set(document, parentPath, { [String(key)]: value });
    const existing = this.node(document, path);
    if (isMap(parent) && parent.items.length === 0 && !parent.flow) {
      return this.set(document, parentPath, { [String(key)]: value });
    }
    if (isMap(parent) && pairOf(parent, key) === undefined) return this.inserted(parent, String(key), value);
    if (isScalar(existing) && typeof value === 'string' && typeof existing.value === 'string') {
      return this.setString(document, path, value);
    }
    return isMap(parent) ? this.replaced(parent, key, value) : this.spliceNode(existing, value);
  }

  /** Another text in the block (`|`) at a path: lines that stay keep their bytes, others are indented as the old ones. */
  setBlock(document: number, path: YamlPath, value: string): YamlText {
    const node = this.node(document, path);
    if (!isScalar(node) || !node.range || node.type !== 'BLOCK_LITERAL') {
      throw this.cannotEdit(document, path, 'no block of literal lines');
    }
    const [start, end] = node.range;
    const [header = '|', ...lines] = this.text.slice(start, end).split(/\r?\n/);
    const indent = /^ */.exec(lines.find(line => line.trim() !== '') ?? '')?.[0] ?? '';
    const [old, next] = [String(node.value), value].map(each => each.replace(/\n+$/, '').split('\n'));
    if (!old || !next) return this;
    let first = 0;
    while (first < Math.min(old.length, next.length) && old[first] === next[first]) first += 1;
    let last = 0;
    const most = Math.min(old.length, next.length) - first;
    while (last < most && old.at(-1 - last) === next.at(-1 - last)) last += 1;
    const changed = next
      .slice(first, next.length - last)
      .map(line => (line === '' ? '' : `${indent}${line}`));
    const body = [...lines.slice(0, first), ...changed, ...lines.slice(old.length - last)];
    return this.spliced(start, end, [header, ...body].join(this.newline()));
  }

  /** Without the key; the same file when there is none. */
  delete(document: number, path: YamlPath): YamlText {
    const key = path.at(-1);
    const parent = this.node(document, path.slice(0, -1));
    if (!isMap(parent) || key === undefined) return this;
    const pair = pairOf(parent, key);
    if (pair === undefined) return this;
    if (parent.flow === true) return this.deletedInFlow(parent, pair);
    const start = this.lineStart(startOf(pair));
    return this.spliced(start, this.endOfPair(parent, pair), '');
  }

  /** Without one item of a list; without the whole key when it was the only one. */
  deleteItem(document: number, path: YamlPath, index: number): YamlText {
    const list = this.node(document, path);
    const item = isSeq(list) ? list.items[index] : undefined;
    if (!isSeq(list) || !isNode(item) || !item.range) return this;
    if (list.items.length === 1) return this.delete(document, path);
    if (list.flow === true) {
      const [next, before] = [list.items[index + 1], list.items[index - 1]];
      if (isNode(next) && next.range) return this.spliced(item.range[0], next.range[0], '');
      const from = isNode(before) && before.range ? before.range[1] : item.range[0];
      return this.spliced(from, item.range[1], '');
    }
    const dash = this.text.lastIndexOf('-', item.range[0]);
    return this.spliced(this.lineStart(dash), this.afterLine(this.endOf(item)), '');
  }

  /** An item at the end of a block or flow list, written as a plain scalar or map. */
  append(document: number, path: YamlPath, value: unknown): YamlText {
    const list = this.node(document, path);
    if (!isSeq(list) || list.items.length === 0) return this.set(document, path, [value]);
    const last = list.items.at(-1);
    const first = list.items[0];
    if (!isNode(last) || !isNode(first) || !last.range || !first.range) {
      throw this.cannotEdit(document, path, 'a list that we cannot extend');
    }
    if (list.flow === true) return this.spliced(last.range[1], last.range[1], `, ${flow(value)}`);
    const dash = this.text.lastIndexOf('-', first.range[0]);
    const indent = ' '.repeat(dash - this.lineStart(dash));
    const [firstLine = '', ...rest] = this.block(value).split('\n');
    const lines = [`${indent}- ${firstLine}`, ...rest.map(line => `${indent}  ${line}`)];
    return this.insertLines(this.afterLine(this.endOf(last)), lines);
  }

  /** The one document of a file that has only comments so far. */
  withFirstDocument(value: unknown): YamlText {
    return new YamlText(this.path, `${this.text}${this.withNewlines(this.block(value))}${this.newline()}`);
  }

  /** Another document at the end of the file. */
  withDocument(value: unknown): YamlText {
    const newline = this.newline();
    const base = this.text.endsWith('\n') || this.text === '' ? this.text : `${this.text}${newline}`;
    const separator = base === '' ? '' : `---${newline}`;
    return new YamlText(this.path, `${base}${separator}${this.withNewlines(this.block(value))}${newline}`);
  }

  private inserted(parent: YAMLMap, key: string, value: unknown): YamlText {
    const last = parent.items.at(-1);
    const first = parent.items[0];
    if (parent.flow === true || last === undefined || first === undefined) {
      const end = parent.range?.[1] ?? 0;
      const inside = this.text.slice(parent.range?.[0] ?? 0, end - 1).trimEnd();
      const comma = inside.endsWith('{') || inside.endsWith(',') ? '' : ', ';
      const at = (parent.range?.[0] ?? 0) + inside.length;
      return this.spliced(at, at, `${comma}${flowKey(key)}: ${flow(value)}`);
    }
    const indent = this.columnOf(startOf(first));
    const lines = this.block({ [key]: value })
      .split('\n')
      .map(line => `${indent}${line}`);
    return this.insertLines(this.endOfPair(parent, last), lines);
  }

  private replaced(parent: YAMLMap, key: string | number, value: unknown): YamlText {
    const pair = pairOf(parent, key);
    if (pair === undefined) return this;
    if (parent.flow === true) return this.spliceNode(pair.value, value);
    const start = startOf(pair);
    const indent = this.columnOf(start);
    const [first = '', ...rest] = this.block({ [String(key)]: value }).split('\n');
    const lines = [first, ...rest.map(line => `${indent}${line}`)];
    const node = isNode(pair.value) ? pair.value : undefined;
    const end = node?.range ? this.endOf(node) : this.lineEnd(start);
    return this.spliced(start, end, lines.join(this.newline()));
  }

  private spliceNode(node: unknown, value: unknown): YamlText {
    if (!isNode(node) || !node.range) return this;
    return this.spliced(node.range[0], this.endOf(node), flow(value));
  }

  private deletedInFlow(parent: YAMLMap, pair: Pair): YamlText {
    const index = parent.items.indexOf(pair);
    const next = parent.items[index + 1];
    const before = parent.items[index - 1];
    const start = startOf(pair);
    if (next) return this.spliced(start, startOf(next), '');
    const end = (isNode(pair.value) ? pair.value.range?.[1] : undefined) ?? start;
    const from = before && isNode(before.value) ? (before.value.range?.[1] ?? start) : start;
    return this.spliced(from, end, '');
  }

  /** The offset after a pair of a block map: its value's lines, trailing comment and line end included. */
  private endOfPair(parent: YAMLMap, pair: Pair): number {
    if (isNode(pair.value) && pair.value.range) return this.afterLine(this.endOf(pair.value));
    const key = isNode(pair.key) ? pair.key.range?.[1] : undefined;
    return this.afterLine(this.trimmedEnd(startOf(pair), key ?? parent.range?.[1] ?? 0));
  }

  /** After a node's last character. What looks like a comment within a block of text belongs to it. */
  private endOf(node: Node): number {
    const leaf = lastLeaf(node);
    const [start = 0, end = 0] = node.range ?? [];
    if (!isScalar(leaf) || !leaf.range || !leaf.type?.startsWith('BLOCK_'))
      return this.trimmedEnd(start, end);
    const text = this.text.slice(0, leaf.range[1]);
    return /^\S*\+/.test(this.text.slice(leaf.range[0]))
      ? text.replace(/\r?\n$/, '').length
      : text.trimEnd().length;
  }

  /** Where a node's last character is: collections reach into the blank lines and comments after them. */
  private trimmedEnd(start: number, end: number): number {
    let text = this.text.slice(start, end);
    while (true) {
      const trimmed = text.trimEnd();
      const lineStart = trimmed.lastIndexOf('\n') + 1;
      if (lineStart > 0 && trimmed.slice(lineStart).trimStart().startsWith('#'))
        text = trimmed.slice(0, lineStart);
      else return start + trimmed.length;
    }
  }

  private insertLines(at: number, lines: readonly string[]): YamlText {
    const newline = this.newline();
    const atLineStart = at === 0 || this.text[at - 1] === '\n';
    return this.spliced(at, at, `${atLineStart ? '' : newline}${lines.join(newline)}${newline}`);
  }

  private afterLine(offset: number): number {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end + 1;
  }

  private lineEnd(offset: number): number {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end;
  }

  private lineStart(offset: number): number {
    return this.text.lastIndexOf('\n', offset - 1) + 1;
  }

  /** The indentation of a key: a key that follows a dash stands where blanks would. */
  private columnOf(offset: number): string {
    return ' '.repeat(offset - this.lineStart(offset));
  }

  private newline(): string {
    return this.text.includes('\r\n') ? '\r\n' : '\n';
  }

  private withNewlines(block: string): string {
    return block.split('\n').join(this.newline());
  }

  private block(value: unknown): string {
    return stringify(value, { lineWidth: 0, indentSeq: false }).trimEnd();
  }

  private spliced(start: number, end: number, replacement: string): YamlText {
    return new YamlText(this.path, `${this.text.slice(0, start)}${replacement}${this.text.slice(end)}`);
  }

  private cannotEdit(document: number, path: YamlPath, what: string): Refusal {
    return new Refusal(
      'unsupported-file',
      `${this.path}:${this.lineOf(document, path)}: ${path.join('.')} is ${what}, which cannot be changed in place.`,
      { remedy: 'Write the value out where it is used.' },
    );
  }
}
