import { describe, expect, it } from 'vitest';
import { mayDeleteFile } from '../../src/gitops/three-way.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { findPlacements, restoredFiles } from '../../src/plan/stamp.ts';
import type { CommittedFile, FileBlob } from '../../src/rollout/ports.ts';
import { type PlanningOn, planOf, refusal } from './planning.ts';

const FILES = {
  'base/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: main
        image: ghcr.io/acme/shop:6.1.0
        args: [--ui-logo=a.png, --port, "9898"]
        env: [{name: MODE, value: quiet}, {name: OTHER, value: x}]
`,
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
  'prod/canary.yaml': `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis: {interval: 1m, threshold: 5, iterations: 10, metrics: [{name: request-success-rate, interval: 1m}]}
`,
  'prod/kustomization.yaml': 'namespace: prod\nresources:\n- ../base\n- canary.yaml\n',
};
const ON: PlanningOn = { folder: 'prod', ...{} };
const yaml = (change: string): string => `target: [prod/shop]\nwrite: overlay\nchange: [${change}]\n`;
const ENV = yaml('{env: MODE, value: loud}');

function texts(plan: ReleasePlan): Record<string, string> {
  return Object.fromEntries(plan.files.map(({ path, text }) => [path, text]));
}

function proven(plan: ReleasePlan): void {
  expect(plan.build).toMatchObject({ kind: 'proven' });
}

describe('write: overlay, for variables and arguments', () => {
  it('a variable gets a patch of this environment; the base stays', async () => {
    const plan = await planOf(FILES, ENV, ON);
    const written = texts(plan);
    proven(plan);
    expect(Object.keys(written)).toEqual([
      'prod/kustomization.yaml',
      'prod/shop-env-mode.yaml',
      'prod/shop-rollout.yaml',
    ]);
    expect(written['prod/shop-env-mode.yaml']).toBe(`# Written by Gated Rollout: a value of this environment.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
      - name: main
        env:
        - name: MODE
          value: loud
`);
    expect(written['prod/kustomization.yaml']).toBe(
      `${FILES['prod/kustomization.yaml']}patches:\n- path: shop-env-mode.yaml\n- path: shop-rollout.yaml\n`,
    );
    // The next release edits the patch; the same one again changes nothing.
    const next = await planOf({ ...FILES, ...written }, yaml('{env: MODE, value: calm}'), ON);
    proven(next);
    expect(texts(next)).toEqual({
      'prod/shop-env-mode.yaml': written['prod/shop-env-mode.yaml']?.replace('loud', 'calm'),
    });
    expect((await planOf({ ...FILES, ...written }, ENV, ON)).unchanged).toBe(true);
  });

  it.each([
    ['--ui-logo', 'b.png', '0', '--ui-logo=a.png', '--ui-logo=b.png', 'shop-arg-ui-logo.yaml'],
    ['--port', '80', '2', '"9898"', '"80"', 'shop-arg-port.yaml'],
  ])(
    'an argument is replaced where it stands, after a test that it does: %s',
    async (arg, value, index, old, now, file) => {
      const plan = await planOf(FILES, yaml(`{arg: ${arg}, value: "${value}"}`), ON);
      const written = texts(plan);
      proven(plan);
      const path = `/spec/template/spec/containers/0/args/${index}`;
      expect(written[`prod/${file}`]).toBe(
        `# Written by Gated Rollout: a value of this environment.\n- op: test\n  path: ${path}\n  value: ${old}\n- op: replace\n  path: ${path}\n  value: ${now}\n`,
      );
      expect(written['prod/kustomization.yaml']).toContain(
        `- path: ${file}\n  target:\n    kind: Deployment\n    name: shop\n`,
      );
      const next = await planOf({ ...FILES, ...written }, yaml(`{arg: ${arg}, value: "${value}1"}`), ON);
      proven(next);
      expect(Object.keys(texts(next))).toEqual([`prod/${file}`]);
      expect(texts(next)[`prod/${file}`]?.split('\n').slice(0, 4)).toEqual(
        written[`prod/${file}`]?.split('\n').slice(0, 4),
      );
    },
  );

  it('a base that moved the argument breaks the build, loudly', async () => {
    const plan = await planOf(FILES, yaml('{arg: --ui-logo, value: b.png}'), ON);
    const moved = {
      ...FILES,
      ...texts(plan),
      'base/deployment.yaml': FILES['base/deployment.yaml'].replace('[--ui-logo', '[--new, --ui-logo'),
    };
    const refused = await refusal(planOf(moved, yaml('{env: MODE, value: loud}'), ON));
    expect(refused.reason).toBe('tree-broken');
    expect(refused.message).toMatch(/test/i);
  });

  it('an argument that a patch of the base sets is counted in that patch’s list', async () => {
    const files = {
      ...FILES,
      'base/kustomization.yaml': `resources: [deployment.yaml]
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop}
    spec: {template: {spec: {containers: [{name: main, args: [--new, --port, "1"]}]}}}
`,
    };
    const plan = await planOf(files, yaml('{arg: --port, value: "2"}'), ON);
    proven(plan);
    expect(texts(plan)['prod/shop-arg-port.yaml']).toContain(
      'path: /spec/template/spec/containers/0/args/2\n',
    );
  });

  it('the outermost kustomization that there is lists the patch', async () => {
    const files = {
      'base/deployment.yaml': FILES['base/deployment.yaml'],
      'base/kustomization.yaml': FILES['base/kustomization.yaml'],
      'prod/canary.yaml': FILES['prod/canary.yaml'],
      'prod/more/kustomization.yaml': 'resources: [../../base]\n',
    };
    const plan = await planOf(files, ENV, { folder: 'prod' });
    expect(Object.keys(texts(plan))).toContain('prod/more/shop-env-mode.yaml');
  });

  it('a file of the same name that is not ours is never overwritten', async () => {
    const files = { ...FILES, 'prod/shop-env-mode.yaml': '# a note of ours\n' };
    const refused = await refusal(planOf(files, ENV, ON));
    expect(refused.message).toContain(
      'prod/shop-env-mode.yaml would have to be written, but it is there already',
    );
  });

  it('a plain revert takes the patches away, a stamped one keeps the id’s patch listed', async () => {
    const plan = await planOf(FILES, ENV, ON);
    const blob = (text: string): FileBlob => ({ sha: '', mode: '100644', text });
    const files = plan.files.map(
      ({ path, before, text }): CommittedFile => ({ path, before, after: blob(text) }),
    );
    const restored = (form: 'plain' | 'stamped') =>
      Object.fromEntries(
        restoredFiles({
          commit: { files },
          placements: findPlacements(files, { id: 'shop-1', targets: ['prod/shop'] }),
          forms: { 'prod/shop': form },
          revertId: 'shop-1-back',
          restoreTexts: new Map(),
          mayRemove: false,
        }).map(file => [file.path, file.restored.kind === 'blob' ? file.restored.blob.text : undefined]),
      );
    expect(restored('plain')).toEqual({
      'prod/kustomization.yaml': FILES['prod/kustomization.yaml'],
      'prod/shop-env-mode.yaml': undefined,
      'prod/shop-rollout.yaml': undefined,
    });
    const stamped = restored('stamped');
    expect(stamped['prod/kustomization.yaml']).toBe(
      `${FILES['prod/kustomization.yaml']}patches:\n- path: shop-rollout.yaml\n`,
    );
    expect(stamped['prod/shop-rollout.yaml']).toContain('gated-rollout/id: shop-1-back');
    expect(stamped['prod/shop-env-mode.yaml']).toBeUndefined();
    expect(files.filter(file => file.before === null).map(mayDeleteFile)).toEqual([true, true]);
  });
});
