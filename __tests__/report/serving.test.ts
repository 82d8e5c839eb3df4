import { describe, expect, it } from 'vitest';
import { servingWords } from '../../src/report/serving.ts';
import type { Expectation } from '../../src/rollout/expectation.ts';
import type { TargetView } from '../../src/rollout/observation.ts';
import { resumeCommands } from '../../src/rollout/resume-command.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import { startFollowing } from '../../src/rollout/transition.ts';
import {
  COMMIT,
  canaryView,
  fluxChain,
  intentOf,
  observation,
  TARGET,
  workloadView,
} from '../rollout/story.ts';

const ID = 'ours';
const IMAGE: Expectation = {
  kind: 'image',
  target: TARGET,
  repository: 'ghcr.io/acme/podinfo',
  version: '2',
};
const runs = (version: string, rolloutId: string, name = 'podinfo') =>
  workloadView({
    name,
    rolloutId,
    template: { spec: { containers: [{ name: 'podinfod', image: `ghcr.io/acme/podinfo:${version}` }] } },
  });
const BEFORE: TargetView = {
  target: runs('1', 'old'),
  primary: runs('1', 'old', 'podinfo-primary'),
  canary: canaryView(),
  replicaSets: [],
  events: [],
};

/** While the revert of `2` is being made, with this look at the cluster. */
function words(change: Partial<TargetView>): readonly string[] {
  const { state } = startFollowing(intentOf(BEFORE, ID, { expectations: [IMAGE] }), COMMIT, 0);
  const cause = {
    verdict: 'rolled-back',
    reason: 'metric-out-of-range',
    detail: '',
    errored: false,
  } as const;
  const { confirming: _confirming, ...followed } = { ...state, confirming: false };
  const reverting: RolloutState = {
    ...followed,
    phase: 'reverting',
    cause,
    forms: {},
    observation: observation({ ...BEFORE, ...change }, 'read', 0),
  };
  return servingWords(reverting);
}

describe('who serves the users', () => {
  it.each<[string, Partial<TargetView>]>([
    [
      'podinfo-primary serves 1; no traffic is on 2.',
      { target: runs('2', ID), canary: canaryView({ phase: 'Failed' }) },
    ],
    [
      'podinfo-primary serves 1; 25 % of traffic is on 2.',
      { target: runs('2', ID), canary: canaryView({ phase: 'Progressing', canaryWeight: 25 }) },
    ],
    [
      'podinfo-primary serves 2: users get the rejected version.',
      { target: runs('2', ID), primary: runs('2', ID, 'podinfo-primary') },
    ],
    [
      'all traffic is on the pods of podinfo, which run 1; podinfo-primary is broken.',
      {
        primary: runs('2', ID, 'podinfo-primary'),
        canary: canaryView({ phase: 'Failed', canaryWeight: 100 }),
      },
    ],
  ])('%s', (sentence, change) => {
    expect(words(change)).toEqual([sentence]);
  });

  it('is not claimed where the last look does not tell', () => {
    const { canary: _canary, ...without } = BEFORE;
    const { state } = startFollowing(intentOf(BEFORE, ID), COMMIT, 0);
    const outcome = { verdict: 'unknown', reason: 'canary-replaced', detail: '' } as const;
    const { confirming: _confirming, ...followed } = { ...state, confirming: false };
    const ended = { ...followed, phase: 'done', outcome, endedAt: 0 } as const;
    expect(servingWords({ ...ended, observation: observation(without, 'read', 0) })).toEqual([
      `what serves ${TARGET} is not known.`,
    ]);
    expect(servingWords(state)).toEqual([]);
  });
});

describe('what lets a cluster go on', () => {
  it('is the command for each thing that is suspended', () => {
    const flux = fluxChain({ suspended: true });
    const source = { ...flux.source, suspended: true };
    const view = { ...BEFORE, canary: canaryView({ suspended: true }), flux: { ...flux, source } };
    expect(resumeCommands(observation(view, 'read', 0))).toEqual([
      'flux resume source git fleet -n flux-system',
      'flux resume kustomization apps -n flux-system',
      `kubectl -n test patch canary podinfo --type merge -p '{"spec":{"suspend":false}}'`,
    ]);
    expect(resumeCommands(observation(BEFORE, 'read', 0))).toEqual([]);
  });
});
