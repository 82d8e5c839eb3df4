import type { RolloutFile } from '../config/settings.ts';
import { Refusal } from '../rollout/verdict.ts';
import { isOfTemplate } from '../rollout/identity.ts';
import type { FluxChain } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import { kindOfKey, type TargetKey } from '../rollout/target.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { FoundValue, PlanWarning } from './plan.ts';
import type { AppliedChange } from './changes/apply.ts';

/** image-automation-controller pkg/update/setters.go: the comment by which it knows the lines that it writes. */
const MARKER = '$imagepolicy';

/** Paths of the changed files in which image automation writes lines: it could undo a revert of any of them. */
export function automatedFiles(files: readonly FileChange[]): readonly string[] {
  return files.filter(({ before }) => before?.text.includes(MARKER) === true).map(({ path }) => path);
}

/**
 * Whether the values of this plan are written by image automation and only followed by us: all of them, or none.
 * @throws Refusal `image-automation` when some are and others are not, or when the pods would not show them.
 */
export async function followsAutomation(
  applied: readonly AppliedChange[],
  on: {
    readonly files: RepositoryFiles;
    readonly chains: Readonly<Record<TargetKey, FluxChain>>;
    readonly settings: Pick<RolloutFile, 'imageAutomation'>;
  },
): Promise<boolean> {
  if (on.settings.imageAutomation !== 'follow') return false;
  const marked = await Promise.all(applied.map(({ found }) => isMarked(found, on.files)));
  if (!marked.includes(true)) return false;
  const unmarked = applied.find(
    ({ found }, index) => marked[index] === false && found.current !== found.requested,
  );
  if (unmarked) {
    const { found } = unmarked;
    throw new Refusal(
      'image-automation',
      `${found.change} stands in ${found.path}:${found.line}, which image automation does not write ($imagepolicy is missing), while it writes other values of this release. With image-automation: follow nothing is written by us.`,
      {
        remedy:
          'Release the two apart, give the line a marker of its own, or say image-automation: suspend to have all of it in one commit.',
      },
    );
  }
  refuseUnseen(applied);
  refuseOtherKinds(applied, on.chains);
  return true;
}

/** @throws Refusal when a target's pods would not tell one release from the other. */
function refuseUnseen(applied: readonly AppliedChange[]): void {
  const seen = new Set(
    applied
      .filter(({ expectation }) => expectation !== undefined && isOfTemplate(expectation))
      .map(({ found }) => found.target),
  );
  const unseen = applied.find(({ found }) => !seen.has(found.target));
  if (!unseen) return;
  const { found } = unseen;
  throw new Refusal(
    'image-automation',
    `${found.change} is no value of a pod template, so that a commit of image automation could not be told from others by what ${found.target} runs.`,
    { remedy: 'Say image-automation: suspend, so that our own commit puts an id on the pod template.' },
  );
}

/** @throws Refusal where more than the pod template carries an id by which a release is told. */
function refuseOtherKinds(
  applied: readonly AppliedChange[],
  chains: Readonly<Record<TargetKey, FluxChain>>,
): void {
  for (const { found } of applied) {
    const { target } = found;
    const release = chains[target]?.links.find(({ kind }) => kind === 'HelmRelease');
    const what = release
      ? 'is delivered by a HelmRelease'
      : kindOfKey(target) === 'Service'
        ? 'is a Knative Service'
        : undefined;
    if (what === undefined) continue;
    throw new Refusal(
      'image-automation',
      `${target} ${what}; a commit of image automation is followed for Deployments and DaemonSets of a Kustomization only.`,
      { remedy: 'Say image-automation: suspend, so that our own commit brings the release.' },
    );
  }
}

/** @throws Refusal when rollout.yaml asks for more than image automation writes. */
export function refuseOwnEdits(files: readonly FileChange[]): void {
  const [file] = files;
  if (!file) return;
  throw new Refusal(
    'image-automation',
    `rollout.yaml asks for changes of a Canary (${file.path}); with image-automation: follow nothing is written by us.`,
    {
      remedy:
        'Change the Canary by a commit of its own (or with image-automation: suspend), then release with follow.',
    },
  );
}

async function isMarked(found: FoundValue, files: RepositoryFiles): Promise<boolean> {
  const text = (await files.read(found.path))?.text ?? '';
  return text.split('\n')[found.line - 1]?.includes(MARKER) === true;
}

/** What the plan says of lines that image automation writes. */
export function automationWarnings(on: {
  readonly follows: boolean;
  readonly automated: readonly string[];
  readonly found: readonly FoundValue[];
}): readonly PlanWarning[] {
  if (on.follows) {
    return on.found
      .filter(({ current, requested }) => current !== requested)
      .map(({ path, line, requested }) => ({
        code: 'image-automation',
        message: `Image automation writes ${requested} to ${path}:${line}; its commit is waited for and followed.`,
        path,
        line,
      }));
  }
  return on.automated.map(path => ({
    code: 'image-automation',
    message: `Image automation writes lines of ${path} ($imagepolicy); it is suspended for as long as the rollout lasts.`,
    path,
  }));
}
