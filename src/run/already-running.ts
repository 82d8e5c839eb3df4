import type { ReleasePlan } from '../plan/plan.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { isOfTemplate } from '../rollout/identity.ts';
import { liveValue, sourceOf } from '../rollout/live-value.ts';
import type { Observation } from '../rollout/observation.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { Settled } from './settle.ts';

/**
 * Whether the cluster is proven to run what is asked for: nothing to commit, nothing going on, and the values live on
 * the target and on the primary, which serves.
 * @throws Refusal `baseline-unsettled` when what is asked for was rejected and is still in Git.
 */
export function alreadyRuns(plan: ReleasePlan, settled: Settled): boolean {
  if (!plan.unchanged) return false;
  const failed = Object.entries(settled.settlements).find(([, each]) => each.kind === 'failed');
  if (failed) {
    throw new Refusal(
      'baseline-unsettled',
      `Git already asks for this, and Flagger rejected it for ${failed[0]}: the Canary is Failed and was never reverted.`,
      {
        remedy:
          'Release another version, or give the input even-if-unchanged to have this one analysed once more.',
      },
    );
  }
  const missing = plan.expectations.find(expectation => !isLive(expectation, settled.observation));
  if (missing === undefined) return true;
  throw new Refusal(
    'chain-broken',
    `Git already asks for this, but ${missing.target} does not run it: ${nameOf(missing)} is ${found(missing, settled.observation)}.`,
    {
      remedy:
        'Find what keeps Flux or Flagger from applying it (kubectl describe the Canary and the Kustomization).',
    },
  );
}

function isLive(expectation: Expectation, observation: Observation): boolean {
  return sources(expectation, observation).every(source => liveValue(expectation, source).holds);
}

function found(expectation: Expectation, observation: Observation): string {
  const values = sources(expectation, observation).map(source => liveValue(expectation, source));
  return values.find(value => !value.holds)?.found ?? 'not set';
}

/** Where the value must stand: in an object of its own, or in the target's and the primary's pod templates. */
function sources(expectation: Expectation, observation: Observation): readonly unknown[] {
  const view = observation.targets[expectation.target];
  if (!isOfTemplate(expectation)) {
    return [sourceOf(expectation, { view, objects: observation.objects })];
  }
  return [view?.target?.template, ...(view?.canary ? [view.primary?.template] : [])];
}

function nameOf(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'image':
      return `image ${expectation.repository}`;
    case 'env':
    case 'arg':
      return `${expectation.kind} ${expectation.name}`;
    case 'chart':
      return `chart ${expectation.chart}`;
    case 'secret':
      return expectation.what;
    case 'field':
      return `${expectation.object.kind} ${expectation.object.name}: ${expectation.path.join('.')}`;
  }
}
