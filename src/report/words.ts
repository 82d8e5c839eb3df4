import type { Outcome, Verdict } from '../rollout/verdict.ts';
import { about, counted } from './durations.ts';
import { cutCharacters } from './markdown-text.ts';
import { planWords } from './plan-words.ts';
import { subject } from './subject.ts';
import type { CanaryProgressView, ProofLink, RolloutView, Stage } from './view.ts';

/** The words that all reports share. */

const VERDICT_WORDS: Readonly<Record<Exclude<Verdict, 'unchanged'>, string>> = {
  promoted: 'promoted',
  initialized: 'adopted and initialized, not analysed',
  pending: 'handed over, not decided',
  'rolled-back': 'rolled back',
  'not-applied': 'not applied',
  'not-started': 'not started',
  'revert-blocked': 'failed, and the revert needs a person',
  'revert-unverified': 'failed and reverted, not proven back',
  'promotion-failed': 'promotion failed, the primary is broken',
  unknown: 'not known',
  refused: 'refused, nothing was written',
  cancelled: 'cancelled',
  superseded: 'superseded',
  'timed-out': 'timed out',
};

const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  preparing: 'preparing',
  settling: 'waiting for what goes on already',
  adopting: 'adding the Canary',
  committing: 'committing',
  applying: 'waiting for Flux to apply it',
  delivering: 'waiting for the new version to arrive',
  waitingApproval: 'waiting for an approval',
  analysing: 'analysing',
  waitingPromotion: 'waiting for the promotion to be approved',
  promoting: 'promoting',
  finalising: 'finishing',
  reverting: 'reverting',
  verifyingRevert: 'reverted, proving the cluster back',
  done: 'done',
};

const LINK_WORDS: Readonly<Record<ProofLink['link'], string>> = {
  committed: 'Committed',
  applied: 'Applied',
  delivered: 'Delivered',
  analysed: 'Analysed',
  promoted: 'Promoted',
  reverted: 'Reverted',
  back: 'Back',
};

const LINK_MARKS: Readonly<Record<ProofLink['state'], string>> = {
  proven: '✅',
  waiting: '⏳',
  failed: '❌',
  unknown: '⚪',
};

export function linkWords(link: ProofLink): { readonly name: string; readonly mark: string } {
  return { name: LINK_WORDS[link.link], mark: LINK_MARKS[link.state] };
}

/** In front of a title. */
export function mark({ outcome, plan }: RolloutView): string {
  if (!outcome) return '⏳';
  return plan && plan.warnings > 0 && outcome.reason === 'planned' ? '⚠️' : verdictMark(outcome.verdict);
}

function verdictMark(verdict: Verdict): string {
  if (verdict === 'promoted' || verdict === 'initialized' || verdict === 'unchanged') return '✅';
  if (verdict === 'pending') return '⏳';
  if (verdict === 'superseded' || verdict === 'cancelled') return '🚫';
  return '❌';
}

/** `shop 6.2.0: promoted`, or `shop 6.2.0: analysing, 25 % of traffic`. At most 120 characters. */
export function headline(view: RolloutView): string {
  return titled(view, view.outcome ? outcomeWords(view, view.outcome) : progressWords(view));
}

/** `shop 6.2.0: analysing`: without the figures that move within a stage. */
export function stageHeadline(view: RolloutView): string {
  return view.outcome ? headline(view) : titled(view, STAGE_WORDS[view.stage]);
}

function titled(view: RolloutView, words: string): string {
  const purpose = view.purpose === 'plan' ? 'plan: ' : '';
  return cutCharacters(`${subject(view)}: ${purpose}${words}`, 120);
}

/** What had to be done, and how it ended: `unchanged` alone says neither. */
function outcomeWords({ plan }: RolloutView, { verdict, reason }: Outcome): string {
  if (verdict !== 'unchanged') return VERDICT_WORDS[verdict];
  if (plan) return planWords(plan);
  if (reason === 'own-commit') return 'our own commit, nothing to release';
  return reason === 'nothing-to-sweep' ? 'nothing to sweep' : 'runs already, nothing to do';
}

function progressWords(view: RolloutView): string {
  const stage = STAGE_WORDS[view.stage];
  if (view.stage !== 'analysing') return stage;
  const [canary, ...others] = view.canaries;
  if (!canary) return stage;
  return `${stage}${others.length === 0 ? `, ${progressOfOne(canary)}` : progressOfSeveral(view.canaries)}`;
}

/** `3 canaries, 10 % to 25 % of traffic, 1 promoted, about 4 min left` */
function progressOfSeveral(canaries: readonly CanaryProgressView[]): string {
  const live = canaries.filter(({ outcome }) => outcome === undefined);
  const weights = live.filter(({ strategy }) => strategy === 'weighted').map(({ weight }) => weight);
  const [low, high] = [Math.min(...weights), Math.max(...weights)];
  const traffic = low === high ? `${high} % of traffic` : `${low} % to ${high} % of traffic`;
  const promoted = canaries.filter(({ outcome }) => outcome?.kind === 'promoted').length;
  const failed = canaries.reduce((sum, { failedChecks }) => sum + failedChecks, 0);
  const left = live.map(({ leftMs }) => leftMs).filter(ms => ms !== undefined);
  return [
    ` ${canaries.length} canaries`,
    ...(weights.length === 0 ? [] : [traffic]),
    ...(promoted === 0 ? [] : [`${promoted} promoted`]),
    ...(failed === 0 ? [] : [counted(failed, 'failed check')]),
    ...(left.length === 0 || left.length < live.length ? [] : [`${about(Math.max(...left))} left`]),
  ].join(', ');
}

/** How far an analysis is: traffic or iterations. */
export function shareWords(canary: CanaryProgressView): string {
  if (canary.strategy === 'weighted') return `${canary.weight} % of traffic`;
  // Blue/green counts one past the last.
  const iteration = Math.min(Math.max(0, canary.iteration), canary.iterations ?? Number.POSITIVE_INFINITY);
  return `iteration ${iteration} of ${canary.iterations ?? '?'}`;
}

/** `25 % of traffic, step 5 of 10, about 4 min left` */
function progressOfOne(canary: CanaryProgressView): string {
  const failed = canary.failedChecks === 0 ? [] : [checksWords(canary)];
  const left = canary.leftMs === undefined ? [] : [`${about(canary.leftMs)} left`];
  return [stepWords(canary), ...failed, ...left].join(', ');
}

/** `25 % of traffic, step 5 of 10`; of a canary that has ended, how far it got. */
export function stepWords(canary: CanaryProgressView): string {
  const { outcome, strategy, step = 0, steps } = canary;
  if (outcome) return reachedWords(canary, outcome.kind);
  const counts = strategy === 'weighted' && steps !== undefined ? `, step ${step} of ${steps}` : '';
  return `${shareWords(canary)}${counts}`;
}

function reachedWords(canary: CanaryProgressView, kind: string): string {
  const { highest, strategy, step = 0, steps, iteration, weight } = canary;
  if (kind === 'promoted') return 'promoted';
  if (highest === 100) return 'reached all traffic';
  const seen = SIGHT_LOST.includes(kind) ? 'last seen at' : 'reached';
  if (strategy !== 'weighted' && iteration > 0) return `${seen} ${shareWords(canary)}`;
  if (highest === undefined || (highest === 0 && SIGHT_LOST.includes(kind)))
    return 'how far it got is not known';
  if (highest === 0) return 'got no traffic';
  const counts =
    strategy === 'weighted' && steps !== undefined && highest === weight ? `, step ${step} of ${steps}` : '';
  return `${seen} ${highest} % of traffic${counts}`;
}

/** What a canary came to that nobody saw. */
const SIGHT_LOST: readonly string[] = ['unknown', 'replaced'];

const FATES: Readonly<Record<string, string>> = {
  'taken-back': 'taken back',
  'promoted-then-taken-back': 'promoted, then taken back',
  unknown: 'not known',
};

/** `analysing`, `failed`, `promoted, then taken back` */
export function canaryWords({ outcome, stage }: CanaryProgressView): string {
  return outcome ? (FATES[outcome.kind] ?? outcome.kind) : STAGE_WORDS[stage];
}

/** `1 failed check (limit 5)`: at so many Flagger rolls back. */
export function checksWords({ failedChecks, threshold }: CanaryProgressView): string {
  return `${counted(failedChecks, 'failed check')}${threshold > 0 ? ` (limit ${threshold})` : ''}`;
}

/** `▰▰▰▱▱▱▱▱▱▱` */
export function bar(canary: CanaryProgressView): string {
  const done = canary.outcome?.kind === 'promoted' || (canary.outcome && canary.highest === 100);
  const share =
    canary.strategy === 'weighted'
      ? canary.weight / (canary.maxWeight ?? 100)
      : canary.iteration / (canary.iterations ?? 1);
  const filled = done ? 10 : Math.round(Math.min(1, Math.max(0, share)) * 10);
  return '▰'.repeat(filled) + '▱'.repeat(10 - filled);
}

export function stageWords(stage: Stage): string {
  return STAGE_WORDS[stage];
}
