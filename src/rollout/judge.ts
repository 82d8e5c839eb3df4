import type { Expectation } from './expectation.ts';
import { fluxProgress } from './flux-progress.ts';
import { helmRollback } from './helm-rollback.ts';
import { isOfTemplate } from './identity.ts';
import { judgePhase } from './judge-phase.ts';
import type { JudgeContext, Judgement } from './judgement.ts';
import { isAtWork, linkKey } from './link-progress.ts';
import { chartInstalledAt } from './live-chart.ts';
import { helmLinkOf, imagesIn, liveValue, sourceOf, splitImage } from './live-value.ts';
import type { ClusterTime, ReplicaSetView, TargetView } from './observation.ts';
import type { Track, TrackOutcome } from './track.ts';
import type { Reason } from './verdict.ts';

/**
 * The verdict of one canary of a release, by the rules of docs/architecture.md ("The chain of proof"). It trusts
 * nothing that was visible before the commit: a phase counts only when its hash is ours (`mine`) and, for Failed, its
 * condition is newer than the delivery (`fresh`).
 */
export function judge(view: TargetView, context: JudgeContext): Judgement {
  const { track, rolloutId } = context;
  const replaced = replacement(view, track);
  if (replaced) return goneForGood(replaced, context);
  const { canary, target } = view;
  if (!canary || !target) throw new Error('unreachable: replacement() covers missing objects');

  if (target.rolloutId !== rolloutId) return judgeUndelivered(view, context);

  const withId = view.replicaSets.filter(replicaSet => replicaSet.rolloutId === rolloutId);
  // Where one object carries our id and another the value, Flux may apply them one after the other: what had our id and
  // not yet the value was nobody's amendment.
  const since = chartSince(view, context.expectations);
  const whole = withId.filter(
    replicaSet => replicaSet.createdAt >= since && holdsValues(replicaSet, context.expectations),
  );
  const ours = whole.length > 0 ? whole : withId;
  const delivery: Pick<Judgement, 'delivered' | 'deliveredClusterTime' | 'amended'> = {
    delivered: true,
    ...deliveryTime(view, ours),
    ...(ours.length > 1 ? { amended: true } : {}),
  };
  const missing = missingValue(view, context);
  const byHand = missing !== undefined && changedSince(view, context);
  if (missing && !byHand) {
    const underWay = chartUnderWay(view, context);
    return {
      ...delivery,
      stage: 'delivering',
      ...(underWay === undefined ? {} : { waitingFor: underWay }),
      limit: { ms: underWay === undefined ? VALUE_GRACE_MS : context.limits.applyMs, outcome: missing },
    };
  }
  // Somebody's commit asks for another value under our id: what Flagger analyses now is theirs, and is followed.
  const facts = byHand ? { ...delivery, amended: true } : { ...delivery, valuesLive: true };
  if (canary.suspended) {
    return {
      ...facts,
      stage: track.stage === 'applying' ? 'delivering' : track.stage,
      held: true,
      waitingFor: `Canary ${canary.namespace}/${canary.name} is suspended; nothing moves until it is resumed`,
    };
  }
  // With several ReplicaSets of ours (amended) the newest is the one that Flagger looks at.
  const hash = track.baseline.joinsByHash ? (byHand ? withId : ours)[0]?.podTemplateHash : undefined;
  const deliveredAt = delivery.deliveredClusterTime ?? track.deliveredClusterTime;
  return { ...facts, ...judgePhase({ view, canary, context, hash, since: deliveredAt }) };
}

/** A commit after ours changed a path of ours, in what Flux applies now. */
function changedSince(view: TargetView, { known }: JudgeContext): boolean {
  const attempted = view.flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  const facts = attempted === undefined ? undefined : known[attempted];
  return facts?.containsCommit === true && facts.changesOurPaths;
}

/** How long an object must be missing, or another, before that is believed (ms): caches of API servers lag, too. */
const GONE_MS = 10_000;

function goneForGood(outcome: TrackOutcome, { track, now }: JudgeContext): Judgement {
  if (track.terminalSince !== undefined && now - track.terminalSince >= GONE_MS) {
    return { stage: 'ended', outcome };
  }
  return { stage: track.stage, holding: true, waitingFor: outcome.detail };
}

/** Objects applied just before or after the target in the same Flux apply need a moment (ms). */
const VALUE_GRACE_MS = 15_000;

/** Helm may have to end an upgrade with the chart of before, and wait for its pods, before it begins with ours. */
function chartUnderWay(view: TargetView, { expectations }: JudgeContext): string | undefined {
  const links = expectations.map(each =>
    each.kind === 'chart' ? helmLinkOf(view, each.release) : undefined,
  );
  const link = links.find(each => each?.chartSource !== undefined && isAtWork(each));
  return link && `${linkKey(link)} has not installed the chart that its OCIRepository names`;
}

function replacement(view: TargetView, track: Track): TrackOutcome | undefined {
  const baseline = track.baseline;
  if (!view.target || view.target.uid !== baseline.targetUid) {
    return {
      kind: 'replaced',
      reason: 'target-replaced',
      detail: `${track.target} was ${view.target ? 'deleted and created anew' : 'deleted'} while it was released.`,
    };
  }
  if (!view.canary || (baseline.canaryUid !== undefined && view.canary.uid !== baseline.canaryUid)) {
    return {
      kind: 'replaced',
      reason: 'canary-replaced',
      detail: `The Canary of ${track.target} was ${view.canary ? 'deleted and created anew' : 'deleted'} during the rollout; what it did before is lost.`,
    };
  }
  return undefined;
}

function judgeUndelivered(view: TargetView, context: JudgeContext): Judgement {
  const { track, known, limits } = context;
  const attempted = view.flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  const facts = attempted === undefined ? undefined : known[attempted];
  const takenBack = facts?.changesOurPaths ? undefined : helmRollback(view, context);
  if (takenBack) return takenBack;
  if (track.deliveredAt !== undefined || (facts?.containsCommit && facts.changesOurPaths)) {
    return {
      stage: 'ended',
      outcome: {
        kind: 'superseded',
        reason: 'newer-release',
        detail: `${carriesAnother(view, context)}: ${facts?.containsCommit && attempted !== undefined ? `commit ${attempted.slice(0, 7)}` : 'a newer commit'} replaced ours.`,
      },
    };
  }
  const progress = fluxProgress(view.flux, known, 'containsCommit', track.baseline.links);
  if (progress.kind === 'failed') {
    return {
      stage: 'ended',
      outcome: { kind: 'not-applied', reason: progress.reason, detail: progress.detail },
    };
  }
  const detail =
    progress.kind === 'attempted'
      ? `Flux attempted ${progress.revision.slice(0, 7)}, but ${track.target} does not ${context.identity === 'values' ? 'run the values asked for' : 'carry our id'}.`
      : progress.detail;
  const reason: Reason = progress.kind === 'attempted' ? 'apply-timeout' : progress.reason;
  return {
    stage: 'applying',
    ...(progress.kind === 'attempted' ? {} : { waitingFor: detail }),
    limit: { ms: limits.applyMs, outcome: { kind: 'not-applied', reason, detail } },
  };
}

function carriesAnother(view: TargetView, { track, identity, expectations }: JudgeContext): string {
  const runs = imagesRun(view, expectations);
  if (identity === 'values') return `${track.target} does not run the values asked for any more${runs}`;
  const id = view.target?.rolloutId;
  const template = id === undefined ? 'a template without a rollout id' : `rollout ${id}`;
  return `${track.target} now carries ${template}${runs}`;
}

/** ` (ghcr.io/acme/shop:6.3.0)`: of what we release, what the newer commit asks for. */
function imagesRun({ target }: TargetView, expectations: readonly Expectation[]): string {
  const ours = expectations.flatMap(each => (each.kind === 'image' ? [each.repository] : []));
  const images = imagesIn(target?.template).filter(image => ours.includes(splitImage(image).repository));
  return images.length === 0 ? '' : ` (${[...new Set(images)].join(', ')})`;
}

/** Before Helm had the charts that are asked for, nothing was whole; 0 where nothing tells. */
function chartSince(view: TargetView, expectations: readonly Expectation[]): ClusterTime {
  const times = expectations.map(each =>
    each.kind === 'chart' ? chartInstalledAt(each.version, helmLinkOf(view, each.release)) : undefined,
  );
  return Math.max(0, ...times.filter(time => time !== undefined));
}

function holdsValues(replicaSet: ReplicaSetView, expectations: readonly Expectation[]): boolean {
  const { template } = replicaSet;
  if (template === undefined) return true;
  return expectations.every(each => !isOfTemplate(each) || liveValue(each, template).holds);
}

function deliveryTime(
  view: TargetView,
  ours: readonly { readonly createdAt: ClusterTime }[],
): { deliveredClusterTime?: ClusterTime } {
  // The oldest ReplicaSet (or Revision) of ours dates the delivery; a DaemonSet has none, Flux's own apply does then.
  const time = ours.at(-1)?.createdAt ?? view.target?.appliedAt;
  return time === undefined ? {} : { deliveredClusterTime: time };
}

function missingValue(view: TargetView, context: JudgeContext): TrackOutcome | undefined {
  for (const expectation of context.expectations) {
    const live = liveValue(expectation, sourceOf(expectation, { view, objects: context.objects }));
    if (live.holds) continue;
    return {
      kind: 'errored',
      reason: 'value-overridden',
      detail: `Our commit is live in ${expectation.target}, but ${contradiction(expectation, live.found)}: something else overrides it.`,
      tainted: false,
    };
  }
  return undefined;
}

function contradiction(expectation: Expectation, found: string | undefined): string {
  if (expectation.kind === 'secret') {
    return `the Secret of ${expectation.what} ${found === undefined ? 'is not there' : 'was not written since'}`;
  }
  const shown = found === undefined ? 'absent' : `“${found}”`;
  return `${describe(expectation)} is ${shown}, not “${askedFor(expectation)}”`;
}

type Compared = Exclude<Expectation, { kind: 'secret' }>;

function askedFor(expectation: Compared): string {
  if (expectation.kind === 'image') return `${expectation.repository}:${expectation.version}`;
  return expectation.kind === 'chart' ? expectation.version : expectation.value;
}

function describe(expectation: Compared): string {
  switch (expectation.kind) {
    case 'image':
      return 'the image';
    case 'env':
      return `environment variable ${expectation.name}`;
    case 'arg':
      return `argument ${expectation.name}`;
    case 'field':
      return `${expectation.path.join('.')} of ${expectation.object.kind}/${expectation.object.name}`;
    case 'chart':
      return `the version of chart ${expectation.chart}`;
  }
}
