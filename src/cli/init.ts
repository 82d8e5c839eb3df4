import { readObservation } from '../cluster/read-observation.ts';
import { traceChain } from '../flux/trace-chain.ts';
import { TARGET_PATTERN } from '../config/rollout-schema.ts';
import { LiveFlux } from '../cluster/live-flux.ts';
import { checkSource } from '../flux/sources.ts';
import { type TreeOptions, type TreeTarget, treeTargets } from '../flux/tree-ground.ts';
import type { SourceView } from '../rollout/observation.ts';
import { kindMeant, type TargetRef, targetKey } from '../rollout/target.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { chainLines } from './chain-lines.ts';
import { type Env, openFolder, treeOptions } from './ground.ts';
import { connectionOf } from './open-cluster.ts';

/** A first rollout.yaml for a target, with the chain that was found. @throws as runCommand does. */
export async function init(given: Arguments, env: Env): Promise<readonly string[]> {
  const target = targetOf(given.target ?? '');
  const key = targetKey(target);
  const open = await openFolder(given.folder);
  const { origin } = open.git;
  const tree = treeOptions({ given, env }, open, {
    via: undefined,
    branch: undefined,
    repository: undefined,
  });
  const found = given.offline
    ? (await treeTargets(tree, [target]))[0]?.[1]
    : await liveTarget(given, env, { target, tree });
  if (!found) throw new Error('unreachable: every target is found or refused');
  const images = imagesIn(found.template);
  const repository =
    repositoryIn(found.chain.source.url) ??
    (origin && `${origin.repository.owner}/${origin.repository.repo}`);
  return [
    ...chainLines(key, found.chain, found.view).map(line => `# ${line}`),
    '# yaml-language-server: $schema=https://raw.githubusercontent.com/OWNER/gated-rollout/v1/schema/rollout.schema.json',
    `gitops: {repository: ${repository ?? 'OWNER/REPOSITORY'}}`,
    `target: [${key}]`,
    'change:',
    ...(images.length > 0 ? images : ['IMAGE']).map(image => `- image: ${image}`),
    ...(found.view.canary
      ? []
      : [
          'canary: # there is none yet; it is added by a commit of its own first',
          `  ${key}:`,
          ...(target.kind === 'Service'
            ? ['    provider: knative']
            : ['    provider: nginx', `    ingressRef: {name: ${target.name}}`]),
          '    analysis: {interval: 30s, threshold: 5, stepWeight: 5, maxWeight: 50}',
          '    metrics: [{name: request-success-rate, min: 99}]',
        ]),
  ];
}

async function liveTarget(
  given: Arguments,
  env: Env,
  on: { readonly target: TargetRef; readonly tree: Pick<TreeOptions, 'isOurs' | 'repository'> },
): Promise<TreeTarget> {
  const kube = connectionOf(given, env);
  const { target, tree } = on;
  const key = targetKey(target);
  try {
    const isOurs = ({ url }: SourceView): boolean | Promise<boolean> => tree.isOurs(url);
    const chain = await traceChain(new LiveFlux(kube), { target, via: undefined, isOurs });
    await checkSource(key, chain, { repository: tree.repository, isOurs, branch: undefined });
    const watched = { targets: [target], chains: { [key]: chain }, objects: [] };
    const { targets } = await readObservation(kube, { watched, clock: systemClock, source: 'read' });
    const view = targets[key] ?? { replicaSets: [], events: [] };
    return { chain, view, template: view.target?.template };
  } finally {
    await kube.close();
  }
}

function targetOf(text: string): TargetRef {
  const [, kind, namespace, name] = TARGET_PATTERN.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(
      `--target ${text}: namespace/name is needed, "DaemonSet namespace/name", or "Service namespace/name" (Knative).`,
    );
  }
  return { kind: kindMeant(kind), namespace, name };
}

/** Image repositories of the target's containers, without their versions. */
function imagesIn(template: unknown): readonly string[] {
  const text = JSON.stringify(template ?? {});
  const images = [...text.matchAll(/"image":"([^"@]+?)(?::[^/"@]+)?(?:@[^"]*)?"/g)].map(([, image]) => image);
  return [...new Set(images.filter(image => image !== undefined))];
}

function repositoryIn(url: string): string | undefined {
  const [, owner, repo] = /[:/]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return owner === undefined || repo === undefined ? undefined : `${owner}/${repo}`;
}
