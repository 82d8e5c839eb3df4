import type { TargetRef } from '../rollout/target.ts';
import { CLUSTER_RIGHTS, type ClusterRight, type Occasion, type Place } from './cluster-rights.ts';

/** A right where it is needed; without a namespace: in all of them. */
export interface NeededRight extends ClusterRight {
  readonly namespace: string | undefined;
}

/** What is known of a rollout that rights depend on. */
export interface RightsScope {
  readonly targets: readonly Pick<TargetRef, 'kind' | 'namespace'>[];
  readonly occasions: ReadonlySet<Occasion>;
  /** Namespaces of what delivers the targets, and of the Service that serves Flagger's metrics. */
  readonly places: Readonly<Partial<Record<Exclude<Place, 'target' | 'everywhere'>, readonly string[]>>>;
  /** Names that rights are narrowed to, where they are others than in the table. */
  readonly names: Readonly<Partial<Record<Place, readonly string[]>>>;
  /** Objects that `at` changes name. */
  readonly objects: readonly Pick<NeededRight, 'group' | 'resource' | 'namespace'>[];
}

/** The rights of one rollout, each once. */
export function rightsFor(scope: RightsScope): readonly NeededRight[] {
  const fromTable = CLUSTER_RIGHTS.flatMap(right =>
    namespacesOf(right, scope).map(namespace => {
      const names = right.names && (scope.names[right.place] ?? right.names);
      return { ...right, ...(names === undefined ? {} : { names }), namespace };
    }),
  );
  const named = scope.objects.map(
    (object): NeededRight => ({
      ...object,
      verbs: ['get'],
      place: 'target',
      on: 'always',
      purpose: 'the live value of a field that rollout.yaml changes',
    }),
  );
  return [...fromTable, ...named];
}

function namespacesOf(right: ClusterRight, scope: RightsScope): readonly (string | undefined)[] {
  const { place, on } = right;
  if (on === 'Deployment' || on === 'DaemonSet' || on === 'Service') {
    return unique(scope.targets.filter(({ kind }) => kind === on).map(({ namespace }) => namespace));
  }
  if (on !== 'always' && !scope.occasions.has(on)) return [];
  if (place === 'everywhere') return [undefined];
  if (place === 'target') return unique(scope.targets.map(({ namespace }) => namespace));
  return unique(scope.places[place] ?? []);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

/** A rule of a Role. */
export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Rights of one namespace as the rules of a Role: one for each resource, its verbs together. */
export function rulesOf(rights: readonly ClusterRight[]): readonly RbacRule[] {
  const rules = new Map<string, RbacRule>();
  for (const { group, resource, names, verbs } of rights) {
    const key = JSON.stringify([group, resource, names]);
    const known = rules.get(key)?.verbs ?? [];
    rules.set(key, {
      apiGroups: [group],
      resources: [resource],
      ...(names === undefined ? {} : { resourceNames: names }),
      verbs: [...new Set([...known, ...verbs])],
    });
  }
  return [...rules.values()];
}

/** By namespace; `undefined` is the whole cluster. */
export function byNamespace(
  rights: readonly NeededRight[],
): ReadonlyMap<string | undefined, readonly NeededRight[]> {
  const namespaces = [...new Set(rights.map(({ namespace }) => namespace))];
  return new Map(
    namespaces.map(namespace => [namespace, rights.filter(each => each.namespace === namespace)]),
  );
}

/** `- {apiGroups: [apps], resources: [deployments], verbs: [get]}`, as it stands under `rules:` of a Role. */
export function ruleLine({ apiGroups, resources, resourceNames, verbs }: RbacRule): string {
  const list = (items: readonly string[]) => `[${items.map(quoted).join(', ')}]`;
  const names = resourceNames === undefined ? '' : `, resourceNames: ${list(resourceNames)}`;
  return `- {apiGroups: ${list(apiGroups)}, resources: ${list(resources)}${names}, verbs: ${list(verbs)}}`;
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `"${text}"`;
}

/** The lines that a set of missing rights needs, for each namespace. */
export function linesToAdd(missing: readonly NeededRight[]): readonly string[] {
  return [...byNamespace(missing)].flatMap(([namespace, rights]) => [
    namespace === undefined ? 'rules of a ClusterRole:' : `rules of a Role in ${namespace}:`,
    ...rulesOf(rights).map(ruleLine),
  ]);
}
