import { items, type Path, record, text } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { Change } from '../../config/settings.ts';
import { scalarAt, writePlace } from '../../edit/places.ts';
import { splitImage } from '../../rollout/live-value.ts';
import { type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { identity } from '../differences.ts';
import type { Applied } from '../tree/applied.ts';
import type { FluxTree } from '../tree/flux-tree.ts';
import { filesBehind, type Origin } from '../tree/origins.ts';
import { type Container, containersOf, pathOf } from './containers.ts';
import { findIn, type ValueChange } from './env-and-arg.ts';
import { type ImageChange, imageReference, renamedIn, versionTokens, writeImage } from './images.ts';
import { type Apart, type Ground, notFound, type WantedField } from './wanted.ts';

/** A target whose pod template is in a build. */
export interface Workload {
  readonly target: TargetRef;
  readonly of: Applied;
  readonly object: BuiltObject;
  /** Where it is written, for people. */
  readonly where: string;
  /** Where it comes from, when that is no file of this repository. */
  readonly elsewhere?: string;
  /** Ways to set a field for this environment alone. */
  readonly apart: (on: ApartOn, ground: Ground) => Promise<readonly Apart[]>;
}

export interface ApartOn {
  readonly change: TemplateChange;
  readonly container: Container;
  /** In the container. */
  readonly field: Path;
  /** The target has no other container. */
  readonly isOnly: boolean;
  /** As it is built, and as it shall be. */
  readonly current: string;
  readonly wanted: string;
}

export type TemplateChange = Extract<Change, { kind: 'image' | 'env' | 'arg' }>;

/** The fields of a pod template that a change asks other values for. @throws Refusal. */
export async function fieldsOf(
  change: Extract<Change, { kind: 'image' | 'env' | 'arg' | 'chart' }>,
  on: Workload,
  tree: FluxTree,
): Promise<readonly WantedField[]> {
  switch (change.kind) {
    case 'image':
      return await imageFields(change, on, tree);
    case 'env':
    case 'arg':
      return [valueField(change, on)];
    case 'chart':
      throw missing(change, on, 'no HelmRelease brings it, so that it has no chart');
  }
}

async function imageFields(
  change: ImageChange,
  on: Workload,
  tree: FluxTree,
): Promise<readonly WantedField[]> {
  const images = containersOf(template(on)).flatMap(container => {
    const image = text(container.data['image']);
    return image === '' ? [] : [{ container, image, ...splitImage(image) }];
  });
  const fitting = (names: readonly string[]) =>
    images.filter(
      ({ container, repository }) =>
        names.includes(repository) && (change.container === undefined || container.name === change.container),
    );
  const direct = fitting([change.repository]);
  const wanted = direct.length > 0 ? direct : fitting(await renamed(change.repository, on, tree));
  if (wanted.length === 0) {
    const seen = images.map(
      ({ container, repository, version }) => `${container.name}: ${repository}:${version}`,
    );
    throw missing(
      change,
      on,
      `no container has the image ${change.repository}; it has ${seen.join(', ') || 'none'}`,
    );
  }
  const versions = new Set(wanted.map(({ version }) => version));
  if (versions.size > 1) {
    const seen = wanted.map(({ container, version }) => `${container.name}: ${version}`);
    throw new Refusal(
      'change-ambiguous',
      `${change.repository} is in several containers of ${targetKey(on.target)}, at different versions (${seen.join(', ')}); which one is meant at ${change.position.file}:${change.position.line}?`,
      { remedy: `Say container: in ${change.position.file}:${change.position.line}.` },
    );
  }
  return wanted.map(({ container, image, repository, version }) => {
    const as = change.newRepository ?? repository;
    const expectation = { kind: 'image', target: targetKey(on.target), ...named(container) } as const;
    return {
      ...common(change, on, {
        container,
        field: ['image'],
        current: image,
        wanted: imageReference(as, change.version),
      }),
      tokens: versionTokens(repository, version),
      words: {
        change: `image ${repository}`,
        current: version,
        requested: change.newRepository === undefined ? change.version : `${as}:${change.version}`,
      },
      expectation: { ...expectation, repository: as, version: change.version },
      currentExpectation: { ...expectation, repository, version },
      inPlace: (ground, origin) => writeImage(ground, origin, { change, repository }),
    };
  });
}

/** What images entries of the files behind it make of a name. */
async function renamed(name: string, { of }: Workload, tree: FluxTree): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of await filesBehind(tree, of)) {
    found.push(...renamedIn(path, (await tree.text(path)) ?? '', name));
  }
  return found;
}

function valueField(change: ValueChange, on: Workload): WantedField {
  const container = chosenContainer(change, on);
  const found = findIn(container, change);
  const name = change.kind === 'env' ? change.env : change.arg;
  if (found === undefined) {
    const entries =
      change.kind === 'env'
        ? items(container.data['env']).map(entry => text(record(entry)['name']))
        : items(container.data['args']).map(text);
    throw missing(
      change,
      on,
      `container ${container.name} has no ${change.kind} ${name}; it has ${entries.join(', ') || 'none'}`,
    );
  }
  if (found.indirect !== undefined) {
    throw missing(change, on, `${name} comes from ${found.indirect} (${on.where}), not from a value`);
  }
  const { before, field } = found;
  // A block of text ends in a line end, which nobody means.
  const end = found.value.endsWith('\n') && !change.value.includes('\n') ? '\n' : '';
  const value = found.value;
  const wanted = `${change.value}${end}`;
  const expectation = { kind: change.kind, target: targetKey(on.target), ...named(container), name } as const;
  const [token, replacement] = value === '' ? [before, `${before}${wanted}`] : [value, wanted];
  return {
    ...common(change, on, {
      container,
      field,
      current: `${before}${value}`,
      wanted: `${before}${wanted}`,
    }),
    tokens: [token],
    words: {
      change: `${change.kind} ${name}`,
      current: value.slice(0, value.length - end.length),
      requested: change.value,
    },
    expectation: { ...expectation, value: wanted },
    currentExpectation: { ...expectation, value },
    inPlace: (ground, origin) => writeValue(ground, origin, replacement),
  };
}

function common(change: TemplateChange, on: Workload, at: Omit<ApartOn, 'change' | 'isOnly'>) {
  const isOnly = containersOf(template(on)).length === 1;
  const path = [...pathOf(at.container), ...at.field];
  return {
    of: on.of,
    // By names: a merge may put the items of a list into another order.
    read: (objects: readonly BuiltObject[]) => {
      const object = objects.find(each => identity(each) === identity(on.object));
      const own = containersOf(record(object?.data['spec'])['template']).filter(
        ({ list }) => list === at.container.list,
      );
      const { name, index } = at.container;
      const container = own.find(each => (name === '' ? each.index === index : each.name === name));
      if (!container || change.kind === 'image') return container?.data['image'];
      const found = findIn(container, change);
      return found && `${found.before}${found.value}`;
    },
    change,
    target: targetKey(on.target),
    object: on.object,
    path,
    wanted: at.wanted,
    isThere: at.current === at.wanted,
    apart: (ground: Ground) => on.apart({ ...at, change, isOnly }, ground),
    ...(on.elsewhere === undefined ? {} : { elsewhere: on.elsewhere }),
  };
}

/** Another value at each place that sets the one that is there. */
export async function writeValue({ tree, edits }: Ground, { dyes }: Origin, value: string): Promise<void> {
  for (const { place, token } of dyes) {
    const content = (await tree.text(place.file)) ?? '';
    const now = scalarAt(edits.textOf(place.file) ?? content, place)?.value;
    if (now?.slice(place.from, place.to) === token) writePlace(edits, place, value, content);
  }
}

function chosenContainer(change: ValueChange, on: Workload): Container {
  const every = containersOf(template(on));
  const all = every.filter(({ list }) => list === 'containers');
  const names = all.map(({ name }) => name).join(', ');
  if (change.container !== undefined) {
    const one = every.find(({ name }) => name === change.container);
    if (one) return one;
    throw missing(change, on, `there is no container ${change.container}; there are ${names}`);
  }
  const [only] = all;
  if (all.length === 1 && only) return only;
  const having = all.filter(container => findIn(container, change) !== undefined);
  const [one] = having;
  if (having.length === 1 && one) return one;
  throw new Refusal(
    'change-ambiguous',
    `${targetKey(on.target)} has the containers ${names}; which one is meant by ${change.name}?`,
    { remedy: `Say container: in ${change.position.file}:${change.position.line}.` },
  );
}

/** The only container of a Knative Service needs no name; Knative gives it one in the cluster. */
function named({ name }: Container): { readonly container?: string } {
  return name === '' ? {} : { container: name };
}

function template({ object }: Workload): unknown {
  return record(object.data['spec'])['template'];
}

function missing(change: Change, { target, where }: Workload, what: string): Refusal {
  return notFound(change, { target: targetKey(target), where }, what);
}
