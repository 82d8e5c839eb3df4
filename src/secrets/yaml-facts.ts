import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';

export function isKind(node: YAMLMap, document: Document.Parsed, kind: string): boolean {
  const says = (map: unknown): boolean => {
    const at = isAlias(map) ? map.resolve(document) : map;
    if (isSeq(at)) return at.items.some(says);
    if (!isMap(at)) return false;
    return at.items.some(({ key, value }) => {
      const name = nameOf(key)?.toLowerCase();
      if (name === '<<') return says(value);
      const scalar = isAlias(value) ? value.resolve(document) : value;
      return name === 'kind' && isScalar(scalar) && String(scalar.value).trim().toLowerCase() === kind;
    });
  };
  return says(node);
}

export function nameOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  // What merges is a symbol of its own.
  return typeof key.value === 'symbol' ? key.value.description : String(key.value);
}

export function aliasesIn(
  node: unknown,
): readonly { resolve(document: Document.Parsed): Node | undefined }[] {
  if (isAlias(node)) return [node];
  if (isSeq(node)) return node.items.flatMap(aliasesIn);
  return isMap(node) ? node.items.flatMap(({ value }) => aliasesIn(value)) : [];
}

/** As data; nothing where that would be endless, or goes round in a circle. */
export function plain(node: unknown, document: Document.Parsed): unknown {
  if (!isMap(node) && !isSeq(node) && !isScalar(node) && !isAlias(node)) return undefined;
  try {
    const data: unknown = node.toJS(document, { maxAliasCount: 1000 });
    JSON.stringify(data);
    return data;
  } catch {
    return undefined;
  }
}

export function lowered(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toLowerCase(), each]));
}

export function startOf(node: unknown): number | undefined {
  return rangeOf(node)?.[0];
}

export function endOf(node: unknown): number | undefined {
  return rangeOf(node)?.[1];
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)
    ? (node.range ?? undefined)
    : undefined;
}
