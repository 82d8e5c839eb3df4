import { splitImage } from '../rollout/live-value.ts';
import { type TargetKey, targetKey } from '../rollout/target.ts';
import { changeValues, type NamedChange } from './change-values.ts';
import { isDigest, isExactVersion } from './chart-version.ts';
import { fieldPath } from './field-path.ts';
import { imageVersion, isSameRepository } from './image-version.ts';
import { nearest } from './nearest.ts';
import { list, parseTarget, problem } from './rollout-parsing.ts';
import { OBJECT_PATTERN, type RolloutYaml } from './rollout-schema.ts';
import type { Change, ConfigProblem, Inputs } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

/** The changes of rollout.yaml with the values that it or `set` gives; what is wrong is added to `problems`. */
export function changesOf(
  data: RolloutYaml,
  on: {
    readonly yaml: YamlPositions;
    readonly set: Inputs['set'];
    readonly valuesNeeded?: boolean;
    readonly placeholder?: string;
    readonly keys: readonly TargetKey[];
    readonly problems: ConfigProblem[];
  },
): readonly Change[] {
  const { yaml, keys, problems } = on;
  const named: NamedChange[] = [];
  for (const [index, each] of data.change.entries()) {
    const path = ['change', index];
    const kinds = (['image', 'env', 'arg', 'chart', 'at'] as const).filter(kind => each[kind] !== undefined);
    if (kinds.length !== 1) {
      problems.push(
        problem(yaml, path, {
          ...(kinds.length === 0
            ? { message: 'The change does not say what it changes.', example: '- {image: ghcr.io/acme/shop}' }
            : { message: 'A change changes one thing.', found: kinds.join(' and ') }),
          allowed: 'exactly one of image, env, arg, chart, at',
        }),
      );
      continue;
    }
    if (each.repositories !== undefined && each.image === undefined) {
      problems.push(
        problem(yaml, [...path, 'repositories'], {
          found: `repositories beside ${kinds[0]}`,
          allowed: 'repositories beside image',
          message: 'Only an image comes from a repository.',
        }),
      );
    }
    if (/[:@]$/.test(each.image ?? '')) {
      problems.push(
        problem(yaml, [...path, 'image'], {
          message: `There is nothing after “${each.image}”.`,
          allowed: 'the repository alone, or with a tag or digest behind it',
          example: `image: ${each.image?.slice(0, -1)}`,
        }),
      );
      continue;
    }
    const given = list(each.in ?? []).map(target => targetKey(parseTarget(target)));
    for (const target of given.filter(key => !keys.includes(key))) {
      problems.push(
        problem(yaml, [...path, 'in'], {
          message: `${target} is no target of this rollout.`,
          meant: nearest(target, keys),
          allowed: keys.join(', '),
        }),
      );
    }
    named.push({
      index,
      yaml: each,
      in: given.length > 0 ? given : keys,
      position: yaml.of(path),
      ...(each.value === undefined ? {} : { value: yaml.source([...path, 'value']) ?? String(each.value) }),
    });
  }
  const { values, problems: unmatched } = changeValues(named, on.set, {
    valuesNeeded: on.valuesNeeded ?? true,
    placeholder: on.placeholder,
  });
  problems.push(...unmatched);
  for (const change of named) {
    const value = values.get(change.index);
    if (change.yaml.chart === undefined || value === undefined || value === on.placeholder) continue;
    if (!isExactVersion(value) && !isDigest(value)) problems.push(rangeOfCharts(change, value));
  }
  return named.flatMap(change => {
    const value = values.get(change.index);
    return value === undefined ? [] : [toChange(change, value, problems)].filter(each => each !== undefined);
  });
}

function rangeOfCharts({ index, position }: NamedChange, value: string): ConfigProblem {
  return {
    position,
    field: `change[${index}].chart`,
    found: value,
    allowed: 'one version, such as 1.2.3',
    message: 'A range of versions would take new charts without a commit.',
  };
}

function toChange(change: NamedChange, value: string, problems: ConfigProblem[]): Change | undefined {
  const { yaml } = change;
  const common = {
    in: change.in,
    position: change.position,
    ...(yaml.container === undefined ? {} : { container: yaml.container }),
  };
  if (yaml.image !== undefined) {
    const { repository } = splitImage(yaml.image);
    const wanted = wantedImage(change, { repository, value, problems });
    return wanted && { ...common, kind: 'image', name: yaml.name ?? repository, repository, ...wanted };
  }
  if (yaml.env !== undefined)
    return { ...common, kind: 'env', name: yaml.name ?? yaml.env, env: yaml.env, value };
  if (yaml.arg !== undefined)
    return { ...common, kind: 'arg', name: yaml.name ?? yaml.arg, arg: yaml.arg, value };
  if (yaml.chart !== undefined) {
    return { ...common, kind: 'chart', name: yaml.name ?? yaml.chart, chart: yaml.chart, version: value };
  }
  const { at } = yaml;
  if (at === undefined) return undefined;
  const place = {
    in: change.in,
    position: change.position,
    name: yaml.name ?? at.path,
    file: at.file.replace(/^\.?\//, ''),
    path: fieldPath(at.path),
    value,
  };
  if (at.object === undefined) return { ...place, kind: 'input' };
  const [, kind, namespace, name] = OBJECT_PATTERN.exec(at.object) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  return {
    ...place,
    kind: 'field',
    object: { kind, name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

/** A version; from another repository only where rollout.yaml names it itself, or allows it to whoever runs the step. */
function wantedImage(
  { yaml, index, position, value: own }: NamedChange,
  on: { readonly repository: string; readonly value: string; readonly problems: ConfigProblem[] },
): { readonly version: string; readonly newRepository?: string } | undefined {
  const { repository, value, problems } = on;
  const wanted = imageVersion(repository, value);
  if (wanted.kind === 'version') return { version: wanted.version };
  const field = `change[${index}].image`;
  if (wanted.kind === 'nothing') {
    const allowed = `a tag, a digest (sha256:…), or ${repository}:TAG`;
    problems.push({ position, field, found: value, allowed, message: wanted.words });
    return undefined;
  }
  const listed = yaml.repositories ?? [];
  if (value === own || listed.some(each => isSameRepository(each, wanted.repository))) {
    return { version: wanted.version, newRepository: wanted.repository };
  }
  problems.push({
    position,
    field,
    found: value,
    allowed: [repository, ...listed].join(', '),
    message: `The value names another repository than rollout.yaml: ${wanted.repository}.`,
    remedy: `If images may come from there, list it beside the image: repositories: [${wanted.repository}].`,
  });
  return undefined;
}
