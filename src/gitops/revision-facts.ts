import { httpFailure, limitHit } from '../github/http-errors.ts';
import type { CommitRecord, RevisionFacts } from '../rollout/ports.ts';
import type { Comparison } from './listed-commit.ts';
import type { ObjectStore } from './object-store.ts';

/** Watching must not wait long for GitHub: the next look asks again, ms. */
const CALL_BUDGET_MS = 5_000;
/** After a failure GitHub is left alone for this long, unless it names a longer time, ms. */
const PAUSE_MS = 15_000;
/** Docs "Exceeding the rate limit": at least a minute when no time is given, ms. */
const LIMITED_PAUSE_MS = 60_000;

export interface RevisionQuery {
  /** A commit, 40 hex digits. */
  readonly revision: string;
  readonly commit: CommitRecord;
  readonly revert: string | undefined;
}

/**
 * Relates revisions that Flux names to our commit and our revert. Commits never change, so each answer is kept: a new
 * revision costs one comparison, the commit itself and its parent none.
 */
export class RevisionRelations {
  private readonly store: ObjectStore;
  private readonly facts = new Map<string, RevisionFacts>();
  private readonly comparisons = new Map<string, Promise<Comparison>>();
  private pausedUntil = 0;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** Undefined when GitHub could not be asked just now, or does not know the revision (yet). */
  async of(query: RevisionQuery): Promise<RevisionFacts | undefined> {
    const { revision, commit, revert } = query;
    const key = [revision, commit.sha, revert ?? ''].join(' ');
    const known = this.facts.get(key) ?? withoutAsking(query);
    if (known !== undefined) return known;
    const { clock } = this.store.git.client;
    if (clock.now() < this.pausedUntil) return undefined;
    try {
      const facts = await this.ask(query);
      this.facts.set(key, facts);
      return facts;
    } catch (error) {
      const failure = httpFailure(error);
      if (failure === undefined) throw error;
      const limit = limitHit(failure, clock.now());
      const pause = limit === undefined ? PAUSE_MS : (limit.waitMs ?? LIMITED_PAUSE_MS);
      this.pausedUntil = clock.now() + Math.max(pause, PAUSE_MS);
      return undefined;
    }
  }

  private async ask(query: RevisionQuery): Promise<RevisionFacts> {
    const { revision, commit, revert } = query;
    if (revert !== undefined && !(await this.knownToPrecede(query, revert))) {
      const since = await this.compare(revert, revision);
      if (holds(since)) {
        return {
          // Not always: a branch that was rewritten holds the revert and not the commit.
          containsCommit: holds(await this.compare(commit.sha, revert)),
          containsRevert: true,
          changesOurPaths: await this.differs(since, { from: revert, to: revision, commit }),
        };
      }
    }
    const since = await this.compare(commit.sha, revision);
    if (!holds(since)) return { containsCommit: false, containsRevert: false, changesOurPaths: false };
    return {
      containsCommit: true,
      containsRevert: false,
      changesOurPaths: await this.differs(since, { from: commit.sha, to: revision, commit }),
    };
  }

  /** Whether an earlier comparison has shown already that the revision does not hold the revert. */
  private async knownToPrecede({ revision, commit }: RevisionQuery, revert: string): Promise<boolean> {
    const since = await this.comparisons.get(`${commit.sha} ${revision}`);
    if (since === undefined || !holds(since) || !since.allCommits) return false;
    return !since.commits.some(({ sha }) => sha === revert);
  }

  /** Whether a path of ours is not as it was at `from`. What was changed and changed back is as it was. */
  private async differs(
    since: Comparison,
    on: { readonly from: string; readonly to: string; readonly commit: CommitRecord },
  ): Promise<boolean> {
    const paths = on.commit.files.map(({ path }) => path);
    const { changed } = since;
    if (changed !== undefined) return paths.some(path => changed.has(path));
    const [before, after] = await Promise.all([this.store.commit(on.from), this.store.commit(on.to)]);
    const same = await Promise.all(
      paths.map(async path => {
        const [old, now] = await Promise.all([
          this.store.entry(before.tree, path),
          this.store.entry(after.tree, path),
        ]);
        return old?.sha === now?.sha && old?.mode === now?.mode;
      }),
    );
    return same.includes(false);
  }

  private compare(base: string, head: string): Promise<Comparison> {
    const key = `${base} ${head}`;
    const known = this.comparisons.get(key);
    if (known !== undefined) return known;
    const asked = this.store.git.compare(base, head, { budgetMs: CALL_BUDGET_MS }).catch((error: unknown) => {
      this.comparisons.delete(key);
      throw error;
    });
    this.comparisons.set(key, asked);
    return asked;
  }
}

/** Our commit itself and what it was made on need no asking: nothing that came later can be in them. */
function withoutAsking({ revision, commit, revert }: RevisionQuery): RevisionFacts | undefined {
  if (revision === commit.sha) {
    return { containsCommit: true, containsRevert: revision === revert, changesOurPaths: false };
  }
  if (revision === commit.parent) {
    return { containsCommit: false, containsRevert: false, changesOurPaths: false };
  }
  return undefined;
}

function holds({ status }: Comparison): boolean {
  return status === 'ahead' || status === 'identical';
}
