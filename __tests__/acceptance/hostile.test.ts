import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { canary, deployment } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, SOURCE } from '../../sandbox/sandbox.ts';
import { withClone } from './with-clone.ts';
import { withSandbox } from './with-sandbox.ts';

/**
 * A kustomization of the GitOps repository that would run a program, read a file of the runner or ask a server: release,
 * plan, the plan of a fork and the command line leave all three untouched, and show nothing of them. (Every spelling is
 * tried on the builder itself: build/hostile.test.ts.)
 */
const SECRET = 'canary-file-content';
const scratch = mkdtempSync(join(tmpdir(), 'hostile-'));
const canaryFile = join(scratch, 'canary');
const marker = join(scratch, 'marker');
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.end('canary-server-content');
});
let url = '';

beforeAll(async () => {
  writeFileSync(canaryFile, SECRET);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `HTTP://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/x`;
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

const RESOURCES = 'resources: [deployment.yaml, canary.yaml]\n';
const HOSTILE: Readonly<Record<string, () => string>> = {
  'runs a program': () => `${RESOURCES}bAses: ["file:///nowhere?ref=--upload-pack=touch%20${marker}%3B"]\n`,
  'asks a server': () => `${RESOURCES}<<: {configMapGenerator: [{name: s, files: ["s=${url}"]}]}\n`,
  'reads a file into what is shown': () => `${RESOURCES}generators:
- |
  apiVersion: builtin
  kind: ConfigMapGenerator
  metadata: {name: g}
  name: g
  files: ["s=${canaryFile}"]
replacements:
- source: {kind: ConfigMap, name: g, fieldPath: data.s}
  targets: [{select: {kind: Deployment}, fieldPaths: [spec.template.metadata.annotations.loot], options: {create: true}}]
`,
};

describe.concurrent.each(Object.entries(HOSTILE))('a tree that %s', (_, kustomization) => {
  const untouched = (shown: unknown) => {
    const text = JSON.stringify(shown);
    const ran = existsSync(marker);
    return { ran, asked: [...asked], leaked: text.includes(SECRET) || text.includes('canary-server') };
  };
  const NOTHING = { ran: false, asked: [], leaked: false };

  it('in plan, release and command line', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const files = { 'apps/kustomization.yaml': kustomization() };
      await sandbox.github.push(FLEET, { files, message: 'Hostile' });
      const shown = () => [sandbox.github.checkRuns(SOURCE), sandbox.github.checkRuns(FLEET)];
      const plan = await sandbox.release('6.14.1', { inputs: { mode: 'plan' } });
      expect(plan.exitCode).not.toBe(0);
      expect(untouched([plan, shown()])).toEqual(NOTHING);
      const head = await sandbox.github.head(FLEET, 'main');
      const release = await sandbox.release('6.14.1');
      expect(release.exitCode).not.toBe(0);
      expect(untouched([release, shown()])).toEqual(NOTHING);
      expect(await sandbox.github.head(FLEET, 'main')).toBe(head);
      await withClone(sandbox, async gated => {
        for (const args of [
          ['check'],
          ['plan', '--set', 'image=6.14.1'],
          ['plan', '--offline', '--set', 'image=6.14.1'],
        ]) {
          const answer = await gated(...args);
          expect(answer.code).not.toBe(0);
          expect(untouched(answer)).toEqual(NOTHING);
        }
      });
    });
  });

  it('in the plan of a fork', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const payload = {
        pull_request: { number: 7, head: { sha: 'f'.repeat(40), repo: { full_name: 'mallory/shop' } } },
      };
      const permissions = { contents: 'read', metadata: 'read' } as const;
      const plan = await sandbox.release('6.14.1', {
        sha: 'f'.repeat(40),
        event: { name: 'pull_request', payload },
        token: sandbox.github.addToken({ kind: 'actions', repository: SOURCE, permissions }),
        inputs: { 'gitops-token': '', 'app-client-id': 'Iv1.x', 'app-private-key': '', kubeconfig: '' },
        workspace: {
          'rollout.yaml': ROLLOUT.replace(/^gitops.*\n/, ''),
          'apps/deployment.yaml': deployment(),
          'apps/canary.yaml': canary(),
          'apps/kustomization.yaml': kustomization(),
          'clusters/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}
`,
        },
      });
      expect(plan.exitCode).not.toBe(0);
      expect(untouched(plan)).toEqual(NOTHING);
    });
  });
});
