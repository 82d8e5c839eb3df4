import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'vitest';
import { z } from 'zod';
import type { Permissions } from '../../sandbox/github/identities.ts';
import { startGitHub } from '../../sandbox/github/embedded-github.ts';
import { FLEET, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { midAnalysis, revertPushed, withSandbox } from './with-sandbox.ts';

const mintedSchema = z.object({ token: z.string() });

/** Inputs of a step that uses an App, which is installed on the GitOps repository. */
function appOf(sandbox: Sandbox, permissions?: Permissions, repositories = [FLEET]) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { clientId } = sandbox.github.addApp({
    slug: 'fleet-rollouts',
    publicKey,
    ...(permissions === undefined ? {} : { permissions }),
    installations: [{ account: 'acme', repositories }],
  });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  return { 'gitops-token': '', 'app-client-id': clientId, 'app-private-key': key };
}

function minted(sandbox: Sandbox) {
  return sandbox.github.requests.filter(
    ({ path, status }) => path.endsWith('/access_tokens') && status === 201,
  );
}

/** Statuses that GitHub gives each minted token now. */
async function answersTo(sandbox: Sandbox): Promise<readonly number[]> {
  return await Promise.all(
    minted(sandbox).map(async ({ answer }) => {
      const { token } = mintedSchema.parse(answer);
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${sandbox.github.apiUrl}/installation/repositories`, { headers })).status;
    }),
  );
}

describe.concurrent('tokens of the App', () => {
  it('may do what a release needs and no more, and none is left at its end', async ({ expect }) => {
    // A minute of GitHub's is three seconds here: several tokens are needed.
    await withSandbox({ github: { tokenLifetimeMs: 60_000 } }, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1', { inputs: appOf(sandbox) });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(minted(sandbox).length).toBeGreaterThan(1);
      for (const { body } of minted(sandbox)) {
        expect(body).toEqual({
          repositories: ['fleet'],
          permissions: { metadata: 'read', contents: 'write', pull_requests: 'write' },
        });
      }
      expect(new Set(await answersTo(sandbox))).toEqual(new Set([401]));
    });
  });

  it('of a plan only read', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1', { inputs: { ...appOf(sandbox), mode: 'plan' } });
      expect(outputs).toMatchObject({ reason: 'planned' });
      const bodies = minted(sandbox).map(({ body }) => body);
      expect(bodies).toEqual([
        { repositories: ['fleet'], permissions: { metadata: 'read', contents: 'read' } },
      ]);
      expect(await answersTo(sandbox)).toEqual([401]);
    });
  });

  it('that a killed main had are revoked by the post step, and are saved for it encrypted only', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const inputs = { ...appOf(sandbox), set: 'image=6.14.1' };
      const running = await sandbox.start({ inputs });
      const goOn = await midAnalysis(sandbox);
      running.kill();
      const { state } = await running.done;
      expect(await answersTo(sandbox)).toEqual([200]);
      const [token] = minted(sandbox).map(({ answer }) => mintedSchema.parse(answer).token);
      expect(state['tokens']).toMatch(/^[\w+/]{40,}=*$/);
      const decoded = Buffer.from(state['tokens'] ?? '', 'base64').toString('latin1');
      expect(JSON.stringify(state) + decoded).not.toContain(token);
      const posting = running.post();
      await revertPushed(sandbox);
      goOn();
      await posting;
      expect(new Set(await answersTo(sandbox))).toEqual(new Set([401]));
    });
  });

  it('that main could not revoke are revoked by the post step, though the rollout has ended', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({ method: 'DELETE', path: /installation\/token/, effect: { kind: 'reset' } });
      const { log } = await sandbox.release('6.14.1', { inputs: appOf(sandbox) });
      expect(log.text).toContain('promoted (analysed)');
      expect(await answersTo(sandbox)).toEqual([401]);
      const deletes = sandbox.github.requests.filter(({ method }) => method === 'DELETE');
      expect(deletes.map(({ status }) => status)).toEqual([undefined, 204]);
    });
  });

  it('are not asked for where the App lacks a right: all that is missing is said, nothing is written', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const inputs = appOf(sandbox, { metadata: 'read', contents: 'read' });
      const { outputs } = await sandbox.release('6.14.1', { inputs });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'missing-permission' });
      expect(outputs['result']).toContain('lacks the permission contents: write and pull_requests: write');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('go without the right that only a blocked revert needs, with a word', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const inputs = appOf(sandbox, { metadata: 'read', contents: 'write' });
      const { outputs, log } = await sandbox.release('6.14.1', { inputs });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(log.text).toContain('The App has no permission pull requests: write on acme/fleet');
    });
  });

  it('cannot be had by an App that is not installed, or with the key of another one', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const other = { ...appOf(sandbox), 'app-private-key': appOf(sandbox)['app-private-key'] };
      const mixed = await sandbox.release('6.14.1', { inputs: other });
      expect(mixed.outputs).toMatchObject({ verdict: 'refused', reason: 'bad-credentials' });
      expect(mixed.outputs['result']).toContain('app-client-id is the client id of the App');
      const elsewhere = await sandbox.release('6.14.1', { inputs: appOf(sandbox, undefined, [SOURCE]) });
      expect(elsewhere.outputs).toMatchObject({ verdict: 'refused', reason: 'repository-not-found' });
      expect(elsewhere.outputs['result']).toContain('The App is not installed on acme/fleet');
    });
  });
});

describe.concurrent('the token of the job', () => {
  it('is never sent to another host', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const elsewhere = await startGitHub();
      try {
        const inputs = { 'gitops-token': '', 'gitops-api-url': elsewhere.apiUrl };
        const { outputs } = await sandbox.release('6.14.1', { inputs });
        expect(outputs).toMatchObject({ verdict: 'refused', reason: 'bad-config' });
        expect(outputs['result']).toContain('A secret that does not exist');
        // A fork has no secrets: what is not given is no mistake there, and is replaced by nothing.
        await sandbox.release('6.14.1', {
          inputs: { ...inputs, kubeconfig: '' },
          event: {
            name: 'pull_request',
            payload: {
              pull_request: {
                number: 1,
                head: { sha: 'f'.repeat(40), repo: { full_name: 'eve/shop' } },
                base: { repo: { full_name: SOURCE } },
              },
            },
          },
        });
        expect(elsewhere.requests).toEqual([]);
      } finally {
        await elsewhere.close();
      }
    });
  });

  it('does not stand for a secret that does not exist: that is what is said', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1', { inputs: { 'gitops-token': '' } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'gitops-credentials-missing' });
      expect(outputs['result']).toContain('Neither gitops-token nor an App was given for acme/fleet');
      expect(outputs['result']).toContain('reads as empty');
      const token = sandbox.github.addToken({ kind: 'user', login: 'mona', repositories: [SOURCE] });
      const ofPerson = await sandbox.release('6.14.1', { inputs: { 'gitops-token': '', token } });
      expect(ofPerson.outputs).toMatchObject({ reason: 'gitops-credentials-missing' });
    });
  });

  it('without checks: write or pull-requests: write: the line to add is said once, as a warning', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const token = sandbox.github.addToken({
        kind: 'actions',
        repository: SOURCE,
        permissions: { contents: 'read', metadata: 'read', pull_requests: 'read' },
      });
      const { outputs, log } = await sandbox.release('6.14.1', { token });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      for (const line of ['checks: write', 'pull-requests: write']) {
        const said = log.lines.filter(({ text }) =>
          text.includes(`Add “${line}” under permissions: of the job`),
        );
        expect(said.map(({ kind }) => kind)).toEqual(['warning']);
      }
    });
  });
});
