import type { FoundValue, ReleasePlan } from '../plan/plan.ts';
import type { CommitRecord } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { FollowedCommit, RunGitOps } from './parts.ts';

/** A commit of somebody else that brought what was asked for, and how things were before it. */
export interface Brought {
  readonly followed: FollowedCommit;
  readonly commit: CommitRecord;
  /** The values as they stood before, in the order of the plan. */
  readonly before: readonly FoundValue[];
}

/** Nobody releases something that has been in Git for so many commits to the same file. */
const MAX_COMMITS = 50;

/**
 * Goes back in the history of the files until none of the values is there any more. The newest commit that brought one
 * is followed; each path is remembered as it was before the value came to it, whichever commit that was.
 * @throws Refusal `image-automation` when it is not found.
 */
export async function findBringingCommit(on: {
  readonly gitops: RunGitOps;
  /** A plan in which all values are there. */
  readonly plan: ReleasePlan;
  /** Of whom the values are looked at; those that run them already are none of our business. */
  readonly isConcerned: (found: FoundValue) => boolean;
  readonly planAt: (commit: string) => Promise<ReleasePlan>;
}): Promise<Brought> {
  const { gitops, plan } = on;
  const concerned = plan.found.filter(on.isConcerned);
  const open = new Set(concerned.map(keyOf));
  const was = new Map<string, FoundValue>();
  const files = new Map<string, string>();
  let newest: string | undefined;
  const commits = await gitops.commitsTouching([...new Set(concerned.map(({ path }) => path))]);
  for (const sha of commits.slice(0, MAX_COMMITS)) {
    const parent = await gitops.parentOf(sha);
    const older = parent === undefined ? undefined : await planned(on.planAt, parent);
    if (parent === undefined || older === undefined) break;
    const gone = older.found.filter(found => open.has(keyOf(found)) && found.current !== found.requested);
    for (const found of gone) {
      newest ??= sha;
      open.delete(keyOf(found));
      was.set(keyOf(found), found);
    }
    if (gone.length > 0) {
      for (const { path } of older.files) if (!files.has(path)) files.set(path, parent);
    }
    if (open.size === 0) break;
  }
  if (newest === undefined || open.size > 0) throw notFound(concerned);
  const followed = {
    sha: newest,
    files: [...files].map(([path, before]) => ({ path, before })),
  };
  return {
    followed,
    commit: await gitops.followed(followed),
    before: concerned.map(found => was.get(keyOf(found)) ?? found),
  };
}

/** Undefined when the tree of an older commit cannot be planned on: what is released was not there. */
async function planned(
  planAt: (commit: string) => Promise<ReleasePlan>,
  commit: string,
): Promise<ReleasePlan | undefined> {
  try {
    return await planAt(commit);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function keyOf({ target, change }: FoundValue): string {
  return `${target}\0${change}`;
}

function notFound(found: readonly FoundValue[]): Refusal {
  const places = found.map(({ path, line }) => `${path}:${line}`).join(', ');
  return new Refusal(
    'image-automation',
    `The branch asks for the release already (${places}), and no commit of the last ${MAX_COMMITS} to these files brought it, so that there is none to follow.`,
    { remedy: 'Look at the Canary: what is in Git for so long was decided before this run.' },
  );
}
