import { createServer, request } from 'node:http';
import { describe, it } from 'vitest';
import { canary, deployment } from '../../sandbox/podinfo.ts';
import { ROLLOUT, SOURCE } from '../../sandbox/sandbox.ts';
import { withSandbox } from './with-sandbox.ts';

/** A forward proxy for plain HTTP, which gets absolute URLs, that notes whereto. */
async function startProxy() {
  const tunnels = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '');
    tunnels.add(url.host);
    const onward = request(url, { method: incoming.method, headers: incoming.headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    tunnels,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.concurrent('reports and proxies', () => {
  it('one comment of ours among many, found on a later page, and updated in place', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
      const sha = await sandbox.github.mergePullRequest(SOURCE, pull, { associationLag: 1 });
      const token = sandbox.github.addToken({ kind: 'user', login: 'mallory', repositories: [SOURCE] });
      for (let index = 0; index < 105; index += 1) {
        await fetch(`${sandbox.github.apiUrl}/repos/${SOURCE}/issues/${pull}/comments`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          // Somebody else writes our marker, too.
          body: JSON.stringify({ body: `<!-- gated-rollout: podinfo -->\nForged ${index}` }),
        });
      }
      const first = await sandbox.release('6.14.1', { sha });
      const second = await sandbox.release('6.14.2', { sha });
      expect(first.outputs['comment-id']).not.toBe('');
      expect(second.outputs['comment-id']).toBe(first.outputs['comment-id']);
      const comments = sandbox.github.comments(SOURCE, pull);
      expect(comments).toHaveLength(106);
      expect(comments.filter(({ body }) => body.includes('podinfo 6.14.2: promoted'))).toHaveLength(1);
      expect(comments.at(-1)?.body).toContain('6.14.2');
    });
  });

  it('goes through the proxy of the environment, for GitHub and the cluster', async ({ expect }) => {
    const proxy = await startProxy();
    try {
      await withSandbox({}, async sandbox => {
        const { outputs } = await sandbox.release('6.14.0', { env: { http_proxy: proxy.url } });
        expect(outputs).toMatchObject({ verdict: 'unchanged' });
        expect([...proxy.tunnels]).toEqual(
          expect.arrayContaining([new URL(sandbox.github.apiUrl).host, new URL(sandbox.cluster.apiUrl).host]),
        );
      });
    } finally {
      proxy.close();
    }
  });

  it('plans with the API server’s own word, and names Secrets that are missing', async ({ expect }) => {
    const rollout = `${ROLLOUT}canary:
  prod/podinfo:
    alerts: [{type: slack, channel: deploys, secretRef: slack}]
    metrics:
    - {name: success, min: 99, templateRef: {name: success}}
    - {name: errors, max: 1, query: up, provider: {type: datadog, secretRef: datadog}}
`;
    await withSandbox({ rollout }, async sandbox => {
      sandbox.cluster.apply('apiVersion: v1\nkind: Secret\nmetadata: {name: slack, namespace: prod}\n');
      const { outputs, summary } = await sandbox.release('6.14.1', { inputs: { mode: 'plan' } });
      expect(outputs).toMatchObject({ reason: 'planned' });
      expect(summary).toContain('**Dry run** the API server would take them');
      expect(summary).toMatch(/\*\*Build\*\* .*kustomize.* nothing else changes/);
      for (const kind of ['Canary', 'MetricTemplate', 'AlertProvider', 'Deployment']) {
        expect(summary.includes(`In the build: ${kind} prod/`), kind).toBe(true);
      }
      expect(summary).toContain('The Secret prod/datadog does not exist');
      expect(summary).not.toContain('prod/slack');
      const kubeconfig = sandbox.cluster.addUser({ name: 'ci', forbidden: ['patch *', 'get secrets'] });
      const limited = await sandbox.release('6.14.1', { inputs: { mode: 'plan', kubeconfig } });
      expect(limited.summary).toContain(
        '**Dry run** not asked: the credentials may not patch canary objects',
      );
      expect(limited.summary).not.toContain('does not exist');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('plans with what each metric says now of what serves', async ({ expect }) => {
    const prometheus = 'provider: {type: prometheus, address: "http://prometheus.monitoring:9090"}';
    const rollout = `${ROLLOUT}canary:
  prod/podinfo:
    metrics:
    - {name: success, min: 99, query: 'ok{pod="{{ target }}"}', ${prometheus}}
    - {name: errors, max: 1, query: 'errors{pod="{{ target }}"}', ${prometheus}}
    - {name: latency, max: 500, query: 'slow{pod="{{ target }}"}', ${prometheus}}
`;
    await withSandbox({ rollout }, async sandbox => {
      const says: Readonly<Record<string, number>> = {
        'ok{pod="podinfo-primary"}': 99.7,
        'errors{pod="podinfo-primary"}': 3,
      };
      sandbox.cluster.answerPrometheus(query => says[query]);
      const unnamed = await sandbox.release('6.14.1', { inputs: { mode: 'plan' } });
      expect(unnamed.summary).toContain('Services of monitoring are not asked');
      expect(sandbox.cluster.requests.filter(({ path }) => path.includes('/proxy/api/v1/query'))).toEqual([]);
      const named = { mode: 'plan', 'metrics-namespaces': 'istio-system, monitoring' };
      const { summary } = await sandbox.release('6.14.1', { inputs: named });
      expect(summary).toContain('✅ **Metric success** of prod/podinfo is 99.7 now');
      expect(summary).toContain('⚠️ **Metric errors** of prod/podinfo is 3 now');
      expect(summary).toContain('A canary that is as good as it would be rejected.');
      expect(summary).toContain('⚠️ **Metric latency** of prod/podinfo has no value now');
    });
  });

  it('plans for a fork, with a read-only token and without secrets, in summary and log only', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const payload = {
        pull_request: { number: 7, head: { sha: 'f'.repeat(40), repo: { full_name: 'mallory/shop' } } },
      };
      const permissions = { contents: 'read', metadata: 'read' } as const;
      const step = {
        sha: 'f'.repeat(40),
        event: { name: 'pull_request', payload },
        token: sandbox.github.addToken({ kind: 'actions', repository: SOURCE, permissions }),
        inputs: { 'gitops-token': '', 'app-client-id': 'Iv1.x', 'app-private-key': '', kubeconfig: '' },
      };
      const own = ROLLOUT.replace(/^gitops.*\n/, '');
      const workspace = {
        'rollout.yaml': own,
        'apps/deployment.yaml': deployment(),
        'apps/canary.yaml': canary(),
        'clusters/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}
`,
      };
      const { exitCode, outputs, summary, log } = await sandbox.release('6.14.1', { ...step, workspace });
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'planned' });
      expect(exitCode).toBe(0);
      expect(summary).toContain('+        image: "ghcr.io/stefanprodan/podinfo:6.14.1" # the version');
      expect(summary).toContain('no cluster was asked, so nothing is proven');
      expect(log.text).toContain('The check run could not be written');
      expect(sandbox.github.checkRuns(SOURCE)).toEqual([]);
      expect(sandbox.cluster.requests.filter(({ user }) => user === '')).toEqual([]);

      const elsewhere = await sandbox.release('6.14.1', { ...step, workspace: { 'rollout.yaml': ROLLOUT } });
      expect(elsewhere.outputs).toMatchObject({ verdict: 'refused', reason: 'fork-or-dependabot' });
    });
  });

  it('plans on a pull request, and writes nothing to Git', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
      const head = (await sandbox.github.head(SOURCE, 'b')) ?? '';
      const payload = {
        pull_request: { number: pull, head: { sha: head, repo: { full_name: SOURCE } } },
      };
      const { outputs } = await sandbox.release('6.14.1', {
        sha: head,
        event: { name: 'pull_request', payload },
      });
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'planned', 'commit-sha': '' });
      const result: unknown = JSON.parse(outputs['result'] ?? '');
      expect(result).toMatchObject({
        plan: {
          files: [{ path: 'apps/deployment.yaml', adoption: false }],
          canaries: [{ target: 'prod/podinfo', strategy: 'weighted', shortestMs: 30_000, longestMs: 60_000 }],
        },
      });
      const body = sandbox.github.comments(SOURCE, pull)[0]?.body ?? '';
      expect(body).toContain('-        image: "ghcr.io/stefanprodan/podinfo:6.14.0" # the version');
      expect(body).toContain('+        image: "ghcr.io/stefanprodan/podinfo:6.14.1" # the version');
      expect(body).toContain('**Schedule of `prod/podinfo`**');
      expect(body).toContain('| 10 s | 25 % of traffic |');
      expect(body).toContain('Checked at each step: `success` ≥ 99.');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
      expect(sandbox.github.checkRuns(SOURCE, head)).toMatchObject([{ name: 'rollout plan / podinfo' }]);
      expect(sandbox.github.comments(SOURCE, pull)).toHaveLength(1);
    });
  });
});
