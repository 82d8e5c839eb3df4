import { describe, expect, it } from 'vitest';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { type PlanningOn, planOf, refusal } from './planning.ts';

/** Trees that people have, each with the plan that is right for it; before Flux's own build was asked, it was not made. */

const deployment = (image: string, more = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger
  namespace: pay
spec:
  selector: {matchLabels: {app: ledger}}
  template:
    metadata:
      labels: {app: ledger}
    spec:
      containers:
      - name: ledger
        image: ${image}
${more}`;
const canary = (name = 'ledger', namespace = 'pay'): string => `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: ${name}}
  service: {port: 80}
  analysis:
    interval: 30s
    threshold: 5
    maxWeight: 50
    stepWeight: 10
    metrics: [{name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}]
`;
const LEDGER = 'registry.test/pay/ledger';
const IMAGE = `target: [pay/ledger]\nchange: [{image: "${LEDGER}:2.0.0"}]\n`;
const K = 'resources: [deployment.yaml, canary.yaml]\n';
const FOLDER = {
  'apps/deployment.yaml': deployment(`${LEDGER}:1.0.0`),
  'apps/canary.yaml': canary(),
  'apps/kustomization.yaml': K,
};

function texts(plan: ReleasePlan): Readonly<Record<string, string>> {
  return Object.fromEntries(plan.files.map(({ path, text }) => [path, text]));
}

async function changed(
  files: Readonly<Record<string, string>>,
  yaml = IMAGE,
  on: PlanningOn = {},
): Promise<{ readonly plan: ReleasePlan; readonly files: Readonly<Record<string, string>> }> {
  const plan = await planOf(files, yaml, on);
  return { plan, files: texts(plan) };
}

describe('the line that sets a value is found by what is built', () => {
  it('two patches in one text: the second document of it', async () => {
    const kustomization = `resources: [deployment.yaml, canary.yaml, svc.yaml]
patches:
- patch: |-
    apiVersion: v1
    kind: Service
    metadata: {name: other, namespace: pay}
    spec: {type: ClusterIP}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: ledger, namespace: pay}
    spec:
      template:
        spec:
          containers:
          - name: ledger
            image: registry.test/pay/ledger:1.5.0
`;
    const service =
      'apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: pay}\nspec: {ports: [{port: 80}]}\n';
    const { plan, files } = await changed({
      ...FOLDER,
      'apps/svc.yaml': service,
      'apps/kustomization.yaml': kustomization,
    });
    expect(plan.found).toMatchObject([{ path: 'apps/kustomization.yaml', line: 17, current: '1.5.0' }]);
    expect(files['apps/kustomization.yaml']).toBe(kustomization.replace('1.5.0', '2.0.0'));
  });

  it('containers that patches add, and move', async () => {
    const added = `${K}patches:
- target: {kind: Deployment, name: ledger}
  patch: |-
    - op: add
      path: /spec/template/spec/containers/-
      value: {name: proxy, image: "registry.test/pay/proxy:1.0.0"}
`;
    const proxy = await changed(
      { ...FOLDER, 'apps/kustomization.yaml': added },
      IMAGE.replace('/ledger:2', '/proxy:2'),
    );
    expect(proxy.files['apps/kustomization.yaml']).toBe(added.replace('1.0.0', '2.0.0'));
    const moved = `${K}patches:
- target: {kind: Deployment, name: ledger}
  patch: |-
    - op: add
      path: /spec/template/spec/containers/0
      value: {name: proxy, image: "registry.test/pay/proxy:1.0.0"}
    - op: replace
      path: /spec/template/spec/containers/1/image
      value: registry.test/pay/ledger:1.5.0
`;
    const ledger = await changed({ ...FOLDER, 'apps/kustomization.yaml': moved });
    expect(ledger.files['apps/kustomization.yaml']).toBe(moved.replace('1.5.0', '2.0.0'));
  });

  it.each([
    ['a name that is a pattern', `images:\n- name: registry.test/pay/.*\n  newTag: 1.5.0\n`, '1.5.0'],
    [
      'several entries, of which the last counts',
      `images:\n- name: ${LEDGER}\n  newTag: 1.0.1\n- name: ${LEDGER}\n  newTag: 1.0.2\n`,
      '1.0.2',
    ],
    [
      'an entry for the name that another gives',
      `images:\n- name: ${LEDGER}\n  newName: mirror.test/ledger\n- name: mirror.test/ledger\n  newTag: 1.0.2\n`,
      '1.0.2',
    ],
  ])('images: %s', async (_, images, current) => {
    const { plan, files } = await changed({ ...FOLDER, 'apps/kustomization.yaml': `${K}${images}` });
    expect(plan.found).toMatchObject([{ path: 'apps/kustomization.yaml', current }]);
    expect(files['apps/kustomization.yaml']).toBe(`${K}${images}`.replace(current, '2.0.0'));
  });

  it('an images entry by a pattern that others match, too, is refused', async () => {
    const worker = deployment('registry.test/pay/worker:dev').replaceAll('name: ledger', 'name: worker');
    const kustomization =
      'resources: [deployment.yaml, worker.yaml, canary.yaml]\nimages:\n- name: registry.test/pay/.*\n  newTag: 1.5.0\n';
    const files = { ...FOLDER, 'apps/worker.yaml': worker, 'apps/kustomization.yaml': kustomization };
    const refused = await refusal(planOf(files, IMAGE));
    expect(refused.reason).toBe('change-ambiguous');
    expect(refused.message).toContain('apps/kustomization.yaml:4, which changes Deployment worker, too');
  });

  it('a resource that is JSON', async () => {
    const json = JSON.stringify(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'ledger', namespace: 'pay' },
        spec: {
          template: { metadata: {}, spec: { containers: [{ name: 'ledger', image: `${LEDGER}:1.0.0` }] } },
        },
      },
      undefined,
      2,
    );
    const { files } = await changed({
      'apps/ledger.json': json,
      'apps/canary.yaml': canary(),
      'apps/kustomization.yaml': 'resources: [ledger.json, canary.yaml]\n',
    });
    expect(JSON.parse(files['apps/ledger.json'] ?? '')).toMatchObject({
      spec: {
        template: {
          metadata: { annotations: { 'gated-rollout/id': 'shop-1' } },
          spec: { containers: [{ image: `${LEDGER}:2.0.0` }] },
        },
      },
    });
  });

  it('a block of one line', async () => {
    const folded = deployment('>-\n          registry.test/pay/ledger:1.0.0');
    const { files } = await changed({ ...FOLDER, 'apps/deployment.yaml': folded });
    expect(files['apps/deployment.yaml']).toContain('image: >-\n          registry.test/pay/ledger:2.0.0\n');
    const flags = deployment(
      `${LEDGER}:1.0.0`,
      '        env:\n        - name: FLAGS\n          value: |\n            {"a": 1}\n',
    );
    const env = `target: [pay/ledger]\nchange: [{env: FLAGS, value: '{"a": 2}'}]\n`;
    const block = await changed({ ...FOLDER, 'apps/deployment.yaml': flags }, env);
    expect(block.files['apps/deployment.yaml']).toContain('{"a": 2}');
  });

  it('two variants of one repository: which one is asked', async () => {
    const two = deployment(
      `${LEDGER}:agent-0.0.1`,
      `      - {name: client, image: "${LEDGER}:client-0.0.1"}\n`,
    );
    const files = { ...FOLDER, 'apps/deployment.yaml': two };
    const refused = await refusal(planOf(files, IMAGE));
    expect(refused.reason).toBe('change-ambiguous');
    expect(refused.remedy).toContain('Say container:');
    const one = await changed(files, IMAGE.replace('"}', '", container: ledger}'));
    expect(one.files['apps/deployment.yaml']).toContain('client-0.0.1');
  });

  it('quotes that keep a folder alive stay where they are', async () => {
    const kustomization = `${K}commonAnnotations: {enabled: "yes", since: "2024-01-01"}\n`;
    const { plan } = await changed({ ...FOLDER, 'apps/kustomization.yaml': kustomization });
    expect(plan.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
  });
});

describe('variables that Flux puts in', () => {
  const apps = (values: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: fleet}
  postBuild:
    substitute:
${values}`;
  const on: PlanningOn = { parent: 'cluster' };

  it('a tag is changed where the variable is set, with the id beside it', async () => {
    const manifest = apps('      TAG: 1.0.0\n');
    const files = {
      ...FOLDER,
      'cluster/apps.yaml': manifest,
      'apps/deployment.yaml': deployment(`${LEDGER}:\${TAG}`),
    };
    const { plan, files: now } = await changed(files, IMAGE, on);
    expect(plan.found).toMatchObject([{ path: 'cluster/apps.yaml', line: 11, current: '1.0.0' }]);
    expect(Object.keys(now)).toEqual(['cluster/apps.yaml']);
    expect(now['cluster/apps.yaml']).toContain('TAG: 2.0.0\n');
    expect(now['cluster/apps.yaml']).toContain('gated-rollout/id: shop-1');
  });

  it('a registry that is a variable matches', async () => {
    const files = {
      ...FOLDER,
      'cluster/apps.yaml': apps('      REGISTRY: registry.test\n'),
      'apps/deployment.yaml': deployment(`\${REGISTRY}/pay/ledger:1.0.0`),
    };
    const { files: now } = await changed(files, IMAGE, on);
    expect(now['apps/deployment.yaml']).toContain(`image: "\${REGISTRY}/pay/ledger:2.0.0"\n`);
  });

  it('a variable that is set elsewhere is named', async () => {
    const manifest = apps('').replace(
      '    substitute:\n',
      '    substituteFrom: [{kind: Secret, name: far}]\n',
    );
    const files = {
      ...FOLDER,
      'cluster/apps.yaml': manifest,
      'apps/deployment.yaml': deployment(`${LEDGER}:\${TAG}`),
    };
    const refused = await refusal(planOf(files, IMAGE, on));
    expect(refused.reason).toBe('change-not-found');
    expect(refused.message).toContain('TAG');
  });

  it('a value with a variable in it is refused where Flux would replace it', async () => {
    const files = {
      ...FOLDER,
      'cluster/apps.yaml': apps('      A: b\n'),
      'apps/deployment.yaml': deployment(`${LEDGER}:1.0.0`, '        env: [{name: MODE, value: quiet}]\n'),
    };
    const env = `target: [pay/ledger]\nchange: [{env: MODE, value: '\${A}'}]\n`;
    const refused = await refusal(planOf(files, env, on));
    expect(refused.reason).toBe('bad-config');
    expect(refused.message).toContain('postBuild');
  });
});

describe('who else is built from a line', () => {
  const base = {
    'base/deployment.yaml': deployment(`${LEDGER}:1.0.0`),
    'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
    'apps/canary.yaml': canary(),
    'apps/kustomization.yaml': 'resources: [../base, canary.yaml]\n',
  };

  it('nobody: it is written', async () => {
    const { plan, files } = await changed(base);
    expect(files['base/deployment.yaml']).toContain(`${LEDGER}:2.0.0`);
    expect(plan.warnings.filter(({ code }) => code === 'released-along')).toEqual([]);
  });

  it('others are named; write: base says whom it releases along', async () => {
    const others = {
      ...base,
      'staging/kustomization.yaml': 'namePrefix: s-\nresources: [../base]\n',
      'qa/kustomization.yaml':
        'resources: [../base]\nimages: [{name: registry.test/pay/ledger, newTag: 3.0.0}]\n',
      'clusters/staging.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: staging, namespace: flux-system}
spec: {path: ./staging, sourceRef: {kind: GitRepository, name: fleet}}
`,
    };
    const refused = await refusal(planOf(others, IMAGE));
    expect(refused.reason).toBe('shared-line');
    // In qa another tag wins over that line.
    expect(refused.message).toContain(
      'base/deployment.yaml:14, which is also built by Kustomization flux-system/staging (clusters/staging.yaml).',
    );
    const { plan } = await changed(others, `${IMAGE}write: base\n`);
    expect(plan.warnings.find(({ code }) => code === 'released-along')?.message).toContain(
      'Kustomization flux-system/staging',
    );
  });

  it('one base that is used twice in one folder', async () => {
    const images = 'images: [{name: registry.test/pay/ledger, newTag: 1.0.0}]\n';
    const files = {
      'apps/kustomization.yaml': 'resources: [a, b]\n',
      'apps/a/kustomization.yaml': `resources: [../base, canary.yaml]\nnamePrefix: a-\n${images}`,
      'apps/b/kustomization.yaml': `resources: [../base]\nnamePrefix: b-\n${images}`,
      'apps/base/kustomization.yaml': 'resources: [deployment.yaml]\n',
      'apps/base/deployment.yaml': deployment(`${LEDGER}:0.0.1`),
      'apps/a/canary.yaml': canary().replace('name: ledger}\n  service', 'name: a-ledger}\n  service'),
    };
    const { files: now } = await changed(files, IMAGE.replace('pay/ledger]', 'pay/a-ledger]'));
    expect(Object.keys(now)).toEqual(['apps/a/kustomization.yaml', 'apps/a/ledger-rollout.yaml']);
    expect(now['apps/a/kustomization.yaml']).toContain('newTag: 2.0.0');
  });
});

describe('value and id come by one apply', () => {
  const manifest = (
    name: string,
    namespace = 'flux-system',
  ): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  interval: 10m
  prune: true
  path: ./apps
  sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}
`;
  const shared = {
    'base/deployment.yaml': deployment(`${LEDGER}:1.0.0`),
    'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
    'apps/canary.yaml': canary(),
    'apps/kustomization.yaml': 'resources: [../base, canary.yaml]\n',
    'cluster/apps.yaml': manifest('apps'),
  };

  it('write: overlay goes into the folder’s own kustomization, whoever applies the manifest', async () => {
    const { files } = await changed(shared, `${IMAGE}write: overlay\n`, { parent: 'cluster' });
    expect(Object.keys(files)).toEqual(['apps/kustomization.yaml', 'apps/ledger-rollout.yaml']);
    expect(files['apps/kustomization.yaml']).toContain(`images:\n- name: ${LEDGER}\n  newTag: 2.0.0\n`);
  });

  it('a manifest that is applied from another branch is none to edit', async () => {
    const set = `${manifest('apps')}  images: [{name: ${LEDGER}, newTag: 1.5.0}]\n`;
    const spec = {
      images: [{ name: LEDGER, newTag: '1.5.0' }],
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    };
    const above = { spec: { sourceRef: { kind: 'GitRepository', name: 'dev' } } };
    const files = { ...shared, 'cluster/apps.yaml': set };
    const on = { parent: 'cluster', above, applier: { spec } };
    const refused = await refusal(planOf(files, IMAGE, on));
    expect(refused.reason).toBe('change-not-found');
    expect(refused.message).toContain('1.5.0');
  });

  it('Kustomizations of one name in two namespaces are two', async () => {
    const tenant = (name: string, tag: string): string =>
      `${manifest('apps', name).replace('./apps', `./tenants/${name}`)}  images: [{name: ${LEDGER}, newTag: ${tag}}]\n`;
    const files = {
      'cluster/a.yaml': tenant('team-a', '1.0.5'),
      'cluster/b.yaml': tenant('team-b', '1.0.5'),
      'tenants/team-a/deployment.yaml': deployment(`${LEDGER}:1.0.0`).replaceAll('pay', 'team-a'),
      'tenants/team-b/deployment.yaml': deployment(`${LEDGER}:1.0.0`).replace(
        'namespace: pay',
        'namespace: team-b',
      ),
      'tenants/team-b/canary.yaml': canary('ledger', 'team-b'),
    };
    const { files: now } = await changed(files, IMAGE.replace('pay/ledger]', 'team-b/ledger]'), {
      parent: 'cluster',
      folder: 'tenants/team-b',
      applier: { namespace: 'team-b' },
    });
    expect(Object.keys(now)).toEqual(['cluster/b.yaml']);
  });
});

describe('the built object is asked', () => {
  it('replicas that a transformer sets: the line, and zero is refused', async () => {
    const replicas = (count: number): string => `${K}replicas: [{name: ledger, count: ${count}}]\n`;
    const two = await changed({ ...FOLDER, 'apps/kustomization.yaml': replicas(2) });
    expect(two.plan.warnings).toMatchObject([
      { code: 'replicas-in-git', path: 'apps/kustomization.yaml', line: 2 },
    ]);
    const zero = await refusal(planOf({ ...FOLDER, 'apps/kustomization.yaml': replicas(0) }, IMAGE));
    expect(zero.reason).toBe('bad-config');
    expect(zero.message).toContain('apps/kustomization.yaml:2');
  });

  it.each(['ssa: IfNotPresent', 'ssa: Ignore', 'reconcile: disabled'])('%s in Git', async mark => {
    const marked = FOLDER['apps/deployment.yaml'].replace(
      '  namespace: pay\n',
      `  namespace: pay\n  annotations:\n    kustomize.toolkit.fluxcd.io/${mark}\n`,
    );
    const refused = await refusal(planOf({ ...FOLDER, 'apps/deployment.yaml': marked }, IMAGE));
    expect(refused.reason).toBe('ssa-if-not-present');
    expect(refused.message).toContain('apps/deployment.yaml:7');
  });

  it('a volume that one node at a time may write', async () => {
    const claim =
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ledger, namespace: pay}\nspec: {accessModes: [ReadWriteOnce]}\n';
    const mounting = deployment(
      `${LEDGER}:1.0.0`,
      '        ports: [{containerPort: 80}]\n      volumes: [{name: data, persistentVolumeClaim: {claimName: ledger}}]\n',
    );
    const files = { 'apps/deployment.yaml': mounting, 'apps/pvc.yaml': claim };
    const adopting = `${IMAGE}canary: {pay/ledger: {provider: kubernetes, analysis: {iterations: 2}}}\n`;
    const refused = await refusal(planOf(files, adopting, { bare: true }));
    expect(refused.message).toContain('mounts the claim ledger (ReadWriteOnce)');
    const living = await changed({ ...files, 'apps/canary.yaml': canary() });
    expect(living.plan.warnings).toMatchObject([{ code: 'volume-claim' }]);
  });

  it('a Secret that an overlay overrides is not rotated in its base', async () => {
    const files = {
      'base/deployment.yaml': deployment(
        `${LEDGER}:1.0.0`,
        '        envFrom: [{secretRef: {name: creds}}]\n',
      ),
      'base/kustomization.yaml':
        'resources: [deployment.yaml]\nsecretGenerator:\n- name: creds\n  literals: [TOKEN=base, OTHER=1]\n',
      'apps/canary.yaml': canary(),
      'apps/kustomization.yaml':
        'resources: [../base, canary.yaml]\nsecretGenerator:\n- name: creds\n  behavior: merge\n  literals: [TOKEN=live]\n',
    };
    const at = (file: string): string =>
      `target: [pay/ledger]\nchange: [{at: {file: ${file}, path: secretGenerator.creds.TOKEN}, value: rotated}]\nwrite: base\n`;
    const refused = await refusal(planOf(files, at('base/kustomization.yaml')));
    expect(refused.reason).toBe('change-not-found');
    expect(refused.message).toContain('apps/kustomization.yaml:5');
    const { plan } = await changed(files, at('apps/kustomization.yaml'));
    expect(plan.build.compared).toBe(1);
    expect(JSON.stringify(plan.build)).not.toContain('rotated');
  });

  it('what .sourceignore keeps out of the artifact is not there', async () => {
    const { 'apps/kustomization.yaml': _none, ...folder } = FOLDER;
    const files = {
      ...folder,
      '.sourceignore': '/apps/old/\ncharts/\n',
      'apps/old/deployment.yaml': FOLDER['apps/deployment.yaml'],
      'apps/charts/t.yaml': '{{- if .Values.x }}\na: {{ .y }}\n{{- end }}\n',
    };
    expect((await changed(files)).plan.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
  });

  it('components outside of the folder are built', async () => {
    const files = {
      ...FOLDER,
      'components/backup/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {backup: "on"}\n',
      'cluster/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, components: [../components/backup], sourceRef: {kind: GitRepository, name: fleet}}
`,
    };
    const { plan } = await changed(files, IMAGE, { parent: 'cluster' });
    expect(plan.build.objects[0]?.after).toContain('backup: "on"');
  });
});
