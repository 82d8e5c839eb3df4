import { describe, expect, it } from 'vitest';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { liveValue } from '../../src/rollout/live-value.ts';
import { recordFromTrailers, trailersOf } from '../../src/run/rollout-record.ts';
import { BUILDER, type PlanningOn, planOf, refusal } from './planning.ts';

const ON: PlanningOn = {};
const FILES = {
  'apps/deployment.yaml': `apiVersion: apps/v1
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
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: keys}}]
`,
  'apps/canary.yaml': `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis: {interval: 1m, threshold: 5, iterations: 10, metrics: [{name: request-success-rate, interval: 1m}]}
`,
  'apps/kustomization.yaml': `namespace: prod
resources: [deployment.yaml, canary.yaml]
configMapGenerator:
- name: settings
  envs: [shop.env]
  files: [values.yaml, app.conf=shop.properties]
  literals:
  - MODE=quiet # at night
  - 'QUOTED="a b"'
secretGenerator:
- name: keys
  envs: [keys.env]
`,
  'apps/shop.env': '# what the shop reads\r\nCHECKOUT=old\r\nOTHER=CHECKOUT=old\r\n',
  'apps/values.yaml': 'shop:\n  checkout: old   # the variant\n  workers: 2\nlist: [a, b]\n',
  'apps/shop.properties': 'app.mode = quiet\napp.other: x\n',
  'apps/keys.env': 'TOKEN=one\n',
};
const yaml = (file: string, path: string, value: string): string =>
  `target: [prod/shop]\nchange: [{at: {file: apps/${file}, path: '${path}'}, value: "${value}"}]\n`;

function texts(plan: ReleasePlan): Record<string, string> {
  return Object.fromEntries(plan.files.map(({ path, text }) => [path, text]));
}

/** The data of the ConfigMap as kustomize makes it of a plan's files. */
function builtData(plan: ReleasePlan): unknown {
  const built = plan.build.objects.find(({ object }) => object.startsWith('ConfigMap prod/settings-'));
  return built && { before: built.before, after: built.after };
}

describe('inputs of generators', () => {
  it.each([
    ['shop.env', 'CHECKOUT', 'new', 'old', 'CHECKOUT=old', 'CHECKOUT=new', ['data', 'CHECKOUT'], 2],
    [
      'values.yaml',
      'shop.checkout',
      'new',
      'old',
      'checkout: old ',
      'checkout: new ',
      ['data', 'values.yaml'],
      2,
    ],
    ['values.yaml', 'shop.workers', '3', '2', 'workers: 2', 'workers: 3', ['data', 'values.yaml'], 3],
    ['values.yaml', 'list[1]', 'c', 'b', '[a, b]', '[a, c]', ['data', 'values.yaml'], 4],
    ['shop.properties', 'app.mode', 'loud', 'quiet', 'mode = quiet', 'mode = loud', ['data', 'app.conf'], 1],
    [
      'kustomization.yaml',
      'configMapGenerator.settings.MODE',
      'loud',
      'quiet',
      'MODE=quiet',
      'MODE=loud',
      ['data', 'MODE'],
      8,
    ],
    [
      'kustomization.yaml',
      'configMapGenerator.settings.QUOTED',
      'c',
      'a b',
      `'QUOTED="a b"'`,
      `'QUOTED=c'`,
      ['data', 'QUOTED'],
      9,
    ],
  ])('%s %s', async (file, path, value, current, before, after, field, line) => {
    const plan = await planOf(FILES, yaml(file, path, value), ON);
    const name = `apps/${file}`;
    const old = FILES[name as keyof typeof FILES];
    expect(texts(plan)[name]).toBe(old.replace(before, after));
    expect(plan.found).toMatchObject([{ path: name, line, current, requested: value }]);
    const [expectation] = plan.expectations;
    expect(expectation).toMatchObject({
      kind: 'field',
      object: { kind: 'ConfigMap', namespace: 'prod', name: 'settings' },
      path: field,
      value,
    });
    if (!expectation) return;
    // What kustomize generates of it is what is expected to be live.
    const { parse } = await import('yaml');
    const data = builtData(plan) as { before: string; after: string };
    expect(liveValue(expectation, parse(data.after))).toEqual({ found: value, holds: true });
    expect(liveValue(expectation, parse(data.before))).toEqual({ found: current, holds: false });
    expect(plan.build.objects.map(({ object }) => object.replace(/-\w{10}$/, '')).toSorted()).toEqual([
      'ConfigMap prod/settings',
      'Deployment prod/shop',
    ]);
  });

  it('of a Secret neither the old nor the new value is read, kept or shown', async () => {
    const plan = await planOf(FILES, yaml('keys.env', 'TOKEN', 'two'), ON);
    expect(texts(plan)['apps/keys.env']).toBe('TOKEN=two\n');
    expect(plan.expectations).toEqual([]);
    expect(plan.found).toMatchObject([{ current: 'a secret', requested: 'another one' }]);
    expect(JSON.stringify([plan.found, plan.build])).not.toMatch(/two|TOKEN=one/);
  });

  it('the chain is proven by the ConfigMap that the live template refers to', async () => {
    const text = yaml('values.yaml', 'shop.checkout', 'new');
    const parsed = parseRolloutFile(text, { file: 'rollout.yaml', set: [] });
    if ('problems' in parsed) throw new Error('problems');
    const planner = new ReleasePlanner({
      rollout: parsed.rollout,
      sourceSha: 'c'.repeat(40),
      builder: BUILDER,
    });
    const { found } = await planOf(FILES, text);
    const observed = (data: unknown) =>
      ({ source: 'read', at: 0, targets: {}, objects: { 'ConfigMap prod/settings': data } }) as const;
    planner.proveChain(found, observed({ data: { 'values.yaml': FILES['apps/values.yaml'] } }));
    expect(() =>
      planner.proveChain(found, observed({ data: { 'values.yaml': 'shop: {checkout: x}' } })),
    ).toThrow('but x is live');
    expect(() => planner.proveChain(found, observed(null))).toThrow('but nothing is live');
  });

  it('a later run reads the expectation from the trailers', async () => {
    const { expectations } = await planOf(FILES, yaml('values.yaml', 'shop.checkout', 'new'));
    const record = {
      id: 'a',
      name: 'shop',
      kind: 'release',
      identity: 'annotation',
      source: { repository: 'a/b', sha: 'c' },
      runUrl: '',
      baselines: [
        {
          target: 'prod/shop',
          targetUid: 't',
          phase: 'Succeeded',
          lastAppliedSpec: 'a',
          lastPromotedSpec: 'a',
          trackedConfigs: {},
          joinsByHash: true,
        },
      ],
      expectations,
      restore: { kind: 'parent' },
      barrier: false,
    } as const;
    expect(recordFromTrailers(trailersOf(record))?.expectations).toEqual(expectations);
  });

  it('names in the cluster follow prefixes, and a base’s input is shared', async () => {
    const files = {
      ...Object.fromEntries(
        Object.entries(FILES).map(([path, text]) => [path.replace('apps/', 'base/'), text]),
      ),
      'base/kustomization.yaml': FILES['apps/kustomization.yaml'].replace(
        'deployment.yaml, canary.yaml',
        'deployment.yaml',
      ),
      'prod/canary.yaml': FILES['apps/canary.yaml'].replaceAll('name: shop', 'name: my-shop'),
      'prod/kustomization.yaml': 'resources: [../base, canary.yaml]\nnamePrefix: my-\n',
    };
    const target = `target: [prod/my-shop]\nchange: [{at: {file: base/shop.env, path: CHECKOUT}, value: new}]\n`;
    const alone = await planOf(files, target, { ...ON, folder: 'prod' });
    expect(alone.expectations).toMatchObject([{ object: { name: 'my-settings' }, value: 'new' }]);
    const others = { ...files, 'staging/kustomization.yaml': 'resources: [../base]\n' };
    const refused = await refusal(planOf(others, target, { ...ON, folder: 'prod' }));
    expect(refused.reason).toBe('shared-line');
    expect(refused.message).toContain('base/shop.env:2, which is also built by staging');
  });

  it('says where it looked and what there is', async () => {
    const nowhere = await refusal(planOf({ ...FILES, 'apps/x.env': 'A=b\n' }, yaml('x.env', 'A', 'c')));
    expect(nowhere.reason).toBe('change-not-found');
    expect(nowhere.message).toContain(
      'apps/x.env:1 (rollout.yaml:2) changes nothing in what Flux builds from apps',
    );
    const noKey = await refusal(planOf(FILES, yaml('shop.env', 'NOPE', 'c')));
    expect(noKey.message).toContain('apps/shop.env has no single value NOPE (rollout.yaml:2)');
    const lines = await refusal(planOf(FILES, yaml('shop.env', 'CHECKOUT', 'a\\nB=c')));
    expect(lines).toMatchObject({ reason: 'bad-config' });
    const noLiteral = await refusal(
      planOf(FILES, yaml('kustomization.yaml', 'configMapGenerator.settings.NOPE', 'c')),
    );
    expect(noLiteral.message).toContain(
      'apps/kustomization.yaml has no literal configMapGenerator.settings.NOPE',
    );
  });

  it('another workload that takes the same settings is refused', async () => {
    const files = {
      ...FILES,
      'apps/worker.yaml': FILES['apps/deployment.yaml'].replace(
        'metadata: {name: shop}',
        'metadata: {name: worker}',
      ),
      'apps/kustomization.yaml': FILES['apps/kustomization.yaml'].replace(
        'canary.yaml',
        'canary.yaml, worker.yaml',
      ),
    };
    const refused = await refusal(planOf(files, yaml('shop.env', 'CHECKOUT', 'new'), ON));
    expect(refused.reason).toBe('change-ambiguous');
    expect(refused.message).toContain('of Deployment prod/worker');
  });
});
