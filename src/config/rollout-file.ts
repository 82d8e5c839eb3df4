import type { z } from 'zod';
import { type TargetKey, targetKey } from '../rollout/target.ts';
import { fieldPath } from './field-path.ts';
import { forbiddenKeys } from './forbidden-keys.ts';
import { nearest } from './nearest.ts';
import { changesOf } from './rollout-changes.ts';
import { fieldName, list, parseTarget, problem } from './rollout-parsing.ts';
import {
  canarySchema,
  changeSchema,
  type RolloutYaml,
  rolloutSchema,
  VIA_PATTERN,
} from './rollout-schema.ts';
import type { CanarySettings, ConfigProblem, Inputs, RolloutFile } from './settings.ts';
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
  const syntax = [...syntaxProblems(yaml), ...forbiddenKeys(yaml)];
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
        : data.via === undefined
          ? {}
          : { viaFile: data.via }),
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

/** One paragraph per problem: `rollout.yaml:3:5: change[0].env: …`. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ position, field, found, allowed, message, remedy }) => {
      const where = position ? `${position.file}:${position.line}:${position.column}: ` : '';
      return `${where}${field}: ${message} Found: ${found}. Allowed: ${allowed}.${remedy === undefined ? '' : ` ${remedy}`}`;
    })
    .join('\n');
}
