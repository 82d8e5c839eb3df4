import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import { Refusal } from '../rollout/verdict.ts';
import { blockOf, flowOf, keyOf } from './new-text.ts';
import { apart, withLikeValue, withValue } from './rewrite.ts';
import type { Source } from './written.ts';
import { isJson, readsOf, type YamlPath } from './yaml-leaves.ts';
import { YamlLines } from './yaml-lines.ts';
import { isNode, pairOf, startOf } from './yaml-nodes.ts';
import { YamlReader } from './yaml-reader.ts';

export type { YamlPath } from './yaml-leaves.ts';

/**
 * A YAML file that is edited as text: what an edit does not mean stays byte for byte, comments, quotes, key order, line
 * ends and all. Each edit returns a new file, parsed anew, so that positions are always those of the text.
 */
export class YamlText extends YamlReader {
  private readonly layout: YamlLines;
  private readonly isJson: boolean;

  /** @throws Refusal `unsupported-file` when the file is no YAML. */
  constructor(path: string, text: string) {
    super(path, text);
    this.layout = new YamlLines(text);
    this.isJson = isJson(text);
  }

  /**
   * A string in place of the scalar at a path, in the style that was there where it can hold the string; plain text gets
   * quotes when a reader would take it for something else.
   */
  setString(document: number, path: YamlPath, value: string): YamlText {
    // Another change has set what the alias stands for.
    if (isAlias(this.node(document, path)) && this.scalar(document, path)?.value === value) return this;
    const { node, source, start, end } = this.written(document, path);
    const old = typeof node.value === 'string' ? node.value : source.raw;
    return this.spliced(start, end, apart(this.text, start, end, withValue(source, old, value)));
  }

  /** A value in place of the scalar at a path, of the type that was there where it can be. */
  setScalar(document: number, path: YamlPath, value: string): YamlText {
    const { node, source, start, end } = this.written(document, path);
    if (source.style !== 'PLAIN') return this.setString(document, path, value);
    const like = withLikeValue(source, { value: source.raw, reads: readsOf(source.raw, node.value) }, value);
    return this.spliced(start, end, apart(this.text, start, end, like));
  }

  private written(document: number, path: YamlPath) {
    const node = this.node(document, path);
    if (!isScalar(node) || !node.range) {
      throw this.cannotEdit(document, path, isAlias(node) ? 'an alias of another value' : 'no single value');
    }
    const [start, end] = node.range;
    const source: Source = {
      raw: this.text.slice(start, end),
      style: node.type ?? 'PLAIN',
      within: this.isJson ? 'json' : this.isInFlow(document, path) ? 'flow' : 'block',
      newline: this.layout.newline(),
    };
    return { node, source, start, end };
  }

  private isInFlow(document: number, path: YamlPath): boolean {
    return path.some((_key, depth) => {
      const node = this.node(document, path.slice(0, depth));
      return (isMap(node) || isSeq(node)) && node.flow === true;
    });
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

  /** Without the key; the same file when there is none. */
  delete(document: number, path: YamlPath): YamlText {
    const key = path.at(-1);
    const parent = this.node(document, path.slice(0, -1));
    if (!isMap(parent) || key === undefined) return this;
    const pair = pairOf(parent, key);
    if (pair === undefined) return this;
    if (parent.flow === true) return this.deletedInFlow(parent, pair);
    const start = this.layout.lineStart(startOf(pair));
    return this.spliced(start, this.layout.endOfPair(parent, pair), '');
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
    return this.spliced(this.layout.lineStart(dash), this.layout.afterLine(this.layout.endOf(item)), '');
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
    if (list.flow === true)
      return this.spliced(last.range[1], last.range[1], `, ${flowOf(value, this.isJson)}`);
    const dash = this.text.lastIndexOf('-', first.range[0]);
    const indent = ' '.repeat(dash - this.layout.lineStart(dash));
    const [firstLine = '', ...rest] = blockOf(value).split('\n');
    const lines = [`${indent}- ${firstLine}`, ...rest.map(line => `${indent}  ${line}`)];
    return this.insertLines(this.layout.afterLine(this.layout.endOf(last)), lines);
  }

  /** The one document of a file that has only comments so far. */
  withFirstDocument(value: unknown): YamlText {
    return new YamlText(
      this.path,
      `${this.text}${this.withNewlines(blockOf(value))}${this.layout.newline()}`,
    );
  }

  /** Another document at the end of the file. */
  withDocument(value: unknown): YamlText {
    const newline = this.layout.newline();
    const base = this.text.endsWith('\n') || this.text === '' ? this.text : `${this.text}${newline}`;
    const separator = base === '' ? '' : `---${newline}`;
    return new YamlText(this.path, `${base}${separator}${this.withNewlines(blockOf(value))}${newline}`);
  }

  private inserted(parent: YAMLMap, key: string, value: unknown): YamlText {
    const last = parent.items.at(-1);
    const first = parent.items[0];
    if (parent.flow === true || last === undefined || first === undefined) {
      const end = parent.range?.[1] ?? 0;
      const inside = this.text.slice(parent.range?.[0] ?? 0, end - 1).trimEnd();
      const comma = inside.endsWith('{') || inside.endsWith(',') ? '' : ', ';
      const at = (parent.range?.[0] ?? 0) + inside.length;
      return this.spliced(at, at, `${comma}${keyOf(key, this.isJson)}: ${flowOf(value, this.isJson)}`);
    }
    const indent = this.layout.columnOf(startOf(first));
    const lines = blockOf({ [key]: value })
      .split('\n')
      .map(line => `${indent}${line}`);
    return this.insertLines(this.layout.endOfPair(parent, last), lines);
  }

  private replaced(parent: YAMLMap, key: string | number, value: unknown): YamlText {
    const pair = pairOf(parent, key);
    if (pair === undefined) return this;
    if (parent.flow === true) return this.spliceNode(pair.value, value);
    const start = startOf(pair);
    const indent = this.layout.columnOf(start);
    const [first = '', ...rest] = blockOf({ [String(key)]: value }).split('\n');
    const lines = [first, ...rest.map(line => `${indent}${line}`)];
    const node = isNode(pair.value) ? pair.value : undefined;
    const end = node?.range ? this.layout.endOf(node) : this.layout.lineEnd(start);
    return this.spliced(start, end, lines.join(this.layout.newline()));
  }

  private spliceNode(node: unknown, value: unknown): YamlText {
    if (!isNode(node) || !node.range) return this;
    return this.spliced(node.range[0], this.layout.endOf(node), flowOf(value, this.isJson));
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

  private insertLines(at: number, lines: readonly string[]): YamlText {
    const newline = this.layout.newline();
    const atLineStart = at === 0 || this.text[at - 1] === '\n';
    return this.spliced(at, at, `${atLineStart ? '' : newline}${lines.join(newline)}${newline}`);
  }

  private withNewlines(block: string): string {
    return block.split('\n').join(this.layout.newline());
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
