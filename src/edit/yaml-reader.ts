import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { Refusal } from '../rollout/verdict.ts';
import type { YamlPath } from './yaml-leaves.ts';
import { isNode, mergedValue, resolved } from './yaml-nodes.ts';
import { wordsOfError } from './yaml-words.ts';

/** A YAML file, its nodes and where they stand. */
export class YamlReader {
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
      throw new Refusal(
        'unsupported-file',
        `${path}:${line} is no YAML that we can read: ${wordsOfError(error)}`,
        {
          remedy: 'Mend the file, or take it out of what Flux builds.',
        },
      );
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
}
