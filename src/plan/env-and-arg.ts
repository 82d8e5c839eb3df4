import type { Change } from '../config/settings.ts';
import { type ContainerPatch, containerPatches, type ContainerSite, placeInManifest } from './containers.ts';
import { items, patchesFor, record, text } from './patch-reach.ts';
import { readPlace, type ValuePlace } from './value-setter.ts';

/** Where a value stands that the build takes, and what is around it there (`--ui-logo=`). */
export interface FoundPlace {
  readonly place: ValuePlace;
  readonly value: string;
  /** What must stand before the value in the same string. */
  readonly before: string;
  readonly container: ContainerSite;
  /** Set in a way that cannot be edited as a value (valueFrom). */
  readonly indirect?: string;
}

type Query = Extract<Change, { kind: 'env' | 'arg' }>;

/** The last one to set the value wins: the manifest, then the patches from the inside out. */
export function findInContainer(container: ContainerSite, query: Query): FoundPlace | undefined {
  const { site } = container;
  let found = inData(container, query, container.data, path => placeInManifest(container, path));
  for (const layer of site.layers.toReversed()) {
    for (const patch of patchesFor(layer, site)) {
      for (const part of containerPatches(patch, container)) {
        const place = (path: ValuePlace['path']) => patch.place([...part.at, ...path]);
        found = inPatch(container, query, part, place) ?? found;
      }
    }
  }
  return found;
}

type Placing = (path: ValuePlace['path']) => ValuePlace;

function inPatch(
  container: ContainerSite,
  query: Query,
  part: ContainerPatch,
  place: Placing,
): FoundPlace | undefined {
  if (part.kind === 'merge') return inData(container, query, part.data, place);
  const [list = '', index, field] = part.pointer;
  if (index === undefined)
    return inData(container, query, { [list]: part.value }, path => place(path.slice(1)));
  if (query.kind === 'env' && list === 'env') {
    const name = field === 'value' ? nameAt(container, index) : text(record(part.value)['name']);
    if (name !== query.env) return undefined;
    return asFound(container, place(field === 'value' ? [] : ['value']), '');
  }
  if (query.kind === 'arg' && (list === 'args' || list === 'command')) {
    return text(part.value).startsWith(`${query.arg}=`)
      ? asFound(container, place([]), `${query.arg}=`)
      : undefined;
  }
  return undefined;
}

function nameAt(container: ContainerSite, index: string): string {
  return text(record(items(container.data['env'])[Number(index)])['name']);
}

function inData(
  container: ContainerSite,
  query: Query,
  data: Readonly<Record<string, unknown>>,
  place: Placing,
): FoundPlace | undefined {
  if (query.kind === 'env') {
    const index = items(data['env']).findLastIndex(entry => text(record(entry)['name']) === query.env);
    if (index < 0) return undefined;
    const entry = record(items(data['env'])[index]);
    const found = asFound(container, place(['env', index, 'value']), '');
    return 'valueFrom' in entry ? { ...found, indirect: JSON.stringify(entry['valueFrom']) } : found;
  }
  for (const list of ['args', 'command']) {
    const strings = items(data[list]).map(text);
    const joined = strings.findLastIndex(item => item.startsWith(`${query.arg}=`));
    if (joined >= 0) return asFound(container, place([list, joined]), `${query.arg}=`);
    const alone = strings.lastIndexOf(query.arg);
    if (alone >= 0 && alone + 1 < strings.length) return asFound(container, place([list, alone + 1]), '');
  }
  return undefined;
}

function asFound(container: ContainerSite, place: ValuePlace, before: string): FoundPlace {
  const written = readPlace(place) ?? '';
  return { place, value: written.slice(before.length), before, container };
}
