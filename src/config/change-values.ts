import { splitImage } from '../rollout/live-value.ts';
import { nearest } from './nearest.ts';
import type { ChangeYaml } from './rollout-schema.ts';
import type { Change, ConfigProblem, Inputs, Position } from './settings.ts';

export interface NamedChange {
  /** In `change` of rollout.yaml. */
  readonly index: number;
  readonly yaml: ChangeYaml;
  readonly in: Change['in'];
  readonly position: Position;
  /** As the file gives it. */
  readonly value?: string;
}

/**
 * Each change's value: the step's `set` wins over the file. A `set` that means nothing, or two things, is a problem,
 * and so is a change without a value where values are needed.
 */
export function changeValues(
  changes: readonly NamedChange[],
  set: Inputs['set'],
  on: { readonly valuesNeeded: boolean; readonly placeholder?: string | undefined } = { valuesNeeded: true },
): { readonly values: ReadonlyMap<number, string>; readonly problems: readonly ConfigProblem[] } {
  const values = new Map<number, string>();
  /** By which name. */
  const given = new Map<number, string>();
  const mistyped = new Set<string>();
  const problems: ConfigProblem[] = [];
  const images = changes.filter(({ yaml }) => yaml.image !== undefined).length;
  const charts = changes.filter(({ yaml }) => yaml.chart !== undefined).length;
  const known = changes.map(change => ({ change, names: namesOf(change, { images, charts }) }));
  for (const { name, value } of set) {
    const meant = known.filter(({ names }) => names.includes(name));
    const [only] = meant;
    if (meant.length === 1 && only) {
      const before = given.get(only.change.index);
      if (before !== undefined) problems.push(doubled(only.names, [before, name]));
      given.set(only.change.index, name);
      values.set(only.change.index, value);
      continue;
    }
    const all = known.flatMap(({ names }) => names);
    const near = nearest(name, all);
    if (meant.length === 0 && near !== undefined) mistyped.add(near);
    problems.push({
      field: 'input set',
      ...(meant.length === 0
        ? { message: `No change of rollout.yaml is named ${name}.`, meant: near }
        : { message: `${name} names ${meant.length} changes; give them a name each.` }),
      allowed: [...new Set(all)].join(', '),
    });
  }
  for (const { change, names } of known) {
    // A mistyped name and the value that it leaves out are one mistake.
    if (values.has(change.index) || names.some(name => mistyped.has(name))) continue;
    const own = change.value ?? imageVersion(change);
    if (own !== undefined) {
      values.set(change.index, own);
      continue;
    }
    if (on.placeholder !== undefined) values.set(change.index, on.placeholder);
    if (!on.valuesNeeded) continue;
    problems.push({
      position: change.position,
      field: `change[${change.index}]`,
      allowed: `value: … here, or set: ${names.at(-1) ?? 'name'}=… in the step`,
      message: 'A change has no value.',
    });
  }
  return { values, problems };
}

/** The second would win without a word; with a value from outside that has a line end, it would be a stranger's. */
function doubled(names: readonly string[], [one, other]: readonly [string, string]): ConfigProblem {
  return {
    field: 'input set',
    found: one === other ? `${one} twice` : `${one} and ${other}`,
    allowed: `one value for ${names[0] ?? one}`,
    message: one === other ? `${one} is set twice.` : `${one} and ${other} set the same change.`,
  };
}

function namesOf(
  { yaml }: NamedChange,
  { images, charts }: { readonly images: number; readonly charts: number },
): readonly string[] {
  const names = yaml.name === undefined ? [] : [yaml.name];
  if (yaml.image !== undefined) {
    const { repository } = splitImage(yaml.image);
    names.push(repository, repository.slice(repository.lastIndexOf('/') + 1));
    if (images === 1) names.push('image');
  }
  if (yaml.env !== undefined) names.push(yaml.env);
  if (yaml.arg !== undefined) names.push(yaml.arg, yaml.arg.replace(/^-+/, ''));
  if (yaml.chart !== undefined) {
    names.push(yaml.chart);
    if (charts === 1) names.push('chart');
  }
  if (yaml.at !== undefined && yaml.name === undefined) names.push(yaml.at.path);
  return [...new Set(names)];
}

/** `image: ghcr.io/acme/shop:6.14.1` says repository and version at once. */
function imageVersion({ yaml }: NamedChange): string | undefined {
  const version = yaml.image === undefined ? '' : splitImage(yaml.image).version;
  return version === '' ? undefined : version;
}
