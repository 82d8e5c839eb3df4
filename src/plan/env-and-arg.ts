import type { Change } from '../config/settings.ts';
import { type ContainerPatch, containerPatches, type ContainerSite, placeInManifest } from './containers.ts';
import { items, patchesFor, record, text } from './patch-reach.ts';
import { readPlace, type ValuePlace } from './value-setter.ts';
import type { YamlPath } from '../edit/yaml-text.ts';

/** Where a value stands that the build takes, and what is around it there (`--ui-logo=`). */
export interface FoundPlace {
  readonly place: ValuePlace;
  readonly value: string;
  /** What must stand before the value in the same string. */
  readonly before: string;
  readonly container: ContainerSite;
  /** Where it is in the built container: ['args', 2]; undefined when that cannot be told (appended by a patch). */
  readonly entry?: YamlPath;
  /** Set in a way that cannot be edited as a value (valueFrom). */
  readonly indirect?: string;
}

type Query = Extract<Change, { kind: 'env' | 'arg' }>;

/** The last one to set the value wins: the manifest, then the patches from the inside out. */
export function findInContainer(container: ContainerSite, query: Query): FoundPlace | undefined {
  const { site } = container;
  let found = inData(container, query, container.data, path => placeInManifest(container, path));
  // The lists as they are when the next patch is applied: operations count in them.
  let data = container.data;
  for (const layer of site.layers.toReversed()) {
    for (const patch of patchesFor(layer, site)) {
      for (const part of containerPatches(patch, container)) {
        const place = (path: ValuePlace['path']) => patch.place([...part.at, ...path]);
        const now = inPatch({ ...container, data }, query, part, place);
        found = now ? { ...now, container } : found;
        if (part.kind === 'merge') data = { ...data, ...listsOf(part.data) };
      }
    }
  }
  return found;
}

/** Strategic merge replaces lists of strings; `env` is merged by name, and its order is of no meaning here. */
function listsOf({ args, command }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...(Array.isArray(args) ? { args } : {}), ...(Array.isArray(command) ? { command } : {}) };
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
    return asFound(container, place(field === 'value' ? [] : ['value']), { before: '' });
  }
  if (query.kind === 'arg' && (list === 'args' || list === 'command')) {
    const entry = /^\d+$/.test(index) ? [list, Number(index)] : undefined;
    if (text(part.value).startsWith(`${query.arg}=`))
      return asFound(container, place([]), { before: `${query.arg}=`, entry });
    const previous = items(container.data[list]).at(Number(index) - 1);
    const isValue = Number(index) > 0 && previous === query.arg;
    return isValue ? asFound(container, place([]), { before: '', entry }) : undefined;
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
    const found = asFound(container, place(['env', index, 'value']), { before: '' });
    return 'valueFrom' in entry ? { ...found, indirect: JSON.stringify(entry['valueFrom']) } : found;
  }
  for (const list of ['args', 'command']) {
    const strings = items(data[list]).map(text);
    const joined = strings.findLastIndex(item => item.startsWith(`${query.arg}=`));
    const alone = strings.lastIndexOf(query.arg);
    if (joined >= 0)
      return asFound(container, place([list, joined]), { before: `${query.arg}=`, entry: [list, joined] });
    if (alone >= 0 && alone + 1 < strings.length)
      return asFound(container, place([list, alone + 1]), { before: '', entry: [list, alone + 1] });
  }
  return undefined;
}

function asFound(
  container: ContainerSite,
  place: ValuePlace,
  on: { readonly before: string; readonly entry?: YamlPath | undefined },
): FoundPlace {
  const { before, entry } = on;
  const value = (readPlace(place) ?? '').slice(before.length);
  return { place, value, before, container, ...(entry ? { entry } : {}) };
}
