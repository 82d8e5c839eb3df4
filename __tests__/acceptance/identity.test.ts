import { describe, type ExpectStatic, it } from 'vitest';
import { FLEET, ROLLOUT, type Sandbox } from '../../sandbox/sandbox.ts';
import {
  appCredentials,
  BACKDOOR,
  backdoorWasOnBranch,
  commitByApi,
  copiedTrailers,
  type Credentials,
  givenToken,
  hidePushes,
  merge,
  mergeForged,
  NOTES,
  notes,
  personalToken,
  unmergedBackdoor,
} from './forged-commits.ts';
import { midAnalysis, withSandbox } from './with-sandbox.ts';

/** Ways to get a commit onto the branch with the help of somebody who may merge. */
const MERGED = [
  { method: 'merge' },
  { method: 'merge', signed: true },
  { method: 'rebase' },
  { method: 'rebase', signed: true },
  { method: 'squash' },
  { method: 'push' },
  { method: 'push', signed: true },
  { method: 'squash', openedByUs: true },
] as const;

const LONG_MS = 300_000;

async function sweep(sandbox: Sandbox, { inputs }: Credentials) {
  const running = await sandbox.start({
    inputs: { ...inputs, mode: 'sweep', 'apply-timeout': '1m' },
    event: { name: 'schedule', payload: {} },
  });
  const main = await running.done;
  await running.post();
  return main;
}

async function forgeAll(
  sandbox: Sandbox,
  on: {
    readonly credentials: Credentials;
    readonly restore: string;
    readonly ways: readonly (typeof MERGED)[number][];
  },
): Promise<void> {
  const { login } = on.credentials;
  for (const [at, how] of on.ways.entries()) {
    const id = `podinfo-forged-${at}`;
    const message = await copiedTrailers(sandbox, { id, restore: on.restore });
    // Each in a file of its own: it is still what is asked for when others have followed.
    const files = { [`${NOTES}-${at}.md`]: `${id} for ${login}\n` };
    const openedBy = 'openedByUs' in how ? { openedBy: login } : {};
    await mergeForged(sandbox, { login, message, files, ...openedBy, signed: 'signed' in how }, how.method);
  }
}

async function expectNothingBelieved(
  sandbox: Sandbox,
  { credentials, expect }: { readonly credentials: Credentials; readonly expect: ExpectStatic },
): Promise<void> {
  const head = await sandbox.github.head(FLEET);
  const swept = await sweep(sandbox, credentials);
  const { login } = credentials;
  expect(swept.outputs, login).toMatchObject({ verdict: 'unchanged', reason: 'nothing-to-sweep' });
  expect(swept.log.text, login).toContain('says that it is a rollout of podinfo, and is passed over');
  expect(await sandbox.github.head(FLEET), login).toBe(head);
  expect(await backdoorWasOnBranch(sandbox), login).toBe(false);
}

/** A rollout whose machine is lost in the middle of a failing analysis. */
async function lostRollout(sandbox: Sandbox, { inputs }: Credentials): Promise<string> {
  sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
  const lost = await sandbox.start({ inputs: { ...inputs, set: 'image=6.14.1' } });
  const goOn = await midAnalysis(sandbox);
  lost.kill();
  await lost.done;
  goOn();
  await sandbox.waitForPhase('Failed');
  return sandbox.template('podinfo').id;
}

describe.concurrent('whose commits are believed', () => {
  it('none with a forged author and copied trailers, however it was merged, whatever our credentials', {
    timeout: LONG_MS,
  }, async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const first = await sandbox.release('6.14.1');
      expect(first.outputs).toMatchObject({ verdict: 'promoted' });
      const restore = await unmergedBackdoor(sandbox);
      for (const credentials of [givenToken(sandbox), appCredentials(sandbox), personalToken(sandbox)]) {
        await forgeAll(sandbox, { credentials, restore, ways: MERGED });
        await expectNothingBelieved(sandbox, { credentials, expect });
      }
    });
  });

  it('where GitHub does not tell of pushes: none that GitHub did not sign for us', {
    timeout: LONG_MS,
  }, async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const first = await sandbox.release('6.14.1');
      expect(first.outputs).toMatchObject({ verdict: 'promoted' });
      const restore = await unmergedBackdoor(sandbox);
      hidePushes(sandbox);
      // What GitHub signs for a person was made on its pages; a squash of our App's pull request is the one that passes.
      for (const credentials of [personalToken(sandbox), givenToken(sandbox)]) {
        const ways = MERGED.filter(how => credentials.login === 'deployer' || !('openedByUs' in how));
        await forgeAll(sandbox, { credentials, restore, ways });
        await expectNothingBelieved(sandbox, { credentials, expect });
      }
    });
  });

  it('none that our own App made on a branch that was merged: it was never what the branch said', {
    timeout: LONG_MS,
  }, async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const first = await sandbox.release('6.14.1');
      expect(first.outputs).toMatchObject({ verdict: 'promoted' });
      const restore = await unmergedBackdoor(sandbox);
      const credentials = givenToken(sandbox);
      const { token } = credentials;
      const id = 'podinfo-branch';
      await commitByApi(sandbox, {
        token,
        message: await copiedTrailers(sandbox, { id, restore }),
        files: notes(id),
        newBranch: 'tidy-up',
      });
      await merge(sandbox, { branch: 'tidy-up', user: 'mallory', method: 'merge' });
      await expectNothingBelieved(sandbox, { credentials, expect });
    });
  });

  it.for(Object.entries({ givenToken, personalToken }))(
    'a forged revert hides no rollout: the next sweep takes it back (%s)',
    { timeout: LONG_MS },
    async ([, credentialsOf], { expect }) => {
      await withSandbox({}, async sandbox => {
        const credentials = credentialsOf(sandbox);
        const id = await lostRollout(sandbox, credentials);
        const { login } = credentials;
        const message = `Revert\n\nGated-Rollout: podinfo\nGated-Rollout-Reverts: ${id}\nGated-Rollout-Cause: metric-out-of-range`;
        for (const [at, how] of MERGED.entries()) {
          const openedBy = 'openedByUs' in how ? { openedBy: login } : {};
          const files = { [`${NOTES}-${at}.md`]: 'nothing\n' };
          await mergeForged(
            sandbox,
            { login, message, files, ...openedBy, signed: 'signed' in how },
            how.method,
          );
        }
        const swept = await sweep(sandbox, credentials);
        expect(swept.outputs).toMatchObject({ verdict: 'rolled-back' });
        expect((await sandbox.titles())[0]).toMatch(/^Revert release of podinfo/);
        expect(await sandbox.file('apps/deployment.yaml')).toContain('podinfo:6.14.0"');
      });
    },
  );

  it('none of a person’s token where GitHub does not tell of pushes, and that is said', {
    timeout: LONG_MS,
  }, async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const credentials = personalToken(sandbox);
      await lostRollout(sandbox, credentials);
      hidePushes(sandbox);
      const swept = await sweep(sandbox, credentials);
      expect(swept.outputs).toMatchObject({ verdict: 'unchanged', reason: 'nothing-to-sweep' });
      expect(swept.log.text).toContain('neither a signature of GitHub nor its record of pushes shows');
    });
  });

  it.for([
    ['was never merged', false],
    ['came with a merge, and was never what the branch said,', true],
  ] as const)(
    'a restore point that %s is not put back: a person is asked',
    { timeout: LONG_MS },
    async ([, merged], { expect }) => {
      await withSandbox({}, async sandbox => {
        const credentials = givenToken(sandbox);
        const first = await sandbox.release('6.14.1');
        expect(first.outputs).toMatchObject({ verdict: 'promoted' });
        const restore = await unmergedBackdoor(sandbox);
        if (merged) {
          // What is merged is harmless; the commit before it, in the same pull request, is not.
          const file = (await sandbox.file('apps/deployment.yaml')) ?? '';
          const files = { 'apps/deployment.yaml': file, ...notes('nothing\n') };
          await sandbox.github.push(FLEET, { branch: 'evil', files, message: 'Notes' });
          await merge(sandbox, { branch: 'evil', user: 'mallory', method: 'merge' });
        }
        // Whatever commits with the same App is believed; what it names to go back to is looked at all the same.
        const id = 'podinfo-other';
        await commitByApi(sandbox, {
          token: credentials.token,
          message: await copiedTrailers(sandbox, { id, restore }),
          files: { 'apps/deployment.yaml': `# ${id}\n${await sandbox.file('apps/deployment.yaml')}` },
        });
        const swept = await sweep(sandbox, credentials);
        expect(swept.outputs).toMatchObject({ verdict: 'revert-blocked' });
        expect(swept.outputs['result']).toContain('where the branch was never before it');
        expect(await backdoorWasOnBranch(sandbox)).toBe(false);
      });
    },
  );
});

describe.concurrent('the pull request that asks a person', () => {
  it('never shows a branch that somebody has put where ours would be', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      const goOn = await midAnalysis(sandbox);
      const evil = await unmergedBackdoor(sandbox);
      const { id } = sandbox.template('podinfo');
      await sandbox.github.push(FLEET, {
        branch: `gated-rollout/revert-${id}`,
        onto: evil,
        files: {},
        message: 'Revert release of podinfo',
        by: 'mallory',
      });
      const text = (await sandbox.file('apps/deployment.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/deployment.yaml': text.replace(/(image: .*)$/m, '$1 # a remark') },
        message: 'A remark on the very line',
      });
      goOn();
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-blocked', reason: 'changed-since' });
      const [pull] = sandbox.github.pullRequests(FLEET);
      expect(pull).toMatchObject({ state: 'open', headRef: `gated-rollout/revert-${id}-2` });
      const shown = (await sandbox.github.tree(FLEET, pull?.headSha)).get('apps/deployment.yaml');
      expect(shown?.content).toContain('# a remark');
      expect(shown?.content).not.toContain(BACKDOOR);
    });
  });
});

describe.concurrent('a source commit with our trailers', () => {
  const TRAILERS = 'Tidy up\n\nGated-Rollout: podinfo\nGated-Rollout-Id: podinfo-copied';
  const files = { VERSION: '2\n' };
  const inFleet = (sandbox: Sandbox) => ({
    repository: FLEET,
    token: sandbox.github.addToken({ kind: 'app', slug: 'rollout', repositories: [FLEET] }),
    workspace: { 'rollout.yaml': ROLLOUT.replace('gitops: {repository: acme/fleet}\n', '') },
  });

  it.for(MERGED)('that was merged is released, not passed over: %j', async (how, { expect }) => {
    await withSandbox({}, async sandbox => {
      const login = 'rollout[bot]';
      const openedBy = 'openedByUs' in how ? { openedBy: login } : {};
      const forged = { login, message: TRAILERS, files, ...openedBy, signed: 'signed' in how };
      const sha = await mergeForged(sandbox, forged, how.method);
      const { outputs } = await sandbox.release('6.14.0', { ...inFleet(sandbox), sha });
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running' });
    });
  });

  it('of which nobody can tell who made it ends red, with what to do', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { token } = givenToken(sandbox);
      const sha = await commitByApi(sandbox, { token, message: TRAILERS, files });
      for (const path of [/^\/graphql/, /^\/user$/]) {
        sandbox.github.fault({
          path,
          times: 100,
          effect: { kind: 'respond', status: 403, body: { message: 'Resource not accessible' } },
        });
      }
      const { outputs, exitCode } = await sandbox.release('6.14.2', { ...inFleet(sandbox), sha });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'own-commit-unproven' });
      expect(outputs['result']).toContain('paths-ignore');
      expect(exitCode).toBe(3);
    });
  });

  it.for(Object.entries({ givenToken, personalToken }))(
    'that our account pushed is known as ours (%s)',
    async ([, credentialsOf], { expect }) => {
      await withSandbox({}, async sandbox => {
        const { token, inputs } = credentialsOf(sandbox);
        const sha = await commitByApi(sandbox, { token, message: TRAILERS, files });
        const { outputs } = await sandbox.release('6.14.2', { ...inFleet(sandbox), sha, inputs });
        expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'own-commit' });
      });
    },
  );
});
