import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../src/gitops/commit-files.ts';
import { GitData } from '../../src/gitops/git-data.ts';
import { BranchHead } from '../../src/gitops/landing/branch-head.ts';
import { ObjectStore } from '../../src/gitops/object-store.ts';
import { OwnCommits } from '../../src/gitops/own-commit.ts';
import { revertFiles } from '../../src/gitops/revert-files.ts';
import type { FileChange, RevertRequest } from '../../src/rollout/ports.ts';
import { type Answer, World } from './world.ts';

const FILE = 'deployment.yaml';
const OLD = 'kind: Deployment\nreplicas: 1\nspec:\n  a: 1\n  b: 2\nimage: podinfo:6.14.0\n  c: 3\n';
const NEW = OLD.replace('6.14.0', '6.14.1');

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Answer>({ kind: 'well' }) },
  { weight: 1, arbitrary: fc.constant<Answer>({ kind: 'lost-before' }) },
  { weight: 2, arbitrary: fc.constant<Answer>({ kind: 'lost-after' }) },
  { weight: 1, arbitrary: fc.nat(40_000).map((ms): Answer => ({ kind: 'lost-late', ms })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        [401, 'Bad credentials'] as const,
        [403, 'Resource not accessible by integration'] as const,
        [403, 'Forbidden'] as const,
        [404, 'Not Found'] as const,
        [409, 'Conflict'] as const,
        [422, 'Reference cannot be updated'] as const,
        [422, 'Reference update failed'] as const,
        [429, 'You have exceeded a secondary rate limit'] as const,
        [500, 'Server Error'] as const,
      )
      .map(([status, message]): Answer => ({ kind: 'refused', status, message, headers: {} })),
  },
);

/** Others push elsewhere, or to our file, before one of the requests. */
const anyOther = fc.record({
  before: fc.nat(12),
  deed: fc.constantFrom('elsewhere', 'comment', 'same line', 'rewrite') as fc.Arbitrary<Deed>,
});
type Deed = 'elsewhere' | 'comment' | 'same line' | 'rewrite';

function doAs(deed: Deed, world: World): void {
  const text = world.head.files[FILE] ?? '';
  if (deed === 'elsewhere') world.push({ 'other.yaml': `${world.now}` }, 'Elsewhere');
  else if (deed === 'comment') world.push({ [FILE]: `# a word\n${text}` }, 'A word');
  else if (deed === 'same line') world.push({ [FILE]: text.replace(/6\.14\.\d/, '6.14.9') }, 'Hotfix');
  else world.rewrite(1, { 'rewritten.yaml': `${world.now}` });
}

function parts(world: World) {
  const store = new ObjectStore(new GitData(world.client(), { owner: 'acme', repo: 'fleet' }));
  return {
    store,
    head: new BranchHead(store, 'main'),
    own: new OwnCommits({ git: store.git, branch: 'main', login: 'bot' }),
  };
}

const request = (
  world: World,
): { readonly files: readonly FileChange[] } & Parameters<typeof commitFiles>[1] => ({
  files: [
    {
      path: FILE,
      before: world.record(world.head).files.find(({ path }) => path === FILE)?.after ?? null,
      text: NEW,
    },
  ],
  title: 'Release',
  body: '',
  trailers: [['Gated-Rollout-Id', 'podinfo-1']],
  beforePush: () => {},
  mustBeVerified: false,
});

function revertOf(world: World): RevertRequest {
  const commit = world.record(world.head);
  return {
    commit,
    files: commit.files.map(({ path, before }) => ({
      path,
      restored: before ? { kind: 'blob', blob: before } : { kind: 'absent' },
    })),
    title: 'Revert',
    body: '',
    trailers: [['Gated-Rollout-Reverts', 'podinfo-1']],
    beforePush: () => {},
    deadline: world.now + 30 * 60_000,
  };
}

const ofTitle = (world: World, title: string) =>
  world.branch.filter(sha => world.commits.get(sha)?.message.startsWith(title));

const schedule = {
  answers: fc.array(anyAnswer, { maxLength: 25 }),
  moves: fc.array(anyAnswer, { maxLength: 4 }),
  lagMs: fc.constantFrom(0, 0, 3_000, 12_000),
  others: fc.array(anyOther, { maxLength: 2 }),
};

describe('what is said of a write is so', () => {
  it('commits: landed is on the branch, once; refused and stale are not, and never come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(schedule), async ({ answers, moves, lagMs, others }) => {
        const world = new World({ [FILE]: OLD });
        const asked = request(world);
        Object.assign(world, { answers: [...answers], moves: [...moves], lagMs });
        world.now += 60_000;
        for (const { before, deed } of others)
          if (deed !== 'rewrite') world.others.set(before, () => doAs(deed, world));
        const outcome = await commitFiles(parts(world), asked);
        world.catchUp(Number.POSITIVE_INFINITY);
        const ours = ofTitle(world, 'Release');
        if (outcome.kind === 'committed') expect(ours).toEqual([outcome.commit.sha]);
        else if (outcome.kind === 'unsure') expect(ours.length).toBeLessThanOrEqual(1);
        else expect(ours).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });

  it('reverts: reverted shows on the branch, nothing of the release is left, and nobody else’s words are lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record(schedule), async ({ answers, moves, lagMs, others }) => {
        const world = new World({ [FILE]: OLD });
        // Longer ago than any replica lags; only the release may be too new to be seen.
        world.now += 60_000;
        world.push({ [FILE]: NEW }, 'Release');
        const asked = revertOf(world);
        Object.assign(world, { answers: [...answers], moves: [...moves], lagMs });
        for (const { before, deed } of others) world.others.set(before, () => doAs(deed, world));
        const outcome = await revertFiles({ ...parts(world), mayDelete: () => false }, asked);
        world.catchUp(Number.POSITIVE_INFINITY);
        const made = ofTitle(world, 'Revert');
        expect(made.length).toBeLessThanOrEqual(1);
        const rewritten = others.some(({ deed }) => deed === 'rewrite');
        switch (outcome.kind) {
          case 'reverted':
            expect(outcome.revert.sha).not.toBe(asked.commit.sha);
            if (!rewritten) {
              expect(made).toEqual([outcome.revert.sha]);
              expect(world.commits.get(outcome.revert.sha)?.files[FILE]).not.toContain('6.14.1');
            }
            break;
          case 'already':
            expect(outcome.revert.sha).not.toBe(asked.commit.sha);
            expect(world.commits.get(outcome.revert.sha)?.files[FILE]).not.toContain('6.14.1');
            break;
          case 'conflict':
            expect(others.some(({ deed }) => deed === 'same line' || deed === 'rewrite')).toBe(true);
            if (!rewritten) expect(made).toEqual([]);
            break;
          case 'refused':
            if (!rewritten) expect(made).toEqual([]);
            break;
          case 'unsure':
            break;
        }
        for (const sha of made) {
          const parent = world.commits.get(world.commits.get(sha)?.parent ?? '');
          const words = parent?.files[FILE]?.includes('# a word');
          if (words) expect(world.commits.get(sha)?.files[FILE]).toContain('# a word');
        }
      }),
      { numRuns: 600 },
    );
  });
});

describe('a lost answer, and then a no', () => {
  const FORBIDDEN: Answer = {
    kind: 'refused',
    status: 403,
    message: 'Resource not accessible by integration',
    headers: {},
  };

  it.each([
    [401, 'Bad credentials'],
    [403, 'Resource not accessible by integration'],
    [404, 'Not Found'],
    [429, 'API rate limit exceeded'],
  ])('%i %s does not make a commit that landed “not written”', async (status, message) => {
    const world = new World({ [FILE]: OLD });
    const asked = request(world);
    world.moves = [{ kind: 'lost-after' }, { kind: 'refused', status, message, headers: {} }];
    const outcome = await commitFiles(parts(world), asked);
    expect(outcome).toMatchObject({ kind: 'committed', commit: { sha: world.head.sha } });
  });

  it.each([0, 12_000])('nor where reads are down, or lag by %i ms', async lagMs => {
    const world = new World({ [FILE]: OLD });
    const asked = request(world);
    world.lagMs = lagMs;
    world.now += 60_000;
    const refused = Array.from({ length: 60 }, () => FORBIDDEN);
    world.moves = [{ kind: 'lost-after' }, ...refused];
    world.others.set(5, () => {
      if (lagMs === 0) world.answers = [...refused];
    });
    const outcome = await commitFiles(parts(world), asked);
    expect(outcome.kind).toBe(lagMs === 0 ? 'unsure' : 'committed');
    expect(ofTitle(world, 'Release')).toHaveLength(1);
  });

  it('an update that takes effect later than anybody looks is unsure, not refused', async () => {
    const world = new World({ [FILE]: OLD });
    const asked = request(world);
    world.moves = [{ kind: 'lost-late', ms: 90_000 }, FORBIDDEN];
    expect((await commitFiles(parts(world), asked)).kind).toBe('unsure');
    world.catchUp(Number.POSITIVE_INFINITY);
    expect(ofTitle(world, 'Release')).toHaveLength(1);
  });
});

describe('reads that lag behind', () => {
  const reverting = async (prepare: (world: World) => void) => {
    const world = new World({ [FILE]: OLD });
    world.now += 60_000;
    world.push({ [FILE]: NEW }, 'Release');
    const asked = revertOf(world);
    prepare(world);
    const outcome = await revertFiles({ ...parts(world), mayDelete: () => false }, asked);
    return { world, asked, outcome };
  };

  it('a head without our commit is asked for again, and the release is never called its own revert', async () => {
    const { world, outcome } = await reverting(on => {
      on.lagMs = 12_000;
    });
    expect(outcome).toMatchObject({ kind: 'reverted', revert: { how: 'made' } });
    expect(world.head.files[FILE]).toBe(OLD);
  });

  it('a branch that somebody set back holds what was before, and nobody’s revert is named', async () => {
    const { world, outcome } = await reverting(on => on.rewrite(1, { 'other.yaml': 'x' }));
    expect(outcome).toEqual({ kind: 'already', revert: { sha: world.head.sha, url: '', how: 'found' } });
  });

  it('a comment that somebody added stays, and the release goes', async () => {
    const { world, outcome } = await reverting(on => on.push({ [FILE]: `# a word\n${NEW}` }, 'A word'));
    expect(outcome.kind).toBe('reverted');
    expect(world.head.files[FILE]).toBe(`# a word\n${OLD}`);
  });

  it('the very line that somebody changed is named', async () => {
    const { outcome } = await reverting(on => on.push({ [FILE]: NEW.replace('6.14.1', '6.14.9') }, 'Hotfix'));
    expect(outcome).toMatchObject({ kind: 'conflict', paths: [`${FILE}:6`] });
  });

  it.each([
    [401, 'Bad credentials', 3],
    [403, 'Forbidden', 3],
    [404, 'Not Found', 3],
    [422, 'Reference cannot be updated', 3],
    [503, 'Service Unavailable', 12],
  ])('%i %s passes, and the revert lands', async (status, message, times) => {
    const { world, outcome } = await reverting(on => {
      on.answers = Array.from({ length: times }, () => ({ kind: 'refused', status, message, headers: {} }));
    });
    expect(outcome.kind).toBe('reverted');
    expect(world.head.files[FILE]).toBe(OLD);
  });

  it('a limit of two minutes is waited for', async () => {
    const { world, outcome } = await reverting(on => {
      const limit: Answer = {
        kind: 'refused',
        status: 403,
        message: 'You have exceeded a secondary rate limit.',
        headers: { 'retry-after': '120' },
      };
      on.answers = [limit, limit];
    });
    expect(outcome.kind).toBe('reverted');
    expect(world.head.files[FILE]).toBe(OLD);
  });

  it('a rule that GitHub names is not asked twice', async () => {
    const { world, outcome } = await reverting(on => {
      on.answers = [
        { kind: 'well' },
        { kind: 'well' },
        { kind: 'well' },
        { kind: 'refused', status: 422, message: 'Repository rule violations found', headers: {} },
      ];
    });
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'branch-protected' });
    expect(world.requests.filter(each => each.startsWith('PATCH'))).toHaveLength(1);
  });
});
