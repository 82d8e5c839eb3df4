import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';
import { ROLLOUT } from '../../sandbox/sandbox.ts';
import { CLI, withClone } from './with-clone.ts';
import { withSandbox } from './with-sandbox.ts';

const run = promisify(execFile);

describe.concurrent('the command line, on a clone', () => {
  it('check proves the chain, link by link', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async gated => {
        const { code, out } = await gated('check');
        expect(code).toBe(0);
        expect(out).toContain('source         GitRepository flux-system/fleet: http://127.0.0.1');
        expect(out).toContain('Kustomization  flux-system/apps: ./apps');
        expect(out).toContain(
          'weighted, weights 25, 50, every 10 s, 2 failed checks; Initialized, nothing is going on',
        );
        expect(out).toContain(
          'What the tree says is what runs:\n  image ghcr.io/stefanprodan/podinfo 6.14.0 (apps/deployment.yaml:16)',
        );
      });
    });
  });

  it('check --rights says every right, who lacks which, and the lines to add', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async (gated, fleet) => {
        const all = await gated('check', '--rights');
        expect(all.code).toBe(0);
        expect(all.out).toContain(
          'in prod\n  ✓ get, list canaries.flagger.app: the Canary that guards the target',
        );
        expect(all.out).toContain('Nothing is missing that is needed.');
        const file = join(fleet, '.git', 'limited');
        const forbidden = ['list canaries', 'get deployments', 'list events', 'watch *'];
        await writeFile(file, sandbox.cluster.addUser({ name: 'limited', forbidden }));
        const { code, err } = await gated('check', '--rights', '--kubeconfig', file);
        expect(code).toBe(3);
        expect(err).toContain('✗ list events: Flagger’s words about each check (optional; without it');
        expect(err).toContain('✗ get deployments.apps: the target and its primary (needed)');
        expect(err).toContain(`What to do: add these lines.
  rules of a Role in prod:
  - {apiGroups: [flagger.app], resources: [canaries], verbs: [list]}
  - {apiGroups: [apps], resources: [deployments], verbs: [get]}`);
      });
    });
  });

  it('check names the broken link', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async (gated, fleet) => {
        await run('sed', ['-i', 's/podinfo:6.14.0/podinfo:6.13.0/', join(fleet, 'apps/deployment.yaml')]);
        const { code, err } = await gated('check');
        expect(code).toBe(3);
        expect(err).toContain(
          'refused (chain-broken): image ghcr.io/stefanprodan/podinfo of prod/podinfo is 6.13.0',
        );
        expect(err).toContain('What to do:');
      });
    });
  });

  it('plan shows the diff and the schedule, and writes nothing', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async (gated, fleet) => {
        const before = sandbox.cluster.requests.length;
        const { code, out } = await gated('plan', '--set', 'image=6.14.1');
        expect(code).toBe(0);
        expect(out).toContain('+        image: "ghcr.io/stefanprodan/podinfo:6.14.1" # the version');
        expect(out).toContain('promoted after 30 s to 1 m 00 s');
        expect(out).toMatch(/Built by Flux’s own kustomize.*nothing else changes/);
        expect(out).toContain('--- Deployment prod/podinfo, as built');
        const asked = sandbox.cluster.requests.slice(before);
        const writes = asked.filter(
          ({ method, path }) => method !== 'GET' && !path.endsWith('accessreviews'),
        );
        expect(writes).toEqual([]);
        expect((await run('git', ['-C', fleet, 'status', '--short'])).stdout).toBe('');
      });
    });
  });

  it('plan and init without a cluster, from what the repository says of itself', async ({ expect }) => {
    const kustomization = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}
`;
    await withSandbox({ files: { 'clusters/prod/apps.yaml': kustomization } }, async sandbox => {
      await withClone(sandbox, async gated => {
        const planned = await gated('plan', '--offline', '--set', 'image=6.14.1');
        expect(planned.out).toContain('ghcr.io/stefanprodan/podinfo of prod/podinfo: 6.14.0 → 6.14.1');
        const first = await gated('init', '--offline', '--target', 'prod/podinfo');
        expect(first.out).toContain(
          'target: [prod/podinfo]\nchange:\n- image: ghcr.io/stefanprodan/podinfo\n',
        );
        const none = await gated('init', '--offline', '--target', 'prod/other');
        expect(none.code).toBe(3);
        expect(none.err).toContain('there are flux-system/apps (clusters/prod/apps.yaml)');
      });
    });
  });

  it('init writes a rollout.yaml that a release takes', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async gated => {
        const { out } = await gated('init', '--target', 'prod/podinfo');
        expect(out).toContain(ROLLOUT.replace('change: [{image: ghcr.io/stefanprodan/podinfo}]\n', ''));
        sandbox.rollout = out;
        expect((await sandbox.release('6.14.1')).outputs).toMatchObject({ verdict: 'promoted' });
      });
    });
  });

  it('says which Node it needs on one that is too old', async ({ expect }) => {
    const older = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import(${JSON.stringify(CLI)})`;
    const answer = run(process.execPath, ['--input-type=module', '-e', older]);
    await expect(answer).rejects.toMatchObject({
      code: 2,
      stderr: 'gated-rollout needs Node 22.19 or newer; this is Node 20.20.2.\n',
    });
  });

  it.for([
    [['plan'], 2, 'A change has no value'],
    [['plan', '--set', 'image'], 2, 'a name and a value are needed'],
    [['roll'], 2, 'There is no command roll'],
    [['plan', '--colour'], 2, '--colour'],
    [['init'], 2, '--target namespace/name'],
    [['init', '--target', 'prod/nobody'], 3, 'it has podinfo'],
  ] as const)('says what is wrong: %j', async ([args, code, words], { expect }) => {
    await withSandbox({}, async sandbox => {
      await withClone(sandbox, async gated => {
        const answer = await gated(...args);
        expect(answer.err).toContain(words);
        expect(answer.code).toBe(code);
      });
    });
  });
});
