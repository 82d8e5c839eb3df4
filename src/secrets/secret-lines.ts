import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { contentOf, contentOfText, patchesSecret } from './secret-content.ts';
import { aliasesIn, endOf, isKind, lowered, nameOf, plain, startOf } from './yaml-facts.ts';

/** What of a text is nobody's to see. */
export interface SecretLines {
  /** 1-based; `all` where it cannot be told apart. */
  readonly lines: ReadonlySet<number> | 'all';
  /** What stands there. */
  readonly values: readonly string[];
  /** Files that a Secret is made of, and those for a ConfigMap; as written, from the folder of this one. */
  readonly feeds: { readonly secrets: readonly string[]; readonly configs: readonly string[] };
}

/** Texts within texts (a List in a patch in a Kustomization); deeper ones are hidden whole. */
const DEEPEST = 4;
/** An encrypted value (getsops/sops: stores). */
const SOPS = /ENC\[AES256_GCM,|^sops_(?:mac|version|lastmodified)\s*[=:]/m;

/**
 * Reads any YAML or JSON of a GitOps repository: Secrets (also in Lists, patches and texts within texts), what makes
 * them (secretGenerator, in any case, as Go reads keys), patches on them, and files of SOPS. Never throws; of a text
 * that cannot be read, nothing may be shown.
 */
export function secretLines(text: string, depth = 0): SecretLines {
  try {
    return read(text, depth);
  } catch {
    // Nested deeper than anything that is meant to be read, or referring to itself.
    return UNREADABLE;
  }
}

function read(text: string, depth: number): SecretLines {
  if (SOPS.test(text)) return hiddenWhole(text);
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: counter,
    merge: true,
    prettyErrors: false,
    uniqueKeys: false,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  if (documents.some(({ errors }) => errors.length > 0)) return UNREADABLE;
  const reading = new Reading(text, counter, depth);
  for (const [index, document] of documents.entries()) {
    const start = index === 0 ? 0 : (documents[index - 1]?.range[2] ?? 0);
    reading.read(document, { start, end: document.range[2] });
  }
  return reading.isSops ? hiddenWhole(text) : reading.result();
}

/** Of a file whose content becomes a Secret. */
export function hiddenWhole(text: string): SecretLines {
  return { ...UNREADABLE, values: contentOfText(text) };
}

/** Nothing of it is shown; what of it is a secret value nobody can say. */
const UNREADABLE: SecretLines = { lines: 'all', values: [], feeds: { secrets: [], configs: [] } };

interface Span {
  readonly start: number;
  readonly end: number;
}

class Reading {
  isSops = false;
  private readonly text: string;
  private readonly rows: readonly string[];
  private readonly counter: LineCounter;
  private readonly depth: number;
  private readonly lines = new Set<number>();
  private readonly values = new Set<string>();
  private readonly secrets = new Set<string>();
  private readonly configs = new Set<string>();
  private readonly seen = new Set<Node>();
  private readonly kept = new Set<Node>();

  constructor(text: string, counter: LineCounter, depth: number) {
    this.text = text;
    this.rows = text.split('\n');
    this.counter = counter;
    this.depth = depth;
  }

  read(document: Document.Parsed, whole: Span): void {
    const root = document.contents;
    if (isMap(root) && (isKind(root, document, 'secret') || isKind(root, document, 'secretgenerator'))) {
      this.hide(whole);
    }
    if (isMap(root) && root.items.some(({ key }) => nameOf(key) === 'sops')) this.isSops = true;
    if (isSeq(root) && patchesSecret(undefined, JSON.stringify(plain(root, document)) ?? ''))
      this.hide(whole);
    this.walk(root, document);
  }

  result(): SecretLines {
    return {
      lines: this.lines,
      values: [...this.values],
      feeds: { secrets: [...this.secrets], configs: [...this.configs] },
    };
  }

  private walk(node: unknown, document: Document.Parsed): void {
    if (isScalar(node)) this.embedded(node, document);
    if (!isMap(node) && !isSeq(node)) return;
    if (this.seen.has(node)) return;
    this.seen.add(node);
    if (isSeq(node)) {
      for (const item of node.items) this.walk(item, document);
      return;
    }
    if (isKind(node, document, 'secret')) this.keep(node, node, document);
    else if (isKind(node, document, 'secretgenerator')) this.generates(node, node, document);
    else if (!this.isPatchOfSecret(node, document)) {
      if (isKind(node, document, 'configmapgenerator')) addPaths(this.configs, plain(node, document));
      for (const pair of node.items) this.field(pair, document);
    }
  }

  private field(pair: Pair, document: Document.Parsed): void {
    const name = nameOf(pair.key)?.toLowerCase();
    if (name === 'secretgenerator') {
      this.generates(pair.key, pair.value, document);
      return;
    }
    if (name === 'configmapgenerator') addPaths(this.configs, plain(pair.value, document));
    this.walk(pair.value, document);
  }

  /** A node and what it refers to, which may be written somewhere else (an alias, a merged map). */
  private keep(from: unknown, node: unknown, document: Document.Parsed): void {
    this.hide({ start: startOf(from) ?? startOf(node) ?? 0, end: endOf(node) ?? endOf(from) ?? 0 });
    for (const alias of aliasesIn(node)) {
      const source = alias.resolve(document);
      if (source && !this.kept.has(source)) {
        this.kept.add(source);
        this.keep(source, source, document);
      }
    }
    for (const value of contentOf(plain(node, document))) this.values.add(value);
  }

  private generates(from: unknown, node: unknown, document: Document.Parsed): void {
    this.keep(from, node, document);
    addPaths(this.secrets, plain(node, document));
  }

  /** `{target, patch}` and `{target, path}` of a kustomization, of a transformer, or of a Kustomization of Flux. */
  private isPatchOfSecret(node: YAMLMap, document: Document.Parsed): boolean {
    const { target, patch, path } = lowered(plain(node, document));
    if (typeof target !== 'object' || target === null) return false;
    const kind = lowered(target)['kind'];
    const aims = patchesSecret(typeof kind === 'string' ? kind : undefined, String(patch ?? ''));
    if (!aims) return false;
    this.keep(node, undefined, document);
    if (typeof patch === 'string') for (const value of contentOfText(patch)) this.values.add(value);
    if (typeof path === 'string') this.secrets.add(path);
    return true;
  }

  /** A manifest in a text: an inline patch, an inline generator, a file in a ConfigMap. */
  private embedded(node: { readonly value: unknown } & object, document: Document.Parsed): void {
    const { value } = node;
    if (typeof value !== 'string' || !/\n|^\s*[[{]/.test(value)) return;
    if (!/secret|sops|\\[xuU]/i.test(value)) return;
    const inner = this.depth >= DEEPEST ? hiddenWhole(value) : secretLines(value, this.depth + 1);
    for (const path of inner.feeds.secrets) this.secrets.add(path);
    for (const path of inner.feeds.configs) this.configs.add(path);
    if (inner.lines !== 'all' && inner.lines.size === 0) return;
    this.keep(node, undefined, document);
    for (const each of inner.values) this.values.add(each);
  }

  /** Whole lines, and the remarks around them: what was commented out is no less secret. */
  private hide({ start, end }: Span): void {
    let first = this.counter.linePos(start).line;
    let last = this.counter.linePos(Math.max(start, this.trimmedEnd(start, end) - 1)).line;
    while (first > 1 && isRemark(this.rows[first - 2])) first -= 1;
    while (last < this.rows.length && isRemark(this.rows[last])) last += 1;
    for (let line = first; line <= last; line += 1) this.lines.add(line);
  }

  private trimmedEnd(start: number, end: number): number {
    return start + this.text.slice(start, end).trimEnd().length;
  }
}

function isRemark(row: string | undefined): boolean {
  return row !== undefined && /^\s*#/.test(row);
}

/** Every text in a generator may be a path, or `key=path`: to take one for a path that is none costs nothing. */
function addPaths(paths: Set<string>, value: unknown): void {
  if (typeof value === 'string') {
    paths.add(value);
    if (value.includes('=')) paths.add(value.slice(value.indexOf('=') + 1));
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) addPaths(paths, each);
  }
}
