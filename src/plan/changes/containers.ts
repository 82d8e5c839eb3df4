import { items, type Path, record, text } from '../../build/json.ts';

/** A container of a pod template as it is built. */
export interface Container {
  /** '' where it has none: the only one of a Knative Service. */
  readonly name: string;
  readonly list: 'containers' | 'initContainers';
  readonly index: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const LISTS = ['containers', 'initContainers'] as const;

export function containersOf(template: unknown): readonly Container[] {
  const pod = record(record(template)['spec']);
  return LISTS.flatMap(list =>
    items(pod[list]).map((item, index) => {
      const data = record(item);
      return { name: text(data['name']), list, index, data };
    }),
  );
}

/** Path of a container in a workload. */
export function pathOf({ list, index }: Container): Path {
  return ['spec', 'template', 'spec', list, index];
}
