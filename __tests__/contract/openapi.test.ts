import { beforeAll, describe, expect, it } from 'vitest';
import { startGitHub } from '../../sandbox/github/embedded-github.ts';
import type { Exchange } from '../../sandbox/github/exchange-log.ts';
import { FLEET, Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { OpenApiJudge } from './openapi.ts';

/** Every exchange of rollouts that use all of what we ask GitHub for. */
let exchanges: readonly Exchange[] = [];

beforeAll(async () => {
  const sandbox = await Sandbox.start();
  try {
    const pull = await sandbox.github.proposeChange(SOURCE, {
      branch: 'feature',
      files: { A: 'a' },
      title: 'Feature',
    });
    const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
    await sandbox.release('6.14.1', { sha });
    sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
    await sandbox.release('6.14.2', { sha });
    const blocked = await sandbox.start({ inputs: { set: 'image=6.14.3' } });
    await sandbox.waitForPhase('Progressing');
    const text = (await sandbox.file('apps/deployment.yaml')) ?? '';
    await sandbox.github.push(FLEET, {
      files: { 'apps/deployment.yaml': text.replace(/(image: .*)$/m, '$1 # remark') },
      message: 'Remark',
    });
    await blocked.done;
    await blocked.post();
    exchanges = sandbox.github.requests.filter(({ kind, path }) => kind === 'api' && path !== '/graphql');
  } finally {
    await sandbox.close();
  }
}, 120_000);

describe('the embedded GitHub and what we ask of it', () => {
  it('saw all kinds of calls that a rollout makes', () => {
    const asked = new Set(
      exchanges.map(({ method, path }) => `${method} ${path.split('/').slice(4, 6).join('/')}`),
    );
    expect([...asked]).toEqual(
      expect.arrayContaining([
        'POST git/trees',
        'POST git/commits',
        'PATCH git/refs',
        'POST check-runs',
        'POST pulls',
        'POST git/refs',
        'GET activity',
      ]),
    );
  });

  it('holds against GitHub’s OpenAPI description, requests and answers', () => {
    const judge = new OpenApiJudge();
    const problems = exchanges.flatMap(exchange => judge.problemsOf(exchange));
    expect([...new Set(problems)]).toEqual([]);
  });

  it('is judged by a judge that finds what is wrong', () => {
    const judge = new OpenApiJudge();
    const commit = exchanges.find(({ method, path }) => method === 'POST' && path.endsWith('/git/commits'));
    if (!commit) throw new Error('No commit was made.');
    expect(judge.problemsOf({ ...commit, answer: { sha: 1 } }).join('\n')).toContain("'node_id'");
    expect(judge.problemsOf({ ...commit, body: { tree: 'x' } }).join('\n')).toContain("'message'");
    expect(judge.problemsOf({ ...commit, path: '/repos/a/b/nowhere' }).join('\n')).toContain(
      'no such operation',
    );
    expect(judge.problemsOf({ ...commit, status: 299 }).join('\n')).toContain('not described');
  });

  it('writes who made a commit, and whose signature it has, as GitHub does', async () => {
    const github = await startGitHub();
    try {
      await github.createRepository(FLEET, { files: { 'README.md': 'x' } });
      const author = { name: 'rollout[bot]', email: 'rollout[bot]@users.noreply.github.com' };
      const mona = { name: 'mona', email: expect.stringMatching(/^\d+\+mona@users\.noreply\.github\.com$/) };
      const gitHub = { name: 'GitHub', email: 'noreply@github.com' };
      // Docs "About merge methods": a rebase keeps the author and loses the signature; what the buttons make is signed.
      for (const [method, made] of [
        ['merge', { author: mona, committer: gitHub, verified: true }],
        [
          'squash',
          {
            author: { ...mona, name: 'lisa', email: expect.stringContaining('+lisa@') },
            committer: gitHub,
            verified: true,
          },
        ],
        ['rebase', { author, committer: mona, verified: false }],
      ] as const) {
        await github.push(FLEET, {
          branch: method,
          files: { [method]: 'x' },
          message: 'x',
          author,
          signed: true,
        });
        const wanted = { title: 'x', head: method, base: 'main', user: 'lisa' };
        await github.mergePullRequest(FLEET, await github.openPullRequest(FLEET, wanted), {
          method,
          by: 'mona',
        });
        expect((await github.log(FLEET))[0], method).toMatchObject(made);
      }
      const committer = { email: 'noreply@github.com' };
      const byApi = exchanges.filter(
        ({ method, path }) => method === 'POST' && path.endsWith('/git/commits'),
      );
      for (const { answer } of byApi) {
        const our = { email: expect.stringMatching(/^\d+\+rollout\[bot\]@users\.noreply\.github\.com$/) };
        expect(answer).toMatchObject({ author: our, committer, verification: { verified: true } });
      }
    } finally {
      await github.close();
    }
  });

  it('never forces a branch, and never names an author, so that GitHub can sign', () => {
    for (const { method, path, body } of exchanges) {
      if (method === 'PATCH' && path.includes('/git/refs/')) expect(body).toMatchObject({ force: false });
      if (method === 'POST' && path.endsWith('/git/commits')) {
        expect(body).not.toHaveProperty('author');
        expect(body).not.toHaveProperty('committer');
      }
    }
  });
});
