import type { z } from 'zod';
import { type TargetKey, targetKey } from '../rollout/target.ts';
import { canaryFieldProblems } from './canary-fields.ts';
import type { canarySchema } from './canary-schema.ts';
import { fieldPath } from './field-path.ts';
import { forbiddenKeys } from './forbidden-keys.ts';
import { nearest } from './nearest.ts';
import { changesOf } from './rollout-changes.ts';
import { list, parseTarget, problem } from './rollout-parsing.ts';
import { type RolloutYaml, rolloutSchema, VIA_PATTERN } from './rollout-schema.ts';
import { schemaProblems } from './schema-problems.ts';
import type { CanarySettings, ConfigProblem, Inputs, RolloutFile } from './settings.ts';
import { YamlPositions } from './yaml-positions.ts';
import { plainData, syntaxProblems } from './yaml-problems.ts';

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
  if ('problems' in data) return data;
  const parsed = rolloutSchema.safeParse(data.value);
  if (!parsed.success) return { problems: schemaProblems(parsed.error.issues, { yaml, data: data.value }) };
  return checked(parsed.data, { ...on, yaml });
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
  problems.push(...kindsForNamespaces(data, yaml));
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) === index) continue;
    problems.push(
      problem(yaml, ['target', index], {
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
        message: `${target} is no target of this rollout.`,
        meant: nearest(target, keys),
        allowed: keys.join(', '),
      });
    }
    const settings = canarySettings(key, given, yaml.ofKey(['canary'], target));
    problems.push(...canaryFieldProblems(target, { spec: settings.spec, yaml }));
    return [settings];
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

/** `deployment/shop`, as kubectl has it: no namespace is named so by chance. */
function kindsForNamespaces(data: RolloutYaml, yaml: YamlPositions): readonly ConfigProblem[] {
  return list(data.target).flatMap((target, index) =>
    /^(?:deploy(?:ment)?s?|daemonsets?|ds|services?|svc)\//.test(target)
      ? [
          problem(yaml, ['target', index], {
            message: `${target} names a kind where the namespace stands.`,
            allowed: 'namespace/name',
            example: `prod/${target.slice(target.indexOf('/') + 1)}`,
            remedy: `If the namespace is called so, write Deployment ${target}.`,
          }),
        ]
      : [],
  );
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
