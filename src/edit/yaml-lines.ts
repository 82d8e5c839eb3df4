import { isScalar, type Node, type Pair, type YAMLMap } from 'yaml';
import { isNode, lastLeaf, startOf } from './yaml-nodes.ts';

/** Where the lines of a text, and what is written in them, begin and end. Offsets are UTF-16 units. */
export class YamlLines {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The offset after a pair of a block map: its value's lines, trailing comment and line end included. */
  endOfPair(parent: YAMLMap, pair: Pair): number {
    if (isNode(pair.value) && pair.value.range) return this.afterLine(this.endOf(pair.value));
    const key = isNode(pair.key) ? pair.key.range?.[1] : undefined;
    return this.afterLine(this.trimmedEnd(startOf(pair), key ?? parent.range?.[1] ?? 0));
  }

  /** After a node's last character. What looks like a comment within a block of text belongs to it. */
  endOf(node: Node): number {
    const leaf = lastLeaf(node);
    const [start = 0, end = 0] = node.range ?? [];
    if (!isScalar(leaf) || !leaf.range || !leaf.type?.startsWith('BLOCK_'))
      return this.trimmedEnd(start, end);
    const text = this.text.slice(0, leaf.range[1]);
    return /^\S*\+/.test(this.text.slice(leaf.range[0]))
      ? text.replace(/\r?\n$/, '').length
      : text.trimEnd().length;
  }

  afterLine(offset: number): number {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end + 1;
  }

  lineEnd(offset: number): number {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end;
  }

  lineStart(offset: number): number {
    return this.text.lastIndexOf('\n', offset - 1) + 1;
  }

  /** The indentation of a key: a key that follows a dash stands where blanks would. */
  columnOf(offset: number): string {
    return ' '.repeat(offset - this.lineStart(offset));
  }

  newline(): string {
    return this.text.includes('\r\n') ? '\r\n' : '\n';
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
}
