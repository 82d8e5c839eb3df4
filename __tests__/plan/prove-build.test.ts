import { describe, expect, it } from 'vitest';
import type { TreeBuilder } from '../../src/plan/build.ts';
import { BUILDER, HAS_BUILDER, planOf, refusal } from './planning.ts';

const deployment = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: main
        image: ghcr.io/acme/shop:6.1.0
        env: [{name: MODE, value: quiet}]
`;
const canary = (name: string): string => `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: ${name}}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: ${name}}
  service: {port: 80}
  analysis: {interval: 1m, threshold: 5, iterations: 10, metrics: [{name: request-success-rate, interval: 1m}]}
`;
const KUSTOMIZATION = 'namespace: prod\nresources: [deployment.yaml, canary.yaml]\n';
const FOLDER = {
  'apps/deployment.yaml': deployment('shop'),
  'apps/canary.yaml': canary('shop'),
  'apps/kustomization.yaml': KUSTOMIZATION,
};
const IMAGE = 'target: [prod/shop]\nchange: [{image: "ghcr.io/acme/shop:6.2.0"}]\n';

/** Builds in turn what it is given: the tree before, then after. */
function saying(...builds: readonly string[]): TreeBuilder {
  const left = [...builds];
  return { build: () => Promise.resolve({ kind: 'built', by: 'test', text: left.shift() ?? '' }) };
}

describe.skipIf(!HAS_BUILDER)('proof by the builder of this machine', () => {
  const on = { builder: BUILDER };

  it('shows what changes in the build, and who built it', async () => {
    const { build } = await planOf(FOLDER, IMAGE, on);
    if (build.kind !== 'proven') throw new Error(build.why);
    expect(build.by).toMatch(/^(?:kubectl )?kustomize v/);
    expect(build.objects.map(({ object }) => object)).toEqual(['Deployment prod/shop']);
    expect(build.objects[0]?.before).toContain('image: ghcr.io/acme/shop:6.1.0');
    expect(build.objects[0]?.after).toContain('image: ghcr.io/acme/shop:6.2.0');
    expect(build.objects[0]?.after).toContain('gated-rollout/id: shop-1');
  });

  it('refuses an images entry that changes another app, too, and names object and field', async () => {
    const files = {
      ...FOLDER,
      'apps/worker.yaml': deployment('worker'),
      'apps/kustomization.yaml':
        'namespace: prod\nresources: [deployment.yaml, worker.yaml, canary.yaml]\nimages: [{name: ghcr.io/acme/shop, newTag: 6.1.0}]\n',
    };
    // The walk sees a Deployment; what it does not look into, the build shows.
    const refused = await refusal(planOf(files, IMAGE));
    expect(refused.reason).toBe('change-ambiguous');
    expect(refused.message).toContain(
      'set in apps/kustomization.yaml:3, which changes Deployment worker, too',
    );
    const job = `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {containers: [{name: main, image: ghcr.io/acme/shop}]}}}}
`;
    const built = await refusal(planOf({ ...files, 'apps/worker.yaml': job }, IMAGE, on));
    expect(built.reason).toBe('change-ambiguous');
    expect(built.message).toContain(
      'change spec.jobTemplate.spec.template.spec.containers.main.image of CronJob prod/nightly from ghcr.io/acme/shop:6.1.0 to ghcr.io/acme/shop:6.2.0, which is no target',
    );
    const both = `target: [prod/shop, prod/worker]\nchange: [{image: "ghcr.io/acme/shop:6.2.0"}]\n`;
    const canaries = `${canary('shop')}---\n${canary('worker')}`;
    const planned = await planOf({ ...files, 'apps/canary.yaml': canaries }, both, on);
    expect(planned.build).toMatchObject({ kind: 'proven' });
  });

  it('refuses an entry that changes another container of the target than the one that is meant', async () => {
    const files = {
      ...FOLDER,
      'apps/deployment.yaml': `${deployment('shop')}      initContainers: [{name: migrate, image: ghcr.io/acme/shop}]\n`,
      'apps/kustomization.yaml': `${KUSTOMIZATION}images: [{name: ghcr.io/acme/shop, newTag: 6.1.0}]\n`,
    };
    const one = 'target: [prod/shop]\nchange: [{image: "ghcr.io/acme/shop:6.2.0", container: main}]\n';
    const refused = await refusal(planOf(files, one, on));
    expect(refused.message).toContain(
      'spec.template.spec.initContainers.migrate.image of Deployment prod/shop',
    );
    expect(await planOf(files, IMAGE, on)).toMatchObject({ build: { kind: 'proven' } });
  });

  it('refuses where something that we do not follow sets the value', async () => {
    const files = {
      ...FOLDER,
      'apps/settings.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: loud}\n',
      'apps/kustomization.yaml': `namespace: prod
resources: [deployment.yaml, canary.yaml, settings.yaml]
replacements:
- path: mode.yaml
`,
      'apps/mode.yaml':
        'source: {kind: ConfigMap, name: settings, fieldPath: data.mode}\ntargets:\n- select: {kind: Deployment}\n  fieldPaths: [spec.template.spec.containers.0.env.0.value]\n',
    };
    const change = 'target: [prod/shop]\nchange: [{env: MODE, value: calm}]\n';
    const refused = await refusal(planOf(files, change, on));
    expect(refused.reason).toBe('chain-broken');
    expect(refused.message).toContain('apps/deployment.yaml:12');
    expect(refused.message).toContain('builds loud of it');
    // The line that does set it may be changed, and reaches the target.
    const at =
      'target: [prod/shop]\nchange: [{at: {file: apps/settings.yaml, object: ConfigMap/settings, path: data.mode}, value: calm}]\n';
    const { build } = await planOf(files, at, on);
    if (build.kind !== 'proven') throw new Error(build.why);
    expect(build.objects.map(({ object }) => object)).toEqual([
      'ConfigMap prod/settings',
      'Deployment prod/shop',
    ]);
  });

  it('a tree that does not build is refused in the words of the builder', async () => {
    const files = {
      ...FOLDER,
      'apps/kustomization.yaml': `${KUSTOMIZATION}configMapGenerator: [{name: x, files: [gone.txt]}]\n`,
    };
    const refused = await refusal(planOf(files, IMAGE, on));
    expect(refused.reason).toBe('tree-broken');
    expect(refused.message).toMatch(/cannot build apps: .*gone\.txt/s);
    expect(refused.message).not.toContain('gated-rollout-build');
    // What Flux has built at this very commit cannot be broken.
    const ready = { status: 'True', reason: 'ReconciliationSucceeded', message: '' } as const;
    const applier = { ready, lastAppliedRevision: 'a'.repeat(40) };
    const planned = await planOf(files, IMAGE, { ...on, applier });
    expect(planned.build).toMatchObject({ kind: 'unproven', surprising: true });
    expect(planned.warnings).toMatchObject([{ code: 'not-built' }]);
  });

  it('remote bases, and files beside the repository, are never fetched or read: no build, and a word about it', async () => {
    for (const [line, words] of [
      [
        'resources: [deployment.yaml, canary.yaml, "https://github.com/acme/base?ref=v1"]',
        'github.com/acme/base',
      ],
      [
        'resources: [deployment.yaml, canary.yaml]\nconfigMapGenerator: [{name: x, files: [a=/etc/hostname]}]',
        '/etc/hostname',
      ],
      [
        'resources: [deployment.yaml, canary.yaml]\nconfigMapGenerator: [{name: x, envs: [../../x]}]',
        'lies outside',
      ],
    ]) {
      const planned = await planOf(
        { ...FOLDER, 'apps/kustomization.yaml': `namespace: prod\n${line}\n` },
        IMAGE,
        on,
      );
      expect(planned.build).toMatchObject({ kind: 'unproven' });
      expect(planned.warnings.map(({ message }) => message).join()).toContain(words);
    }
  });

  it('builds what the Flux Kustomization adds: names, namespace, patches and images', async () => {
    const files = {
      'apps/deployment.yaml': deployment('op'),
      'apps/canary.yaml': canary('op'),
      'clusters/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  targetNamespace: prod
  namePrefix: sh
  images: [{name: ghcr.io/acme/shop, newTag: 6.1.5}]
  patches:
  - patch: |
      - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "loud"}
    target: {kind: Deployment}
`,
    };
    const both = `${IMAGE.trimEnd().slice(0, -1)}, {env: MODE, value: calm}]\n`;
    const planned = await planOf(files, both, {
      ...on,
      parent: 'clusters',
      applier: { targetNamespace: 'prod' },
    });
    if (planned.build.kind !== 'proven') throw new Error(planned.build.why);
    expect(planned.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml', 'clusters/apps.yaml']);
    expect(planned.build.objects.map(({ object }) => object)).toEqual(['Deployment prod/shop']);
    expect(planned.build.objects[0]?.after).toContain('value: calm');
  });

  it('a Secret is compared and never shown', async () => {
    const files = {
      ...FOLDER,
      'apps/secret.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {token: one}\n',
      'apps/kustomization.yaml': 'namespace: prod\nresources: [deployment.yaml, canary.yaml, secret.yaml]\n',
    };
    const at =
      'target: [prod/shop]\nchange: [{at: {file: apps/secret.yaml, object: Secret/key, path: stringData.token}, value: two}]\n';
    const { build } = await planOf(files, at, on);
    if (build.kind !== 'proven') throw new Error(build.why);
    expect(build.objects.find(({ secret }) => secret)).toEqual({
      object: 'Secret prod/key',
      before: '',
      after: '',
      secret: true,
    });
  });

  it('an adoption is built, too', async () => {
    const bare = {
      'apps/deployment.yaml': FOLDER['apps/deployment.yaml'],
      'apps/kustomization.yaml': 'namespace: prod\nresources: [deployment.yaml]\n',
    };
    const yaml = `${IMAGE}canary:\n  prod/shop:\n    provider: kubernetes\n    service: {port: 80}\n    analysis: {iterations: 2}\n`;
    const planned = await planOf(bare, yaml, { ...on, bare: true });
    if (planned.build.kind !== 'proven') throw new Error(planned.build.why);
    expect(planned.build.objects.map(({ object }) => object)).toEqual([
      'Canary prod/shop',
      'Deployment prod/shop',
    ]);
  });
});

describe('proof by whatever builder', () => {
  const doc = (name: string, annotations: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    metadata:\n      annotations: ${annotations}\n    spec:\n      containers: [{name: main, image: "ghcr.io/acme/shop:6.2.0"}]\n`;
  const ours = `gated-rollout/id: shop-1, gated-rollout/source-sha: ${'c'.repeat(40)}`;

  it('refuses when the id does not arrive, or brings other annotations with it', async () => {
    const lost = await refusal(
      planOf(FOLDER, IMAGE, { builder: saying(doc('shop', '{}'), doc('shop', '{}')) }),
    );
    expect(lost.reason).toBe('chain-broken');
    expect(lost.message).toContain('The id of the rollout would not reach');
    const back = doc('shop', `{linkerd.io/inject: enabled, ${ours}}`);
    const revived = await refusal(planOf(FOLDER, IMAGE, { builder: saying(doc('shop', '{}'), back) }));
    expect(revived.message).toContain('linkerd.io/inject of Deployment shop');
  });

  it('an object that comes or goes is refused', async () => {
    const before = doc('shop', '{}');
    const after = `${doc('shop', `{${ours}}`)}---\napiVersion: v1\nkind: Service\nmetadata: {name: new}\n`;
    const refused = await refusal(planOf(FOLDER, IMAGE, { builder: saying(before, after) }));
    expect(refused.message).toContain('would also add Service new');
  });

  it('without any builder the walk stands alone', async () => {
    const builder: TreeBuilder = {
      build: () => Promise.resolve({ kind: 'unavailable', why: 'there is none' }),
    };
    const planned = await planOf(FOLDER, IMAGE, { builder });
    expect(planned.build).toEqual({ kind: 'unproven', why: 'there is none', surprising: false });
    expect(planned.warnings).toEqual([]);
    expect(planned.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
  });
});
