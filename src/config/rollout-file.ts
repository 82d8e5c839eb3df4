import type { z } from 'zod';
import { splitImage } from '../rollout/live-value.ts';
import { kindMeant, type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { changeValues, type NamedChange } from './change-values.ts';
import { isExactVersion } from './chart-version.ts';
import { fieldPath } from './field-path.ts';
import { nearest } from './nearest.ts';
import {
  canarySchema,
  changeSchema,
  OBJECT_PATTERN,
  type RolloutYaml,
  rolloutSchema,
  TARGET_PATTERN,
  VIA_PATTERN,
} from './rollout-schema.ts';
import type { CanarySettings, Change, ConfigProblem, Inputs, RolloutFile } from './settings.ts';
import { YamlPositions } from './yaml-positions.ts';

export type ParsedRollout =
  | { readonly rollout: RolloutFile }
  | { readonly problems: readonly ConfigProblem[] };

/** rollout.yaml and the step's `set`, checked as a whole: all problems are found at once. Never throws. */
export function parseRolloutFile(
  text: string,
  on: {
    readonly file: string;
    readonly set: Inputs['set'];
    readonly valuesNeeded?: boolean;
    /** Stands for a value that nobody gave, where one is only looked for. */
    readonly placeholder?: string;
  },
): ParsedRollout {
  const yaml = new YamlPositions(text, on.file);
  const syntax = syntaxProblems(yaml);
  if (syntax.length > 0) return { problems: syntax };
  const data = plainData(yaml);
  if ('problem' in data) return { problems: [data.problem] };
  const parsed = rolloutSchema.safeParse(data.value);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap(issue => issueProblems(issue, yaml)) };
  return checked(parsed.data, { ...on, yaml });
}

function syntaxProblems(yaml: YamlPositions): readonly ConfigProblem[] {
  const { errors, contents } = yaml.document;
  if (errors.length === 0 && contents === null) {
    return [
      {
        position: yaml.at(0),
        field: 'rollout.yaml',
        found: 'an empty file',
        allowed: 'at least target and change',
        message: 'The file is empty.',
      },
    ];
  }
  return errors.map(error => ({
    position: yaml.at(error.pos[0]),
    field: 'rollout.yaml',
    found: error.code === 'MULTIPLE_DOCS' ? 'several documents' : 'text that is not YAML',
    allowed: 'one YAML document',
    message: error.message.replace(/\s+/g, ' '),
  }));
}

/** Aliases are resolved here, and one that leads nowhere is a mistake of the file. */
function plainData(yaml: YamlPositions): { readonly value: unknown } | { readonly problem: ConfigProblem } {
  try {
    return { value: yaml.document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const found = 'an alias that leads nowhere, or too many';
    const allowed = 'aliases of anchors that stand before them';
    return { problem: { position: yaml.at(0), field: 'rollout.yaml', found, allowed, message } };
  }
}

type Issue = z.core.$ZodIssue;

const KEYS: readonly (readonly [path: RegExp, schema: { readonly shape: object }])[] = [
  [/^$/, rolloutSchema],
  [/^change\.\d+$/, changeSchema],
  [/^canary\.[^.]+$/, canarySchema],
];

function issueProblems(issue: Issue, yaml: YamlPositions): readonly ConfigProblem[] {
  const field = fieldName(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = KEYS.find(([path]) => path.test(issue.path.map(String).join('.')))?.[1].shape;
    const names = known ? Object.keys(known) : [];
    return issue.keys.map(key => {
      const meant = nearest(key, names);
      return {
        position: yaml.ofKey(issue.path, key),
        field: field === '' ? key : `${field}.${key}`,
        found: key === '' ? 'an empty name' : key,
        allowed: names.length > 0 ? names.join(', ') : 'the fields of the schema',
        message: `There is no field ${key}${field === '' ? '' : ` in ${field}`}.${meant === undefined ? '' : ` Is ${meant} meant?`}`,
      };
    });
  }
  const found = yaml.source(issue.path);
  return [
    {
      position: yaml.of(issue.path),
      field: field === '' ? 'rollout.yaml' : field,
      found: found === '' ? 'an empty text' : (found ?? (missing(issue) ? 'nothing' : 'something else')),
      allowed: allowedBy(issue),
      message: missing(issue)
        ? `${field} is missing.`
        : `${field || 'The file'} cannot be this: ${allowedBy(issue)}.`,
    },
  ];
}

function missing(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.message.includes('received undefined');
}

function allowedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map(String).join(', ');
    case 'invalid_type':
      return issue.expected === 'array' ? 'a list' : `a ${issue.expected}`;
    case 'invalid_union': {
      const inner = issue.errors.flat()[0];
      return inner ? allowedBy(inner) : issue.message;
    }
    case 'too_small':
      return 'at least one';
    default:
      return issue.message;
  }
}

/** `change[1].env`. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
}

function checked(
  data: RolloutYaml,
  on: {
    readonly yaml: YamlPositions;
    readonly file: string;
    readonly set: Inputs['set'];
    readonly valuesNeeded?: boolean;
    readonly placeholder?: string;
  },
): ParsedRollout {
  const { yaml } = on;
  const targets = list(data.target).map(parseTarget);
  const keys = targets.map(targetKey);
  const problems: ConfigProblem[] = [];
  const [first] = targets;
  if (!first) throw new Error('The schema asks for a target.');
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) === index) continue;
    problems.push(
      problem(yaml, ['target', index], {
        found: key,
        allowed: 'each target once',
        message: `${key} is named twice.`,
      }),
    );
  }
  if (data.barrier && keys.length < 2) {
    const message = 'A barrier lets several canaries wait for each other; this rollout has one target.';
    problems.push(problem(yaml, ['barrier'], { found: 'true', allowed: 'false', message }));
  }
  problems.push(...contradictions(data, yaml));
  const changes = changesOf(data, { ...on, keys, problems });
  const canaries = Object.entries(data.canary ?? {}).flatMap(([target, given]) => {
    const key = targetKey(parseTarget(target));
    if (!keys.includes(key)) {
      problems.push({
        position: yaml.ofKey(['canary'], target),
        field: `canary.${target}`,
        found: target,
        allowed: keys.join(', '),
        message: `${target} is no target of this rollout.`,
      });
    }
    return [canarySettings(key, given, yaml.ofKey(['canary'], target))];
  });
  if (problems.length > 0) return { problems };
  const [, , namespace, name] = VIA_PATTERN.exec(data.via ?? '') ?? [];
  const [owner, repo] = data.gitops?.repository?.split('/') ?? [];
  return {
    rollout: {
      name: data.name ?? first.name,
      gitops: {
        ...(owner !== undefined && repo !== undefined ? { repository: { owner, repo } } : {}),
        ...(data.gitops?.branch === undefined ? {} : { branch: data.gitops.branch }),
      },
      targets,
      ...(namespace !== undefined && name !== undefined
        ? { via: { kind: 'Kustomization', namespace, name } }
        : {}),
      changes,
      ...(data.write === undefined ? {} : { write: data.write }),
      ...(data['id-path'] === undefined ? {} : { idPath: fieldPath(data['id-path']) }),
      imageAutomation: data['image-automation'],
      canaries,
      barrier: data.barrier,
    },
  };
}

/** Words that are understood each by itself, and not together. */
function contradictions(data: RolloutYaml, yaml: YamlPositions): readonly ConfigProblem[] {
  if (data['image-automation'] !== 'follow' || !data.barrier) return [];
  const message =
    'A barrier is committed with the release, and with image-automation: follow the commit is not ours.';
  return [
    problem(yaml, ['barrier'], { found: 'true', allowed: 'false, or image-automation: suspend', message }),
  ];
}

function changesOf(
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
          found: kinds.length === 0 ? 'none of them' : kinds.join(' and '),
          allowed: 'exactly one of image, env, arg, chart, at',
          message: kinds.length === 0 ? 'A change says not what it changes.' : 'A change changes one thing.',
        }),
      );
      continue;
    }
    const given = list(each.in ?? []).map(target => targetKey(parseTarget(target)));
    for (const target of given.filter(key => !keys.includes(key))) {
      problems.push(
        problem(yaml, [...path, 'in'], {
          found: target,
          allowed: keys.join(', '),
          message: `${target} is no target of this rollout.`,
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
    if (!isExactVersion(value)) problems.push(rangeOfCharts(change, value));
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
    const wanted = imageReference(repository, value);
    if (wanted === undefined) {
      problems.push({
        position: change.position,
        field: `change[${change.index}].image`,
        found: value,
        allowed: `a tag, a digest (sha256:…), or ${repository}:TAG`,
        message: `“${value}” is no version of an image.`,
      });
      return undefined;
    }
    return { ...common, kind: 'image', name: yaml.name ?? repository, repository, ...wanted };
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

/** A version alone, or a whole reference, which may name another repository. */
function imageReference(
  repository: string,
  value: string,
): { readonly version: string; readonly newRepository?: string } | undefined {
  if (/^(?:\w[\w.-]{0,127})?(?:(?:^|@)sha256:[0-9a-f]{64})?$/.test(value) && value !== '')
    return { version: value };
  const split = splitImage(value);
  if (split.version === '' || !/^(?:\w[\w.-]{0,127})?(?:(?:^|@)sha256:[0-9a-f]{64})?$/.test(split.version)) {
    return undefined;
  }
  if (split.repository === repository) return { version: split.version };
  return split.repository.includes('/')
    ? { version: split.version, newRepository: split.repository }
    : undefined;
}

function canarySettings(
  target: TargetKey,
  given: z.infer<typeof canarySchema>,
  position: CanarySettings['position'],
): CanarySettings {
  const { file, name, metrics, alerts, webhooks, 'service-upstream': serviceUpstream, ...spec } = given;
  return {
    target,
    position,
    serviceUpstream: serviceUpstream ?? false,
    spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)),
    ...(file === undefined ? {} : { file }),
    ...(name === undefined ? {} : { name }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(alerts === undefined ? {} : { alerts }),
    ...(webhooks === undefined ? {} : { webhooks }),
  };
}

function parseTarget(text: string): TargetRef {
  const [, kind, namespace = '', name = ''] = TARGET_PATTERN.exec(text) ?? [];
  return { kind: kindMeant(kind), namespace, name };
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function problem(
  yaml: YamlPositions,
  path: readonly PropertyKey[],
  what: Pick<ConfigProblem, 'found' | 'allowed' | 'message'>,
): ConfigProblem {
  return { position: yaml.of(path), field: fieldName(path), ...what };
}

/** One paragraph per problem: `rollout.yaml:3:5: change[0].env: …`. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ position, field, found, allowed, message }) => {
      const where = position ? `${position.file}:${position.line}:${position.column}: ` : '';
      return `${where}${field}: ${message} Found: ${found}. Allowed: ${allowed}.`;
    })
    .join('\n');
}
