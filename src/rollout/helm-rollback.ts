import type { JudgeContext, Judgement } from './judgement.ts';
import type { HelmReleaseView, TargetView } from './observation.ts';

/**
 * A target that had our release and lost it again, while the HelmRelease still asks for it: Helm took it back, after an
 * upgrade that failed in its eyes (spec.upgrade.remediation). Undefined when this is not what is seen.
 */
export function helmRollback(
  view: TargetView,
  { track, rolloutId, limits }: Pick<JudgeContext, 'track' | 'rolloutId' | 'limits'>,
): Judgement | undefined {
  const nearest = view.flux?.links.at(-1);
  if (nearest?.kind !== 'HelmRelease' || !nearest.view.rolloutIds.includes(rolloutId)) return undefined;
  const wasThere =
    track.deliveredAt !== undefined || view.replicaSets.some(each => each.rolloutId === rolloutId);
  if (!wasThere) return undefined;
  const { view: release } = nearest;
  const name = `HelmRelease ${release.namespace}/${release.name}`;
  const said = failureWords(release);
  if (said !== undefined) {
    return {
      stage: 'ended',
      outcome: {
        kind: 'errored',
        reason: 'helm-rolled-back',
        detail: `Helm took the release of ${track.target} back on its own. ${name}: ${said}`,
        tainted: view.primary?.rolloutId === rolloutId,
      },
    };
  }
  return {
    stage: 'delivering',
    waitingFor: `${name} asks for our release, but ${track.target} does not carry it any more`,
    limit: {
      ms: limits.applyMs,
      outcome: {
        kind: 'superseded',
        reason: 'newer-release',
        detail: `${track.target} lost our template while ${name} still asks for it: somebody changed it in the cluster.`,
      },
    },
  };
}

/** Reasons of helm-controller (api/v2 condition reasons) by which an upgrade is taken back, or is going to be. */
const TAKEN_BACK = [
  'UpgradeFailed',
  'RollbackSucceeded',
  'RollbackFailed',
  'UninstallSucceeded',
  'UninstallFailed',
];

/** What Helm says of the generation that it has now; undefined while it says nothing of a failure. */
function failureWords({ generation, remediated, ready }: HelmReleaseView): string | undefined {
  const words = [remediated, ready].find(
    condition =>
      condition !== undefined &&
      TAKEN_BACK.includes(condition.reason) &&
      (condition.generation === undefined || condition.generation === generation),
  );
  return words && `${words.message} (${words.reason})`;
}
