import type { FoundValue } from '../plan/plan.ts';
import { plain } from '../report/markdown-text.ts';
import type { TargetKey } from '../rollout/target.ts';
import type { Reason } from '../rollout/verdict.ts';
import { REASONS } from '../rollout/verdict.ts';

/** Title and body of our commits; trailers are in rollout-record.ts, and gitops/commit-message.ts makes them harmless. */
export interface CommitText {
  readonly title: string;
  readonly body: string;
}

export function releaseText(release: {
  readonly name: string;
  readonly targets: readonly TargetKey[];
  readonly found: readonly FoundValue[];
  readonly source: { readonly repository: string; readonly sha: string };
}): CommitText {
  const changes = distinctChanges(release.found);
  const [first] = changes;
  const summary =
    changes.length === 1 && first ? `${first.change} ${first.requested}` : `${changes.length} changes`;
  const lines = changes.map(({ change, current, requested }) =>
    current === requested ? `${change}: ${requested} (again)` : `${change}: ${current} → ${requested}`,
  );
  return {
    title: `Release ${release.name}: ${summary}`,
    body: [
      ...lines,
      '',
      `For ${release.targets.join(', ')}, from ${release.source.repository}@${release.source.sha.slice(0, 7)}.`,
      'If the canary fails, this commit is reverted automatically.',
    ].join('\n'),
  };
}

export function adoptionText(adoption: {
  readonly name: string;
  readonly adopted: readonly TargetKey[];
}): CommitText {
  return {
    title: `Adopt ${adoption.name} with Flagger`,
    body: [
      `Adds the Canary of ${adoption.adopted.join(', ')} and leaves the pod template as it is: Flagger makes a`,
      'primary of what runs now, without an analysis. Releases follow in commits of their own.',
    ].join('\n'),
  };
}

/** The second commit of a rollout with a barrier. */
export function openingText(opening: {
  readonly name: string;
  readonly targets: readonly TargetKey[];
}): CommitText {
  return {
    title: `Promote ${opening.name}: all canaries passed`,
    body: `Takes the barrier out of ${opening.targets.join(', ')}, so that Flagger promotes them together.`,
  };
}

export function revertText(revert: {
  readonly name: string;
  readonly commit: string;
  /** Of somebody else's commit only what we followed is taken back. */
  readonly paths?: readonly string[];
  readonly reason: Reason;
  readonly detail: string;
}): CommitText {
  const what =
    revert.paths === undefined
      ? `This reverts commit ${revert.commit}.`
      : `This takes back what commit ${revert.commit} changed in ${revert.paths.join(', ')}.`;
  return {
    title: `Revert release of ${revert.name}: ${REASONS[revert.reason].replace(/\.$/, '')}`,
    body: [what, '', revert.detail].join('\n'),
  };
}

const LONGEST = 2_000;

/** What the revert pull request says to the person who has to decide. */
export function revertPullRequestText(revert: {
  readonly name: string;
  readonly commit: string;
  readonly commitUrl: string;
  readonly runUrl: string;
  readonly detail: string;
  readonly why: string;
}): CommitText {
  return {
    title: `Revert release of ${revert.name}?`,
    // A pull request is markdown, and both hold words of others (events, webhooks).
    body: [
      plain(revert.detail, LONGEST),
      '',
      `Gated Rollout did not take commit ${revert.commit} back by itself: ${plain(revert.why, LONGEST)}`,
      '',
      'Until this is decided, Git still asks for the rejected release. Merge this to take it back, or push a fix.',
      '',
      `[The rejected commit](${revert.commitUrl}) · [the run](${revert.runUrl})`,
    ].join('\n'),
  };
}

function distinctChanges(found: readonly FoundValue[]): readonly FoundValue[] {
  const seen = new Map(found.map(value => [`${value.change}\0${value.requested}`, value]));
  return [...seen.values()];
}
