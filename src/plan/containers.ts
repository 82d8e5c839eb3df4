import { isShared, type Site } from './locate.ts';
import { items, type ReachingPatch, record, text } from './patch-reach.ts';
import type { ValuePlace } from './value-setter.ts';
import type { YamlPath } from '../edit/yaml-text.ts';

/** A container of a target's pod template, as its manifest has it. */
export interface ContainerSite {
  readonly name: string;
  readonly list: 'containers' | 'initContainers';
  readonly index: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly site: Site;
}

const POD_SPEC = ['spec', 'template', 'spec'] as const;
const LISTS = ['containers', 'initContainers'] as const;

export function containersOf(site: Site): readonly ContainerSite[] {
  const pod = record(record(record(site.data['spec'])['template'])['spec']);
  return LISTS.flatMap(list =>
    items(pod[list]).map((item, index) => {
      const data = record(item);
      return { name: text(data['name']), list, index, data, site };
    }),
  );
}

export function placeInManifest(container: ContainerSite, path: YamlPath): ValuePlace {
  const { site, list, index } = container;
  return {
    file: site.file,
    document: site.document,
    path: [...site.root, ...POD_SPEC, list, index, ...path],
    shared: isShared(site),
    ...(site.live ? { foreign: site.live.from } : {}),
  };
}

/** What a patch says of a container: the fragment of a strategic merge, or operations below its JSON pointer. */
export type ContainerPatch =
  | { readonly kind: 'merge'; readonly data: Readonly<Record<string, unknown>>; readonly at: YamlPath }
  | {
      readonly kind: 'operation';
      readonly pointer: readonly string[];
      readonly value: unknown;
      readonly at: YamlPath;
    };

export function containerPatches(patch: ReachingPatch, container: ContainerSite): readonly ContainerPatch[] {
  if (Array.isArray(patch.content)) return operations(patch.content, container);
  const pod = record(record(record(record(patch.content)['spec'])['template'])['spec']);
  return items(pod[container.list]).flatMap((item, index): readonly ContainerPatch[] => {
    const data = record(item);
    if (text(data['name']) !== container.name) return [];
    return [{ kind: 'merge', data, at: [...POD_SPEC, container.list, index] }];
  });
}

/** Operations on the container, below it, or on the whole list that holds it. */
function operations(content: readonly unknown[], container: ContainerSite): readonly ContainerPatch[] {
  const prefix = ['', ...POD_SPEC, container.list, String(container.index)];
  return content.flatMap((item, index): readonly ContainerPatch[] => {
    const operation = record(item);
    const op = text(operation['op']);
    if (op !== 'replace' && op !== 'add') return [];
    const parts = text(operation['path'])
      .split('/')
      .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const value = operation['value'];
    const at: YamlPath = [index, 'value'];
    if (op === 'replace' && parts.join('/') === prefix.slice(0, -1).join('/')) {
      const place = items(value).findIndex(each => text(record(each)['name']) === container.name);
      return place < 0 ? [] : [{ kind: 'merge', data: record(items(value)[place]), at: [...at, place] }];
    }
    if (!prefix.every((part, depth) => parts[depth] === part)) return [];
    const pointer = parts.slice(prefix.length);
    if (pointer.length > 0) return [{ kind: 'operation', pointer, value, at }];
    // `add` at the place of a container puts another one before it.
    return op === 'replace' ? [{ kind: 'merge', data: record(value), at }] : [];
  });
}
