import { describe, expect, it } from 'vitest';
import { planOf, refusal } from './planning.ts';

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

describe('proof by the builder of this machine', () => {
  it('shows what changes in the build, and who built it', async () => {
    const { build } = await planOf(FOLDER, IMAGE);
    expect(build.by).toContain('kustomize');
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
    const built = await refusal(planOf({ ...files, 'apps/worker.yaml': job }, IMAGE));
    expect(built.reason).toBe('change-ambiguous');
    expect(built.message).toContain(
      'set in apps/kustomization.yaml:3, which changes CronJob nightly, too; that is no target of the change',
    );
    const both = `target: [prod/shop, prod/worker]\nchange: [{image: "ghcr.io/acme/shop:6.2.0"}]\n`;
    const canaries = `${canary('shop')}---\n${canary('worker')}`;
    const planned = await planOf({ ...files, 'apps/canary.yaml': canaries }, both);
    expect(planned.build).toMatchObject({ kind: 'proven' });
  });

  it('refuses an entry that changes another container of the target than the one that is meant', async () => {
    const files = {
      ...FOLDER,
      'apps/deployment.yaml': `${deployment('shop')}      initContainers: [{name: migrate, image: ghcr.io/acme/shop}]\n`,
      'apps/kustomization.yaml': `${KUSTOMIZATION}images: [{name: ghcr.io/acme/shop, newTag: 6.1.0}]\n`,
    };
    const one = 'target: [prod/shop]\nchange: [{image: "ghcr.io/acme/shop:6.2.0", container: main}]\n';
    const refused = await refusal(planOf(files, one));
    expect(refused.message).toContain(
      'which changes spec.template.spec.initContainers.0.image of Deployment prod/shop, too',
    );
    expect(await planOf(files, IMAGE)).toMatchObject({ build: { kind: 'proven' } });
  });

  it('follows a replacement to the line that it takes the value from', async () => {
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
    const followed = await planOf(files, change);
    expect(followed.found).toMatchObject([{ path: 'apps/settings.yaml', current: 'loud' }]);
    expect(followed.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml', 'apps/settings.yaml']);
    expect(followed.build.compared).toBe(1);
    // The line that does set it may be changed, and reaches the target.
    const at =
      'target: [prod/shop]\nchange: [{at: {file: apps/settings.yaml, object: ConfigMap/settings, path: data.mode}, value: calm}]\n';
    const { build } = await planOf(files, at);
    expect(build.objects.map(({ object }) => object).toSorted()).toEqual([
      'ConfigMap prod/settings',
      'Deployment prod/shop',
    ]);
  });

  it('a tree that does not build is refused in the words of the builder', async () => {
    const files = {
      ...FOLDER,
      'apps/kustomization.yaml': `${KUSTOMIZATION}configMapGenerator: [{name: x, files: [gone.txt]}]\n`,
    };
    const refused = await refusal(planOf(files, IMAGE));
    expect(refused.reason).toBe('tree-broken');
    expect(refused.message).toMatch(/cannot build apps .*gone\.txt/s);
  });

  it('remote bases, and files beside the repository, are never fetched or read', async () => {
    const base = 'resources: [deployment.yaml, canary.yaml, "https://github.com/acme/base?ref=v1"]';
    const planned = await planOf(
      { ...FOLDER, 'apps/kustomization.yaml': `namespace: prod\n${base}\n` },
      IMAGE,
    );
    expect(planned.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
    expect(planned.warnings.map(({ message }) => message).join()).toContain(
      'https://github.com/acme/base?ref=v1',
    );
    for (const [line, words] of [
      ['configMapGenerator: [{name: x, files: [a=/etc/hostname]}]', 'hostname'],
      ['configMapGenerator: [{name: x, envs: [../../x]}]', 'x'],
    ] as const) {
      const kustomization = `namespace: prod\nresources: [deployment.yaml, canary.yaml]\n${line}\n`;
      const refused = await refusal(planOf({ ...FOLDER, 'apps/kustomization.yaml': kustomization }, IMAGE));
      expect(refused.reason).toBe('tree-broken');
      expect(refused.message).toContain(words);
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
      parent: 'clusters',
      applier: { targetNamespace: 'prod' },
    });
    expect(planned.files.map(({ path }) => path)).toEqual(['clusters/apps.yaml']);
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
    const { build } = await planOf(files, at);
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
    const planned = await planOf(bare, yaml, { bare: true });
    expect(planned.build.objects.map(({ object }) => object)).toEqual([
      'Canary prod/shop',
      'Deployment prod/shop',
    ]);
  });
});
