import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { FLEET, type Sandbox } from '../../sandbox/sandbox.ts';
import { withSandbox } from './with-sandbox.ts';

function addApp(sandbox: Sandbox) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { clientId } = sandbox.github.addApp({
    slug: 'fleet-rollouts',
    publicKey,
    installations: [{ account: 'acme', repositories: [FLEET] }],
  });
  return { clientId, privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() };
}

describe.concurrent('credentials', () => {
  it('an App: tokens are minted anew when they end, and GitHub signs the commits', async ({ expect }) => {
    // The action's time runs 20 times faster: a minute of GitHub's is over for it in three seconds.
    await withSandbox({ github: { tokenLifetimeMs: 60_000 } }, async sandbox => {
      const { clientId, privateKey } = addApp(sandbox);
      const { outputs, log } = await sandbox.release('6.14.1', {
        inputs: { 'gitops-token': '', 'app-client-id': clientId, 'app-private-key': privateKey },
      });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect((await sandbox.github.log(FLEET))[0]).toMatchObject({ verified: true });
      const minted = sandbox.github.requests.filter(({ path }) => path.endsWith('/access_tokens'));
      expect(minted.length).toBeGreaterThan(1);
      expect(log.text).not.toContain(privateKey.split('\n')[1]);
    });
  });

  it('an App whose key is damaged: refused, and the key is not shown', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { clientId } = addApp(sandbox);
      const { outputs } = await sandbox.release('6.14.1', {
        inputs: { 'gitops-token': '', 'app-client-id': clientId, 'app-private-key': 'not a key at all' },
      });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'bad-config' });
      expect(outputs['result']).not.toContain('not a key at all');
    });
  });

  it('a token that GitHub does not know: refused, and what to change is said', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1', { inputs: { 'gitops-token': 'ghs_nobody' } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'bad-credentials' });
    });
  });

  it('a token that may only read: refused, and the right is named', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const token = sandbox.github.addToken({
        kind: 'app',
        slug: 'reader',
        repositories: [FLEET],
        permissions: { contents: 'read', metadata: 'read' },
      });
      const { outputs } = await sandbox.release('6.14.1', { inputs: { 'gitops-token': token } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'missing-permission' });
      expect(outputs['result']).toContain('contents: write');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('GitHub Enterprise Server: the API below /api/v3', async ({ expect }) => {
    await withSandbox({ github: { apiPrefix: '/api/v3' } }, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('a kubeconfig by its path, with a context', async ({ expect }) => {
    const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    try {
      await withSandbox({}, async sandbox => {
        const path = join(folder, 'config');
        await writeFile(path, sandbox.cluster.kubeconfig);
        const good = await sandbox.release('6.14.0', {
          inputs: { kubeconfig: path, 'kube-context': 'sandbox' },
        });
        expect(good.outputs).toMatchObject({ verdict: 'unchanged' });
        const bad = await sandbox.release('6.14.0', { inputs: { kubeconfig: path, 'kube-context': 'prod' } });
        expect(bad.outputs).toMatchObject({ verdict: 'refused', reason: 'bad-config' });
        expect(bad.outputs['result']).toContain('it has sandbox');
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
