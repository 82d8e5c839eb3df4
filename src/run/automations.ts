import {
  type AutomationHold,
  heldBy,
  holdAfter,
  keptBy,
  releasedBy,
  suspendedByAPerson,
} from '../rollout/automation-hold.ts';
import type { RolloutView } from '../report/view.ts';
import type { FluxChain } from '../rollout/observation.ts';
import { ClusterForbidden, ClusterUnavailable } from '../rollout/ports.ts';
import type { Followed } from '../rollout/state.ts';
import type { TargetKey } from '../rollout/target.ts';
import { Refusal, type Verdict } from '../rollout/verdict.ts';
import type { ImageAutomation, RunParts } from './parts.ts';

/** While a cancelled job has seconds, Git matters more (ms). */
const WHILE_CANCELLED_MS = 2_500;
const AT_MOST_MS = 30_000;

type Parts = Pick<RunParts, 'cluster' | 'rollout' | 'clock' | 'cancel' | 'say'>;
type Chains = Readonly<Record<TargetKey, FluxChain>>;

/** Flux's image automation as a rollout has to do with it; nothing at all where rollout.yaml does not say so. */
export class Automations {
  private readonly parts: Parts;
  /** Undefined: the cluster cannot be seen. */
  private readonly chains: Chains | undefined;
  /** It should have been suspended before a revert, and was not. */
  private unkept = false;

  constructor(parts: Parts, chains: Chains | undefined) {
    this.parts = parts;
    this.chains = chains;
  }

  private get wanted(): boolean {
    return this.parts.rollout.imageAutomation !== 'refuse';
  }

  /**
   * Suspends what writes to these files of our branch, for as long as the rollout lasts. All of it or nothing.
   * @throws Refusal, ClusterForbidden, ClusterUnavailable: nothing is suspended then.
   */
  async hold(id: string, paths: readonly string[]): Promise<readonly string[]> {
    const writers = await this.writers(paths);
    const notes: string[] = [];
    try {
      for (const automation of writers) {
        const hold = await this.parts.cluster.changeHold(automation, now => heldBy(now, id));
        notes.push(
          hold.heldFor.includes(id)
            ? `${nameOf(automation)} is suspended for as long as this rollout lasts.`
            : `${nameOf(automation)} is suspended already, and not by us; it is left as it is.`,
        );
      }
    } catch (error) {
      await this.end(id, 'refused');
      throw error;
    }
    return notes;
  }

  /**
   * Whether a commit of image automation to these files can come at all (unless it is there), and could be taken back.
   * @throws Refusal, ClusterForbidden, ClusterUnavailable.
   */
  async mayFollow(paths: readonly string[], on: { readonly arrived: boolean }): Promise<void> {
    const { all } = await this.read();
    const coming = all.filter(automation => writesTo(automation, paths));
    const awake = coming.filter(({ hold }) => !hold.suspended);
    if (awake.length === 0 && !on.arrived) throw nobodyComes(coming, paths);
    for (const automation of awake) await this.parts.cluster.checkMayHold(automation);
  }

  /**
   * Before a revert: image automation would undo it. Says what went wrong and never throws: Git is put right all the
   * same.
   */
  async keep({ intent, commit }: Pick<Followed, 'intent' | 'commit'>): Promise<void> {
    const { id, identity } = intent;
    if (!this.wanted) return;
    const paths = commit.files.map(({ path }) => path);
    const done = await this.atMost(async () => {
      const { all } = await this.read();
      const branch = this.branch();
      // What only followed has suspended nothing so far.
      const isConcerned = (each: ImageAutomation): boolean =>
        each.hold.heldFor.includes(id) ||
        (identity === 'values' && each.branch === branch && writesTo(each, paths));
      for (const automation of all.filter(isConcerned)) {
        await this.parts.cluster.changeHold(automation, now => keptBy(now, id));
      }
      return true;
    });
    this.unkept = done === undefined && identity === 'values';
  }

  /** What the end of a rollout means for what it holds; the words for its report. Never throws. */
  async end(id: string, verdict: Verdict): Promise<AutomationsEnd> {
    const action = holdAfter(verdict);
    if (!this.wanted || action === 'leave') return { notes: [], resume: [] };
    const done = await this.atMost(async () => {
      const { all } = await this.read();
      const ended: Ended[] = [];
      for (const automation of all.filter(({ hold }) => [...hold.heldFor, ...hold.keptFor].includes(id))) {
        const hold = await this.parts.cluster.changeHold(automation, now =>
          action === 'keep' && now.heldFor.includes(id) ? keptBy(now, id) : releasedBy(now, id),
        );
        ended.push({ automation, hold });
      }
      return ended;
    });
    return endOf(done ?? [], id);
  }

  /** The last view of a rollout, with what became of image automation. */
  async ended(view: RolloutView, id: string): Promise<RolloutView> {
    const { outcome } = view;
    if (!outcome) return view;
    const end = await this.end(id, outcome.verdict);
    const { notes, resume } = this.unkept && end.notes.length === 0 ? UNKEPT : end;
    if (notes.length === 0) return view;
    const remedy = [outcome.remedy, ...resume].filter(part => part !== undefined).join(' ');
    return {
      ...view,
      notes: [...view.notes, ...notes],
      outcome: { ...outcome, ...(remedy === '' ? {} : { remedy }) },
    };
  }

  /** How what rollouts of this name left behind stands; none where it may not be looked at. */
  async leftBehind(): Promise<readonly ImageAutomation[]> {
    if (!this.wanted) return [];
    const found = await this.atMost(() => this.read());
    return found?.all ?? [];
  }

  /** @throws Refusal when nothing can be told of who writes the files. */
  private async writers(paths: readonly string[]): Promise<readonly ImageAutomation[]> {
    const { all, everywhere } = await this.read();
    const branch = this.branch();
    const writers = all.filter(each => each.branch === branch && writesTo(each, paths));
    if (writers.length === 0 && !everywhere) {
      throw new Refusal(
        'image-automation',
        `${paths.join(', ')} has lines that image automation writes ($imagepolicy), but no ImageUpdateAutomation that does is to be seen, and the credentials may not list those of all namespaces.`,
        {
          remedy: 'Give the credentials list on imageupdateautomations in all namespaces (a ClusterRole).',
        },
      );
    }
    return writers;
  }

  private async read() {
    if (this.chains === undefined) throw new ClusterUnavailable('the cluster cannot be seen');
    return await this.parts.cluster.automations(this.chains);
  }

  private branch(): string | undefined {
    return Object.values(this.chains ?? {})[0]?.source.branch;
  }

  private async atMost<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { clock, cancel, say } = this.parts;
    const stop = new AbortController();
    const late = clock
      .sleep(cancel.aborted ? WHILE_CANCELLED_MS : AT_MOST_MS, stop.signal)
      .then(() => undefined);
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (!isExpected(error)) throw error;
      say(`Image automation could not be seen to: ${error.message}`);
      return undefined;
    } finally {
      stop.abort();
    }
  }
}

export interface AutomationsEnd {
  readonly notes: readonly string[];
  /** What a person has to do, with the commands. */
  readonly resume: readonly string[];
}

const UNKEPT: AutomationsEnd = {
  notes: [
    'Image automation could not be suspended before the revert; it may write the rejected version again.',
  ],
  resume: [
    'Suspend image automation by hand: flux get image update -A, flux suspend image update NAME -n NAMESPACE',
  ],
};

interface Ended {
  readonly automation: ImageAutomation;
  readonly hold: AutomationHold;
}

function endOf(ended: readonly Ended[], id: string): AutomationsEnd {
  const kept = ended.filter(({ hold }) => hold.suspended && hold.keptFor.includes(id));
  return {
    notes: ended.map(({ automation, hold }) => endWords(automation, hold, id)),
    resume: kept.map(
      ({ automation: { name, namespace } }) =>
        `Image automation is resumed when a good version is there: flux resume image update ${name} -n ${namespace}`,
    ),
  };
}

function endWords(automation: ImageAutomation, hold: AutomationHold, id: string): string {
  const name = nameOf(automation);
  if (!hold.suspended) return `${name} goes on again.`;
  if (hold.keptFor.includes(id)) {
    return `${name} stays suspended, because it would write the rejected version again. ${resumeWords(automation)}`;
  }
  const others = [...hold.heldFor, ...hold.keptFor].join(', ');
  return others === ''
    ? `${name} is suspended, and not by us; it is left as it is.`
    : `${name} stays suspended for ${others}.`;
}

export function resumeWords({ name, namespace }: Pick<ImageAutomation, 'name' | 'namespace'>): string {
  return `To resume it: flux resume image update ${name} -n ${namespace}`;
}

export function nameOf({ namespace, name }: Pick<ImageAutomation, 'name' | 'namespace'>): string {
  return `ImageUpdateAutomation ${namespace}/${name}`;
}

/** Its update.path covers one of the files. */
function writesTo({ path }: ImageAutomation, paths: readonly string[]): boolean {
  return path === '' || paths.some(each => each === path || each.startsWith(`${path}/`));
}

function nobodyComes(coming: readonly ImageAutomation[], paths: readonly string[]): Refusal {
  const [asleep] = coming;
  const files = paths.join(', ');
  if (!asleep) {
    return new Refusal(
      'image-automation',
      `No ImageUpdateAutomation of this repository writes ${files}, so that nobody would bring the release.`,
      {
        remedy:
          'Look at spec.sourceRef and spec.update.path of the ImageUpdateAutomation, or say image-automation: suspend to have it committed by us.',
      },
    );
  }
  const why = suspendedByAPerson(asleep.hold)
    ? 'is suspended'
    : `is suspended since ${[...asleep.hold.keptFor, ...asleep.hold.heldFor].join(', ')}`;
  return new Refusal(
    'image-automation',
    `${nameOf(asleep)}, which writes ${files}, ${why}, so that nobody would bring the release.`,
    { remedy: `flux resume image update ${asleep.name} -n ${asleep.namespace}` },
  );
}

function isExpected(error: unknown): error is Error {
  return error instanceof Refusal || error instanceof ClusterForbidden || error instanceof ClusterUnavailable;
}
