import { settlement } from '../rollout/settlement.ts';
import type { ChainLink, FluxChain, TargetView } from '../rollout/observation.ts';
import type { TargetKey } from '../rollout/target.ts';

/** The chain from the repository to what runs, one link a line. */
export function chainLines(target: TargetKey, chain: FluxChain, view: TargetView): readonly string[] {
  const { source, kustomizations, links } = chain;
  const branch = source.branch === undefined ? '' : ` at ${source.branch}`;
  const where = source.url === '' ? 'not looked for (offline)' : `${source.url}${branch}`;
  return [
    target,
    `  source         GitRepository ${source.namespace}/${source.name}: ${where}`,
    ...kustomizations.map(
      ({ namespace, name, path, suspended }) =>
        `  Kustomization  ${namespace}/${name}: ./${path}${suspended ? ' (suspended)' : ''}`,
    ),
    ...links.map(linkWords),
    `  target         ${workloadWords(view.target)}`,
    `  Canary         ${canaryWords(view)}`,
    `  primary        ${workloadWords(view.primary)}`,
  ];
}

function linkWords(link: ChainLink): string {
  const { namespace, name, suspended } = link.view;
  const held = suspended ? ' (suspended)' : '';
  if (link.kind === 'HelmRelease') {
    const chart = link.view.lastAttemptedRevision;
    return `  HelmRelease    ${namespace}/${name}${chart === undefined ? '' : `: chart ${chart}`}${held}`;
  }
  return `  Kustomization  ${namespace}/${name}: ./${link.view.path} of ${link.source.url || link.source.kind}${held}`;
}

function workloadWords(workload: TargetView['target']): string {
  if (!workload) return 'not seen';
  const id = workload.rolloutId === undefined ? '' : `, rollout ${workload.rolloutId}`;
  return `${workload.kind} ${workload.namespace}/${workload.name}${id}`;
}

function canaryWords({ canary, ...view }: TargetView): string {
  if (!canary) return 'none yet';
  const { strategy, weights, iterations, threshold, intervalMs } = canary.analysis;
  const steps = strategy === 'weighted' ? `weights ${weights.join(', ')}` : `${iterations ?? 10} iterations`;
  const words = `${canary.namespace}/${canary.name}: ${strategy}, ${steps}, every ${intervalMs / 1000} s, ${threshold} failed checks`;
  if (canary.uid === '') return words;
  const now = settlement({ ...view, canary });
  const state =
    now.kind === 'settled'
      ? 'nothing is going on'
      : now.kind === 'failed'
        ? 'Failed and never reverted'
        : 'what' in now
          ? now.what
          : now.kind;
  return `${words}; ${canary.phase}, ${state}`;
}
