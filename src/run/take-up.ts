import type { ChangeView, RolloutView } from '../report/view.ts';
import type { Observation } from '../rollout/observation.ts';
import type { Expectation } from '../rollout/expectation.ts';
import type { ClusterView } from '../rollout/ports.ts';
import { NOTHING_SEEN } from '../rollout/proven.ts';
import { startFollowing } from '../rollout/transition.ts';
import type { Automations } from './automations.ts';
import { withOpened } from './barrier-files.ts';
import { intentOf } from './commit-rollout.ts';
import { followRollout } from './follow-rollout.ts';
import type { Memory } from './memory.ts';
import type { OpenedRepository, RunParts } from './parts.ts';
import { readRestoreTexts } from './restore-texts.ts';
import { RunReport } from './run-report.ts';
import { findUnfinished, type Unfinished, type UnfinishedRollout } from './unfinished.ts';

/**
 * Follows a rollout to its end that a run before us began and did not end: its machine was lost, or its job was
 * cancelled and nothing could be done in time. It is reported where its own run reported it.
 */
export async function takeUp(
  parts: RunParts,
  on: {
    readonly repository: OpenedRepository;
    readonly view: ClusterView;
    readonly observation: Observation;
    readonly automations: Automations;
  },
): Promise<TakenUp> {
  const { gitops } = on.repository;
  const left = await findUnfinished({ gitops, name: parts.rollout.name, observation: on.observation });
  if (left.kind !== 'found') return left;
  const { rollout } = left;
  return { kind: 'ended', id: rollout.record.id, view: await followToItsEnd(parts, on, rollout) };
}

export type TakenUp =
  | { readonly kind: 'ended'; readonly id: string; readonly view: RolloutView }
  | Exclude<Unfinished, { kind: 'found' }>;

async function followToItsEnd(
  parts: RunParts,
  on: {
    readonly repository: OpenedRepository;
    readonly view: ClusterView;
    readonly automations: Automations;
  },
  unfinished: UnfinishedRollout,
): Promise<RolloutView> {
  const { record, commit } = unfinished;
  parts.say(
    `The rollout ${record.id} was left unfinished by ${record.runUrl}; following it to its end first.`,
  );
  const note = 'The run that began this rollout did not end it; a later one follows it to its end.';
  const report = reportOf(parts, on.repository, { record, note });
  const restoreTexts = await readRestoreTexts(on.repository.gitops, commit, record.restore);
  // A cancel of this run is no wish about that rollout: the next one takes it up again.
  const intent = intentOf(parts, record, 'hand-over');
  const { view } = await followRollout(parts, {
    first: startFollowing(intent, withOpened(commit), parts.clock.now(), NOTHING_SEEN),
    view: on.view,
    repository: on.repository,
    automations: on.automations,
    restoreTexts,
    report,
  });
  return await report.finish(view);
}

/** The frame of that rollout's own run, so that its check and comments go on in the same words. */
export function reportOf(
  parts: Pick<RunParts, 'reporterFor' | 'clock'>,
  repository: OpenedRepository,
  on: Pick<UnfinishedRollout, 'record'> & {
    readonly note: string;
    readonly seen?: Memory['seen'] | undefined;
  },
): RunReport {
  const { record, note, seen } = on;
  const { source } = record;
  return new RunReport({
    reporter: parts.reporterFor({ id: record.id, sourceSha: source.sha }),
    clock: parts.clock,
    frame: {
      id: record.id,
      name: record.name,
      purpose: 'release',
      startedAt: seen?.startedAt ?? parts.clock.now(),
      source: { ...source, runUrl: record.runUrl },
      gitops: repository.name,
      changes: seen && seen.changes.length > 0 ? seen.changes : changesOf(record.expectations),
      notes: [note],
    },
  });
}

/** What was asked for, as far as the commit itself tells: not what stood before, nor where. */
function changesOf(expectations: readonly Expectation[]): readonly ChangeView[] {
  return expectations.flatMap(expectation => {
    const asked = askedFor(expectation);
    return asked ? [{ ...asked, target: expectation.target, from: '', path: '', line: 0 }] : [];
  });
}

function askedFor(expectation: Expectation): Pick<ChangeView, 'what' | 'to'> | undefined {
  switch (expectation.kind) {
    case 'image':
      return { what: `image ${expectation.repository}`, to: expectation.version };
    case 'chart':
      return { what: `chart ${expectation.chart}`, to: expectation.version };
    case 'field':
      return { what: expectation.path.join('.'), to: expectation.value };
    case 'env':
    case 'arg':
      return { what: `${expectation.kind} ${expectation.name}`, to: expectation.value };
    case 'secret':
      return undefined;
  }
}
