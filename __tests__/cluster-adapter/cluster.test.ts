import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ClusterWatcher } from '../../src/cluster/cluster-watcher.ts';
import { createKubeClient } from '../../src/cluster/kube-client.ts';
import { loadKubeconfig } from '../../src/cluster/login/kubeconfig.ts';
import { sameRepository } from '../../src/gitops/same-repository.ts';
import { goDurationMs } from '../../src/flagger/go-duration.ts';
import { ClusterUnavailable } from '../../src/rollout/ports.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A view on an API server that answers as told; `hang` never answers. */
async function viewOn(
  answer: 'hang' | { readonly status: number; readonly body: unknown },
): Promise<ClusterWatcher> {
  const server = createServer((_, response) => {
    if (answer !== 'hang') response.writeHead(answer.status).end(JSON.stringify(answer.body));
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const kubeconfig = kubeconfigFor({ server: `http://127.0.0.1:${port}` });
  const load = () => loadKubeconfig({ kubeconfig, context: undefined, mask: () => {} });
  const kube = createKubeClient({ load, env: {}, mask: () => {}, say: () => {} });
  const watched = {
    targets: [{ kind: 'Deployment', namespace: 'prod', name: 'shop' }],
    chains: {},
    objects: [],
  } as const;
  return new ClusterWatcher({ kube, clock: systemClock, random: Math.random, watched });
}

function kubeconfigFor(cluster: object): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user: { token: 't' } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  });
}

describe('the view of the cluster', () => {
  it('gives up a look at once when the job is cancelled, though the server never answers', async () => {
    const view = await viewOn('hang');
    const cancel = new AbortController();
    const next = view.next({ timeoutMs: 600_000, signal: cancel.signal });
    cancel.abort();
    expect(await next).toBeUndefined();
    await view.close();
  });

  it('ends a look that waits when it is closed', async () => {
    const view = await viewOn('hang');
    const next = view.next({ timeoutMs: 600_000 });
    await view.close();
    expect(await next).toBeUndefined();
  });

  it.each([
    { status: 200, body: { items: 'no list' } },
    { status: 200, body: { kind: 'Something' } },
    { status: 503, body: { message: 'overloaded' } },
  ])('takes %o for a cluster that cannot be read just now', async answer => {
    const view = await viewOn(answer);
    await expect(view.read()).rejects.toBeInstanceOf(ClusterUnavailable);
    await view.close();
  });
});

describe('the kubeconfig', () => {
  it.each([
    Buffer.from('apiVersion: v1\nsecret: hunter2').toString('base64'),
    'apiVersion: v1\nusers: [{user: {token: hunter2\n',
  ])('is never shown when it cannot be used', kubeconfig => {
    let message = '';
    try {
      loadKubeconfig({ kubeconfig, context: undefined, mask: () => {} });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('The kubeconfig cannot be used');
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain(kubeconfig.slice(0, 20));
  });
});

describe('Git URLs of Flux', () => {
  const on = { repository: { owner: 'Acme', repo: 'fleet' }, host: 'github.com' };

  it.each([
    ['https://github.com/acme/fleet', true],
    ['https://github.com/acme/fleet.git', true],
    ['https://token@GitHub.com/acme/Fleet/', true],
    ['ssh://git@github.com/acme/fleet', true],
    ['ssh://git@ssh.github.com:443/acme/fleet.git', true],
    ['git@github.com:acme/fleet.git', true],
    ['https://github.com/acme/fleet-infra', false],
    ['https://gitlab.com/acme/fleet', false],
    ['https://github.com/other/fleet', false],
    ['nonsense', false],
  ])('%s: %s', async (url, same) => {
    expect(await sameRepository(url, on)).toBe(same);
  });

  it.each([
    ['https://github.com/acme/gitops', true],
    ['git@github.com:acme/gitops.git', true],
    ['https://gitlab.com/acme/gitops', false],
    ['https://github.com/acme/team/gitops', false],
    ['https://github.com/acme/other', false],
  ])('a former name, %s: %s', async (url, same) => {
    const isRenamed = ({ owner, repo }: { readonly owner: string; readonly repo: string }) =>
      Promise.resolve(`${owner}/${repo}` === 'acme/gitops');
    expect(await sameRepository(url, { ...on, isRenamed })).toBe(same);
  });
});

describe('Go durations', () => {
  it.each([
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['0', 0],
    ['5', undefined],
    ['', undefined],
  ])('%s is %s ms', (text, ms) => {
    expect(goDurationMs(text)).toBe(ms);
  });
});
