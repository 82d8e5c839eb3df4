import { describe, it } from 'vitest';
import type { EmbeddedGitHub } from '../../sandbox/github/embedded-github.ts';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import { canary, deployment } from '../../sandbox/podinfo.ts';
import { FLEET, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { listAt, textAt } from '../../sandbox/cluster/kube-object.ts';
import { withClone } from './with-clone.ts';
import { midAnalysis, revertPushed, withSandbox } from './with-sandbox.ts';

/** The shape of BuoyantIO/gitops-linkerd: workloads of another repository, released by patches in this one. */
const FACES = 'acme/faces';
const SYNC = 'apps/faces/faces-sync.yaml';

function sync(github: EmbeddedGitHub): string {
  return `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: faces, namespace: flux-system}
spec: {url: ${github.cloneUrl(FACES)}, ref: {branch: main}, interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: faces, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: faces}
  path: ./k8s
  interval: 1m
  prune: true
  patches:
  - target: {kind: Deployment, name: fac.}
    patch: |
      # how often it goes wrong
      - op: replace
        path: /spec/template/spec/containers/0/env/0/value
        value: "0.1" # of one
      - op: add
        path: /spec/template/spec/containers/0/args
        value: [--ui-logo=old.png]
  - target: {kind: Deployment, name: (smiley|color)}
    patch: |
      - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "0.2"}
`;
}

function shape(rollout: string): SandboxOptions {
  return {
    rollout: `gitops: {repository: ${FLEET}}\n${rollout}`,
    repositories: {
      [FACES]: {
        'k8s/face.yaml': deployment({ name: 'face' }),
        'k8s/smiley.yaml': deployment({ name: 'smiley' }),
        'k8s/color.yaml': deployment({ name: 'color' }),
      },
    },
    files: (_cluster, github): Files => ({
      'apps/deployment.yaml': null,
      'apps/canary.yaml': null,
      'apps/kustomization.yaml': 'resources: [faces]\n',
      'apps/faces/kustomization.yaml': 'resources: [faces-sync.yaml, canaries.yaml]\n',
      'apps/faces/canaries.yaml': `${canary({ name: 'face' })}---\n${canary({ name: 'smiley' })}`,
      [SYNC]: sync(github),
    }),
  };
}

/** ERROR_FRACTION and the arguments of a Deployment. */
function values(
  sandbox: Sandbox,
  name: string,
): { readonly error: string; readonly args: readonly unknown[] } {
  const object = sandbox.cluster.get('Deployment', 'prod', name);
  const [container] = listAt(object, 'spec', 'template', 'spec', 'containers');
  return { error: textAt(listAt(container, 'env')[0], 'value'), args: listAt(container, 'args') };
}

const BOTH = 'target: prod/face\nchange: [{env: ERROR_FRACTION}, {arg: --ui-logo}]\n';
const SET = { inputs: { set: 'ERROR_FRACTION=0.3\nui-logo=new.png' } };

describe.concurrent('a workload of another repository, patched by a Flux Kustomization', () => {
  it('is promoted: the text of the patch is edited, and the link to the target is shown', async ({
    expect,
  }) => {
    await withSandbox(shape(BOTH), async sandbox => {
      const before = sync(sandbox.github);
      const running = await sandbox.start(SET);
      const run = await running.done;
      expect(run.outputs, run.log.text).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
      const after = await sandbox.file(SYNC);
      expect(after?.startsWith(before.replace('"0.1"', '"0.3"').replace('old.png', 'new.png'))).toBe(true);
      expect(after).toContain('gated-rollout/id: face-');
      expect(values(sandbox, 'face-primary')).toEqual({ error: '0.3', args: ['--ui-logo=new.png'] });
      expect(values(sandbox, 'smiley')).toEqual({ error: '0.2', args: [] });
      expect(sandbox.template('face-primary').id).not.toBe('');
      expect(sandbox.template('smiley').id).toBe('');
    });
  });

  it('is rolled back: the manifest of the Kustomization is restored byte for byte', async ({ expect }) => {
    await withSandbox(shape(BOTH), async sandbox => {
      sandbox.cluster.setMetric('prod/face', 'success', 90);
      const run = await (await sandbox.start(SET)).done;
      expect(run.outputs, run.log.text).toMatchObject({
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
      });
      expect(await sandbox.file(SYNC)).toBe(sync(sandbox.github));
      for (const name of ['face', 'face-primary']) {
        expect(values(sandbox, name)).toEqual({ error: '0.1', args: ['--ui-logo=old.png'] });
        expect(sandbox.template(name).id).toBe('');
      }
    });
  });

  it('cancelled in Progressing: restored under a new id, in a patch of its own', async ({ expect }) => {
    await withSandbox(shape(BOTH), async sandbox => {
      const running = await sandbox.start(SET);
      const goOn = await midAnalysis(sandbox, 'face');
      running.cancel();
      await running.done;
      const ending = running.post();
      await revertPushed(sandbox);
      goOn();
      const post = await ending;
      expect(post.log.text).toContain('cancelled (job-cancelled)');
      const text = (await sandbox.file(SYNC)) ?? '';
      expect(text.startsWith(sync(sandbox.github))).toBe(true);
      expect(text).toContain('gated-rollout/id: face-');
      expect(values(sandbox, 'face-primary')).toEqual({ error: '0.1', args: ['--ui-logo=old.png'] });
    });
  });

  it('refuses, before anything is written, a patch that reaches others, and what nothing here sets', async ({
    expect,
  }) => {
    const rollout = 'target: prod/smiley\nchange: [{image: ghcr.io/stefanprodan/podinfo}]\n';
    await withSandbox(shape(rollout), async sandbox => {
      const link = { kind: 'Kustomization', namespace: 'flux-system', name: 'faces' };
      const ssa = (value: string | null) =>
        sandbox.cluster.patch(link, {
          metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': value } },
        });
      ssa('IfNotPresent');
      const never = await sandbox.release('6.14.1');
      expect(never.outputs).toMatchObject({ verdict: 'refused', reason: 'ssa-if-not-present' });
      expect(never.log.text).toContain('Kustomization flux-system/faces is marked');
      ssa(null);
      sandbox.rollout = `gitops: {repository: ${FLEET}}\ntarget: prod/smiley\nchange: [{env: ERROR_FRACTION}]\n`;
      const others = await (await sandbox.start({ inputs: { set: 'ERROR_FRACTION=1' } })).done;
      expect(others.outputs).toMatchObject({ verdict: 'refused', reason: 'shared-line' });
      expect(others.log.text).toContain('that reaches Deployment color, too');
      sandbox.rollout = `gitops: {repository: ${FLEET}}\n${rollout}`;
      const refused = await sandbox.release('6.14.1');
      expect(refused.outputs).toMatchObject({ verdict: 'refused', reason: 'shared-line' });
      expect(refused.log.text).toContain('Say write: overlay in rollout.yaml');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
      sandbox.rollout += 'write: overlay\n';
      const released = await sandbox.release('6.14.1');
      expect(released.outputs, released.log.text).toMatchObject({ verdict: 'promoted' });
      expect(sandbox.template('smiley-primary').tag).toBe('6.14.1');
      expect(sandbox.template('face').tag).toBe('6.14.0');
    });
  });

  it('check, plan and init know the link between the two repositories', async ({ expect }) => {
    await withSandbox(shape(BOTH), async sandbox => {
      await withClone(sandbox, async gated => {
        const link = `Kustomization  flux-system/faces: ./k8s of ${sandbox.github.cloneUrl(FACES)}`;
        const checked = await gated('check');
        expect(checked.code, checked.err).toBe(0);
        expect(checked.out).toContain(`Kustomization  flux-system/apps: ./apps\n  ${link}`);
        expect(checked.out).toContain(`env ERROR_FRACTION 0.1 (${SYNC}:20)`);
        const planned = await gated('plan', '--set', 'ERROR_FRACTION=0.3', '--set', 'ui-logo=new.png');
        expect(planned.out).toContain('+        value: "0.3" # of one');
        const first = await gated('init', '--target', 'prod/face');
        expect(first.out).toContain(`#   ${link}`);
        expect(first.out).toContain(`gitops: {repository: ${FLEET}}`);
        const offline = await gated('plan', '--offline', '--set', 'ERROR_FRACTION=0.3', '--set', 'ui-logo=b');
        expect(offline.code).toBe(3);
        expect(offline.err).toContain(
          `only the cluster can say: flux-system/faces (${SYNC}) from http://127`,
        );
      });
    });
  });
});
