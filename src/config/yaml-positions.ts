import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Position } from './settings.ts';

type Path = readonly PropertyKey[];

/** A YAML file with the position of everything in it. Lines and columns are 1-based. */
export class YamlPositions {
  readonly document: Document.Parsed;
  private readonly lines = new LineCounter();
  private readonly file: string;
  private readonly text: string;

  constructor(text: string, file: string) {
    this.file = file;
    this.text = text.replace(/^\uFEFF/, '');
    this.document = parseDocument(this.text, {
      lineCounter: this.lines,
      prettyErrors: false,
      uniqueKeys: true,
    });
  }

  at(offset: number): Position {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** A line of the file, by its 1-based number. */
  lineText(line: number): string {
    return this.text.split(/\r?\n/)[line - 1] ?? '';
  }

  /** The word that begins at an offset. */
  textAt(offset: number): string {
    return (
      /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,{}[\]]+)/.exec(this.text.slice(offset, offset + 200))?.[0] ?? 'A field'
    );
  }

  /** Of the value at a path, or of the nearest node above that exists. */
  of(path: Path): Position {
    let node: unknown = this.document.contents;
    let offset = start(node) ?? 0;
    for (const key of path) {
      const next = child(node, key);
      if (next === undefined) break;
      offset = start(next) ?? offset;
      node = next;
    }
    return this.at(offset);
  }

  /** Of a key in the map at a path. */
  ofKey(path: Path, key: string): Position {
    const map = path.reduce<unknown>((node, part) => child(node, part), this.document.contents);
    if (!isMap(map)) return this.of(path);
    const pair = map.items.find(item => isScalar(item.key) && String(item.key.value) === key);
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    return offset === undefined ? this.of(path) : this.at(offset);
  }

  /** A scalar as it is written (`1.10`, not 1.1); undefined when the path leads to none. */
  source(path: Path): string | undefined {
    const node = path.reduce<unknown>((at, part) => child(at, part), this.document.contents);
    if (!isScalar(node)) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }
}

function child(node: unknown, key: PropertyKey): unknown {
  if (isMap(node)) return node.get(String(key), true);
  if (isSeq(node)) return node.get(Number(key), true);
  return undefined;
}

function start(node: unknown): number | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range?.[0];
}
