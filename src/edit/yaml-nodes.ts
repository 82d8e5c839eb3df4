import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';

/** What an alias stands for; anything else is itself. */
export function resolved(document: Document.Parsed | undefined, node: unknown): unknown {
  return isAlias(node) && document ? node.resolve(document) : node;
}

/** What a map takes from those that are merged into it (`<<`). */
export function mergedValue(
  document: Document.Parsed | undefined,
  map: YAMLMap,
  key: string | number,
): unknown {
  for (const { key: name, value } of map.items) {
    if (!isScalar(name) || (name.value !== '<<' && name.source !== '<<')) continue;
    const from = resolved(document, value);
    for (const each of isSeq(from) ? from.items : [from]) {
      const source = resolved(document, each);
      const found: unknown = isMap(source) ? source.get(key, true) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  return map.items.find(item => isScalar(item.key) && String(item.key.value) === String(key));
}

/** What a collection ends with. */
export function lastLeaf(node: Node): Node {
  const last = isMap(node)
    ? (node.items.at(-1)?.value ?? undefined)
    : isSeq(node)
      ? node.items.at(-1)
      : undefined;
  return isNode(last) && last.range ? lastLeaf(last) : node;
}

export function startOf(pair: Pair): number {
  return (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? 0;
}

export function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}
