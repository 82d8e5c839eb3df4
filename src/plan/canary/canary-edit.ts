import { objectsIn } from '../tree/manifests.ts';
import { record } from '../../build/json.ts';
import type { YamlPath, YamlText } from '../../edit/yaml-text.ts';

/** Providers whose traffic goes through an Ingress; only for them `ingressRef` means anything. */
const INGRESS_PROVIDERS = ['nginx', 'skipper'];
/** Fields of `analysis` that exclude each other (Flagger CRD; scheduler.go decides by what is there). */
const WEIGHTED = ['stepWeight', 'stepWeights', 'maxWeight', 'stepWeightPromotion'];
const ITERATED = ['match', 'iterations'];

/** A Canary's spec with what rollout.yaml asks for, as plain data. */
export function canarySpec(
  spec: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...spec };
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) delete merged[key];
    else
      merged[key] =
        key === 'analysis' || key === 'service' ? mergedMap(record(merged[key]), record(value)) : value;
  }
  if (wanted['analysis'] !== undefined)
    merged['analysis'] = exclusive(record(merged['analysis']), record(wanted['analysis']));
  const provider = merged['provider'];
  const ingressIsStale =
    wanted['provider'] !== undefined &&
    wanted['ingressRef'] === undefined &&
    typeof provider === 'string' &&
    !INGRESS_PROVIDERS.includes(provider);
  if (ingressIsStale) delete merged['ingressRef'];
  return merged;
}

function mergedMap(
  old: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const all = { ...old, ...wanted };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** Asking for one strategy takes the fields of the other ones away. */
function exclusive(
  analysis: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const asks = (fields: readonly string[]) =>
    fields.some(field => wanted[field] !== undefined && wanted[field] !== null);
  const weighted = asks(WEIGHTED);
  const iterated = asks(ITERATED);
  const dropped = [
    ...(weighted && !iterated ? ITERATED : []),
    ...(iterated && !weighted ? WEIGHTED : []),
    // Blue/green has iterations without matches.
    ...(wanted['iterations'] !== undefined && wanted['match'] === null ? ['match'] : []),
    ...(wanted['stepWeights'] !== undefined
      ? ['stepWeight', 'maxWeight'].filter(field => wanted[field] === undefined)
      : []),
    ...(wanted['stepWeight'] !== undefined && wanted['stepWeights'] === undefined ? ['stepWeights'] : []),
  ];
  return Object.fromEntries(Object.entries(analysis).filter(([key]) => !dropped.includes(key)));
}

/**
 * Brings a Canary's document to a spec, touching only the fields that differ; all else stays as it is written.
 */
export function editCanary(
  file: YamlText,
  on: { readonly document: number; readonly root: YamlPath },
  wanted: Readonly<Record<string, unknown>>,
): YamlText {
  return bring(file, {
    document: on.document,
    path: [...on.root, 'spec'],
    from: record(record(dataAt(file, on))['spec']),
    to: wanted,
    depth: 2,
  });
}

function dataAt(file: YamlText, on: { readonly document: number; readonly root: YamlPath }): unknown {
  const found = objectsIn(file).find(
    ({ document, root }) => document === on.document && root.join() === on.root.join(),
  );
  return found?.data;
}

interface Bringing {
  readonly document: number;
  readonly path: YamlPath;
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
  /** How many levels of maps are gone into, key by key; below them values are replaced whole. */
  readonly depth: number;
}

function bring(file: YamlText, on: Bringing): YamlText {
  const { document, path, from, to, depth } = on;
  let edited = file;
  for (const [key, value] of Object.entries(to)) {
    const old = from[key];
    if (same(old, value)) continue;
    const nested = depth > 0 && isMap(old) && isMap(value);
    edited = nested
      ? bring(edited, {
          document,
          path: [...path, key],
          from: record(old),
          to: record(value),
          depth: depth - 1,
        })
      : edited.set(document, [...path, key], value);
  }
  for (const key of Object.keys(from)) {
    if (!(key in to)) edited = edited.delete(document, [...path, key]);
  }
  return edited;
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(record(value))
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
