import type { Row } from '../../testbed/record.ts';
import type { CanaryRow, KustomizationRow } from '../../testbed/record-rows.ts';

/**
 * What a recording keeps of a run: how a Canary's status moved and what its Kustomization attempted and applied, without
 * times. Hashes and revisions become letters in the order in which they were first seen, so that runs can be compared.
 */
export interface Story {
  readonly canary: readonly string[];
  readonly kustomization: readonly string[];
}

type CanaryStatus = Pick<
  CanaryRow,
  | 'phase'
  | 'canaryWeight'
  | 'iterations'
  | 'failedChecks'
  | 'lastAppliedSpec'
  | 'lastPromotedSpec'
  | 'promoted'
>;
type Applied = Pick<KustomizationRow, 'lastAttemptedRevision' | 'lastAppliedRevision' | 'ready'>;

/** Takes what a watch showed, and tells the story of it. */
export class StoryRecorder {
  private readonly canary: string[] = [];
  private readonly kustomization: string[] = [];
  private readonly hashes = new Letters();
  private readonly revisions = new Letters();
  /** Condition times as they were last, to say which of them moved. */
  private times: CanaryRow['promoted'] | undefined;

  canaryStatus(status: CanaryStatus): void {
    if (status.phase === '' || status.phase === 'Initializing') return;
    const promotedSpec = this.hashes.of(status.lastPromotedSpec);
    const line = [
      status.phase,
      `weight ${status.canaryWeight}`,
      `iteration ${status.iterations}`,
      `failed ${status.failedChecks}`,
      `applied ${this.hashes.of(status.lastAppliedSpec)}`,
      `promoted ${promotedSpec}`,
      `Promoted=${status.promoted.status}`,
    ].join(', ');
    const previous = this.canary.at(-1)?.replace(/; .*/, '');
    if (line === previous) return;
    this.canary.push(`${line}${this.moved(status.promoted)}`);
    this.times = status.promoted;
  }

  applied({ lastAttemptedRevision, lastAppliedRevision, ready }: Applied): void {
    // Unknown is on the way to something, for as long as it takes.
    if (lastAttemptedRevision === '' || !/^(?:True|False)/.test(ready)) return;
    const attempted = this.revisions.of(lastAttemptedRevision);
    const applied = lastAppliedRevision === '' ? 'nothing' : this.revisions.of(lastAppliedRevision);
    const line = `attempted ${attempted}, applied ${applied}, ${ready}`;
    if (line !== this.kustomization.at(-1)) this.kustomization.push(line);
  }

  get story(): Story {
    return { canary: this.canary, kustomization: this.kustomization };
  }

  /** The condition's times have a second's precision, which hides nothing: a tick takes ten. */
  private moved(promoted: CanaryRow['promoted']): string {
    if (this.times === undefined) return '';
    const names = [
      ...(promoted.lastTransitionTime === this.times.lastTransitionTime ? [] : ['lastTransitionTime']),
      ...(promoted.lastUpdateTime === this.times.lastUpdateTime ? [] : ['lastUpdateTime']),
    ];
    return names.length === 0 ? '' : `; new ${names.join(' and ')}`;
  }
}

class Letters {
  private readonly known = new Map<string, string>();

  of(value: string): string {
    const letter = this.known.get(value) ?? String.fromCharCode(65 + this.known.size);
    this.known.set(value, letter);
    return letter;
  }
}

export function storyOfRows(rows: readonly Row[], canary = 'podinfo'): Story {
  const recorder = new StoryRecorder();
  for (const row of rows) {
    if (!('kind' in row) || 'deleted' in row) continue;
    if (row.kind === 'Canary' && row.name === canary) recorder.canaryStatus(row);
    if (row.kind === 'Kustomization') recorder.applied(row);
  }
  return recorder.story;
}

const HEADINGS = ['# Canary', '# Kustomization'] as const;

/** A story as a file: two lists under headings. */
export function formatStory({ canary, kustomization }: Story): string {
  return [HEADINGS[0], ...canary, '', HEADINGS[1], ...kustomization, ''].join('\n');
}

export function parseStory(text: string): Story {
  const [canary = '', kustomization = ''] = text.split(`${HEADINGS[1]}\n`);
  const lines = (part: string): readonly string[] =>
    part.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return { canary: lines(canary), kustomization: lines(kustomization) };
}

/** The first step in which two stories differ, in words; undefined when they are the same. */
export function firstDifference(recorded: Story, seen: Story): string | undefined {
  for (const part of ['canary', 'kustomization'] as const) {
    const length = Math.max(recorded[part].length, seen[part].length);
    for (let step = 0; step < length; step += 1) {
      const [wanted = 'the end', found = 'the end'] = [recorded[part][step], seen[part][step]];
      if (wanted !== found) {
        return `${part}, step ${step + 1}:\n  recorded: ${wanted}\n  seen:     ${found}\nafter: ${recorded[part][step - 1] ?? 'the beginning'}`;
      }
    }
  }
  return undefined;
}
