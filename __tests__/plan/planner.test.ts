import { describe, expect, it } from 'vitest';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import type { Inputs, RolloutFile } from '../../src/config/settings.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { canaryAnalysis } from '../../src/flagger/canary-analysis.ts';
import type { CanaryView, FluxChain, KustomizationView, Observation } from '../../src/rollout/observation.ts';
import type { FileChange } from '../../src/rollout/ports.ts';
import { targetKey } from '../../src/rollout/target.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { memoryFiles } from './memory-files.ts';
import { BUILDER } from './planning.ts';

const DEPLOYMENT = `# The shop's frontend.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: frontend
  namespace: prod
spec:
  selector:
    matchLabels: {app: frontend}
  template:
    metadata:
      labels: {app: frontend}
    spec:
      containers:
      - name: main
        image: "ghcr.io/acme/shop:6.1.0"   # the version
        args: ['--ui-logo=a.png', --port, "9898"]
        ports:
        - {name: http, containerPort: 9898}
        env:
        - name: ERROR_FRACTION
          value: '0.1'
`;
const CANARY = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: frontend
  namespace: prod
spec:
  provider: nginx
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: frontend}
  ingressRef:
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    name: frontend
  service:
    port: 80   # of the Service
  analysis:
    interval: 30s
    threshold: 5
    iterations: 10
    match:
    - headers:
        x-canary: {exact: insider}
    # what must hold
    metrics:
    - name: request-success-rate
      thresholdRange: {min: 99}
      interval: 1m
`;
const PLAIN = { 'apps/deployment.yaml': DEPLOYMENT, 'apps/canary.yaml': CANARY };

function rolloutOf(yaml: string, set: Inputs['set'] = []): RolloutFile {
  const parsed = parseRolloutFile(yaml, { file: 'rollout.yaml', set });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.rollout;
}

function observation(options: { readonly canary?: boolean } = {}): Observation {
  const canary: CanaryView = {
    uid: 'u',
    namespace: 'prod',
    name: 'frontend',
    resourceVersion: '1',
    phase: 'Succeeded',
    canaryWeight: 0,
    iterations: 0,
    failedChecks: 0,
    lastAppliedSpec: 'a',
    lastPromotedSpec: 'a',
    trackedConfigs: {},
    suspended: false,
    skipAnalysis: false,
    progressDeadlineMs: 600_000,
    analysis: canaryAnalysis({}),
    flaggerSkewMs: 0,
  };
  return {
    source: 'read',
    at: 0,
    objects: {},
    targets: {
      'prod/frontend': { replicaSets: [], events: [], ...(options.canary === false ? {} : { canary }) },
    },
  };
}

const KUSTOMIZATION: KustomizationView = {
  namespace: 'flux-system',
  name: 'apps',
  path: 'apps',
  suspended: false,
  generation: 1,
  observedGeneration: 1,
  intervalMs: 60_000,
  waits: false,
};

interface PlanOptions {
  readonly canary?: boolean;
  readonly folder?: string;
  readonly targetNamespace?: string;
  /** Folder of the Kustomization that applies the Kustomization of the targets. */
  readonly parent?: string;
  /** spec.images of the Kustomization in the cluster. */
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

function plan(
  files: Readonly<Record<string, string>>,
  yaml: string,
  options: PlanOptions = {},
): Promise<ReleasePlan> {
  const rollout = rolloutOf(yaml);
  return new ReleasePlanner({ rollout, sourceSha: 'c'.repeat(40), builder: BUILDER }).plan({
    files: memoryFiles(files),
    chains: chainsOf(rollout, options),
    observation: observation(options),
    rolloutId: 'shop-1',
  });
}

function stamp(files: Readonly<Record<string, string>>, yaml: string): Promise<readonly FileChange[]> {
  const rollout = rolloutOf(yaml);
  return new ReleasePlanner({ rollout, sourceSha: 'c'.repeat(40), builder: BUILDER }).stamp({
    files: memoryFiles(files),
    chains: chainsOf(rollout, {}),
    observation: observation(),
    rolloutId: 'id-revert',
    targets: ['prod/frontend'],
  });
}

function chainsOf(rollout: RolloutFile, options: PlanOptions): Readonly<Record<string, FluxChain>> {
  const chain: FluxChain = {
    source: {
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'fleet',
      url: 'https://github.com/acme/fleet',
      branch: 'main',
      suspended: false,
      intervalMs: 60_000,
      verifies: false,
    },
    links: [],
    kustomizations: [
      ...(options.parent === undefined ? [] : [{ ...KUSTOMIZATION, name: 'cluster', path: options.parent }]),
      {
        ...KUSTOMIZATION,
        ...(options.images ? { spec: { images: options.images } } : {}),
        path: options.folder ?? 'apps',
        ...(options.targetNamespace === undefined ? {} : { targetNamespace: options.targetNamespace }),
      },
    ],
  };
  return Object.fromEntries(rollout.targets.map(target => [targetKey(target), chain]));
}

const IMAGE = 'target: [prod/frontend]\nchange: [{image: "ghcr.io/acme/shop:6.2.0"}]\n';
const ANNOTATED = `      labels: {app: frontend}
      annotations:
        gated-rollout/id: shop-1
        gated-rollout/source-sha: ${'c'.repeat(40)}
`;

function withId(text: string): string {
  return text.replace('      labels: {app: frontend}\n', ANNOTATED);
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refusal) return error;
  throw new Error(`No refusal, but ${String(error)}`);
}

describe('a change goes where the build takes it from, all else byte for byte as it was', () => {
  it('writes the image into the manifest', async () => {
    const { files, found, unchanged } = await plan(PLAIN, IMAGE);
    expect(unchanged).toBe(false);
    expect(files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
    expect(files[0]?.text).toBe(withId(DEPLOYMENT.replace('shop:6.1.0', 'shop:6.2.0')));
    expect(found[0]).toMatchObject({
      path: 'apps/deployment.yaml',
      line: 16,
      current: '6.1.0',
      requested: '6.2.0',
    });
  });

  it('keeps CRLF line ends', async () => {
    const crlf = DEPLOYMENT.replaceAll('\n', '\r\n');
    const { files } = await plan({ ...PLAIN, 'apps/deployment.yaml': crlf }, IMAGE);
    expect(files[0]?.text).toBe(withId(DEPLOYMENT.replace('6.1.0', '6.2.0')).replaceAll('\n', '\r\n'));
  });

  it('writes environment variables and arguments', async () => {
    const { files } = await plan(
      PLAIN,
      'target: prod/frontend\nchange:\n- {env: ERROR_FRACTION, value: 0.2}\n- {arg: --ui-logo, value: b.png}\n- {arg: --port, value: "80"}\n',
    );
    expect(files[0]?.text).toBe(
      withId(
        DEPLOYMENT.replace("'0.1'", "'0.2'").replace('logo=a.png', 'logo=b.png').replace('"9898"]', '"80"]'),
      ),
    );
  });

  it('writes the newTag of an images entry, which wins over the manifest', async () => {
    const kustomization =
      'resources: [deployment.yaml, canary.yaml]\nimages:\n- name: ghcr.io/acme/shop\n  newTag: "6.1.1" # set here\n';
    const { files, found } = await plan({ ...PLAIN, 'apps/kustomization.yaml': kustomization }, IMAGE);
    expect(files.map(({ path, text }) => [path, text])).toEqual([
      ['apps/deployment.yaml', withId(DEPLOYMENT)],
      ['apps/kustomization.yaml', kustomization.replace('6.1.1', '6.2.0')],
    ]);
    expect(found[0]).toMatchObject({ path: 'apps/kustomization.yaml', line: 4, current: '6.1.1' });
  });

  it('replaces a digest by a tag, and a tag by a digest', async () => {
    const digest = `sha256:${'d'.repeat(64)}`;
    const base = 'resources: [deployment.yaml, canary.yaml]\nimages:\n- name: ghcr.io/acme/shop\n';
    const toTag = await plan({ ...PLAIN, 'apps/kustomization.yaml': `${base}  digest: ${digest}\n` }, IMAGE);
    expect(toTag.files[1]?.text).toBe(`${base}  newTag: 6.2.0\n`);
    const toDigest = await plan(
      { ...PLAIN, 'apps/kustomization.yaml': `${base}  newTag: v1\n` },
      `target: prod/frontend\nchange: [{image: "ghcr.io/acme/shop@${digest}"}]\n`,
    );
    expect(toDigest.files[1]?.text).toBe(`${base}  digest: ${digest}\n`);
  });

  it('writes into the patch that sets the value, inline or in a file', async () => {
    const patch =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: frontend, namespace: prod}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - {name: ERROR_FRACTION, value: "0.5"}\n';
    const change = 'target: prod/frontend\nchange: [{env: ERROR_FRACTION, value: "0.7"}]\n';
    const inFile = await plan(
      {
        ...PLAIN,
        'apps/patch.yaml': patch,
        'apps/kustomization.yaml':
          'resources: [deployment.yaml, canary.yaml]\npatches:\n- path: patch.yaml\n',
      },
      change,
    );
    expect(inFile.files.find(({ path }) => path === 'apps/patch.yaml')?.text).toBe(
      patch.replace('0.5', '0.7'),
    );
    const inline = `resources: [deployment.yaml, canary.yaml]\npatches:\n- patch: |\n${patch.replace(/^/gm, '    ').trimEnd()}\n  target: {kind: Deployment}\n`;
    const inPlace = await plan({ ...PLAIN, 'apps/kustomization.yaml': inline }, change);
    expect(inPlace.files.find(({ path }) => path === 'apps/kustomization.yaml')?.text).toBe(
      inline.replace('0.5', '0.7'),
    );
    expect(inPlace.found[0]?.line).toBe(13);
  });

  it('writes into the images and patches of the Flux Kustomization, where that sets the value', async () => {
    const kustomization = `# another document first
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  sourceRef: {kind: GitRepository, name: fleet}
  images:
  - name: ghcr.io/acme/shop
    newTag: 6.1.5 # what production runs
  patches:
  - target: {kind: Deployment, name: front.*}
    patch: |
      - op: replace
        path: /spec/template/spec/containers/0/args/0
        value: --ui-logo=b.png
`;
    const files = { ...PLAIN, 'clusters/prod/apps.yaml': kustomization };
    const on = { parent: 'clusters/prod' };
    const image = await plan(files, IMAGE, on);
    // The id beside it: what one apply brings.
    const idPatch = `  - target:
      kind: Deployment
      name: frontend
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: frontend
      spec:
        template:
          metadata:
            annotations:
              gated-rollout/id: shop-1
              gated-rollout/source-sha: ${'c'.repeat(40)}
`;
    expect(image.files.map(({ path }) => path)).toEqual(['clusters/prod/apps.yaml']);
    expect(image.files[0]?.text).toBe(`${kustomization.replace('6.1.5', '6.2.0')}${idPatch}`);
    expect(image.found[0]).toMatchObject({ path: 'clusters/prod/apps.yaml', line: 14, current: '6.1.5' });

    const change = 'target: prod/frontend\nchange: [{arg: --ui-logo, value: c.png}]\n';
    const logo = await plan(files, change, on);
    expect(logo.files[0]?.text).toBe(`${kustomization.replace('b.png', 'c.png')}${idPatch}`);
    expect(logo.found[0]).toMatchObject({ line: 20, current: 'b.png' });
  });

  it('refuses an image that a Flux Kustomization sets whose manifest is not in the repository', async () => {
    const refused = await refusal(
      plan(PLAIN, IMAGE, { images: [{ name: 'ghcr.io/acme/shop', newTag: '6.1.5' }] }),
    );
    expect(refused).toMatchObject({ reason: 'change-not-found' });
    expect(refused.message).toContain('is 6.1.5 in what Flux builds from apps');
    expect(refused.message).toContain('its own manifest, which is not in this repository');
  });

  it('follows prefixes, namespaces and bases, and puts the id of a shared manifest into a patch', async () => {
    const base = DEPLOYMENT.replace('  name: frontend\n  namespace: prod\n', '  name: front\n');
    const files = {
      'base/deployment.yaml': base,
      'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
      'prod/canary.yaml': CANARY,
      'prod/kustomization.yaml':
        'namespace: prod\nnameSuffix: end\nresources:\n- ../base\n- canary.yaml\nimages:\n- name: ghcr.io/acme/shop\n  newTag: 6.1.0\n',
    };
    const planned = await plan(files, IMAGE, { folder: 'prod' });
    expect(planned.files.map(({ path }) => path)).toEqual([
      'prod/front-rollout.yaml',
      'prod/kustomization.yaml',
    ]);
    expect(planned.files[0]?.text).toContain('gated-rollout/id: shop-1');
    expect(planned.files[1]?.text).toBe(
      `${files['prod/kustomization.yaml'].replace('6.1.0', '6.2.0')}patches:\n- path: front-rollout.yaml\n`,
    );
    const shared = await refusal(
      plan(
        {
          ...files,
          'staging/kustomization.yaml': 'resources:\n- ../base\n',
          'prod/kustomization.yaml':
            'namespace: prod\nnameSuffix: end\nresources:\n- ../base\n- canary.yaml\n',
        },
        IMAGE,
        { folder: 'prod' },
      ),
    );
    expect(shared.reason).toBe('shared-line');
    expect(shared.message).toContain('which is also built by staging');

    // write: overlay gives this environment an entry of its own, and leaves the base alone.
    const bare = {
      ...files,
      'prod/kustomization.yaml': 'namespace: prod\nnameSuffix: end\nresources:\n- ../base\n- canary.yaml\n',
    };
    const overlay = await plan(bare, `${IMAGE}write: overlay\n`, { folder: 'prod' });
    const text = overlay.files.find(({ path }) => path === 'prod/kustomization.yaml')?.text ?? '';
    expect(text).toContain('images:\n- name: ghcr.io/acme/shop\n  newTag: 6.2.0\n');
    expect(overlay.files.map(({ path }) => path)).not.toContain('base/deployment.yaml');
    const written = Object.fromEntries(overlay.files.map(file => [file.path, file.text]));
    const again = await plan({ ...bare, ...written }, `${IMAGE}write: overlay\n`, { folder: 'prod' });
    expect(again.unchanged).toBe(true);

    const neighbour = base.replace('name: front\n', 'name: other\n');
    const two = {
      ...bare,
      'base/other.yaml': neighbour,
      'base/kustomization.yaml': 'resources: [deployment.yaml, other.yaml]\n',
    };
    const ambiguous = await refusal(plan(two, `${IMAGE}write: overlay\n`, { folder: 'prod' }));
    expect(ambiguous.message).toContain('would change Deployment otherend, too');
    expect(shared.message).toContain('base/deployment.yaml:15');
  });

  it('says unchanged when only our annotations would differ', async () => {
    const planned = await plan(PLAIN, IMAGE.replace('6.2.0', '6.1.0'));
    expect(planned.unchanged).toBe(true);
    expect(planned.files).toHaveLength(1);
  });
});

describe('canaries', () => {
  it('switches a header-based Canary to a weight-based one, editing only what is asked for', async () => {
    const { files, schedule } = await plan(
      PLAIN,
      `${IMAGE}canary:\n  prod/frontend:\n    provider: linkerd\n    analysis: {stepWeight: 10, maxWeight: 50}\n`,
    );
    const canary = files.find(({ path }) => path === 'apps/canary.yaml')?.text;
    expect(canary).toBe(`apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: frontend
  namespace: prod
spec:
  provider: linkerd
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: frontend}
  service:
    port: 80   # of the Service
  analysis:
    interval: 30s
    threshold: 5
    # what must hold
    metrics:
    - name: request-success-rate
      thresholdRange: {min: 99}
      interval: 1m
    stepWeight: 10
    maxWeight: 50
`);
    expect(schedule[0]).toMatchObject({ analysis: { strategy: 'weighted' }, shortestMs: 180_000 });
  });

  it('adopts a target without a Canary by files of their own', async () => {
    const { adoption, adopted } = await plan(
      { 'apps/deployment.yaml': DEPLOYMENT, 'apps/kustomization.yaml': 'resources:\n- deployment.yaml\n' },
      `${IMAGE}canary:\n  prod/frontend:\n    provider: nginx\n    ingressRef: {name: frontend}\n    analysis: {stepWeight: 10, maxWeight: 50}\n    metrics:\n    - {name: errors, max: 1, query: "sum(x)", provider: {type: prometheus, address: "http://prometheus"}}\n    alerts: [{type: slack, secretRef: slack}]\n`,
      { canary: false },
    );
    expect(adopted).toEqual(['prod/frontend']);
    expect(adoption.map(({ path, text }) => [path, text])).toMatchInlineSnapshot(`
      [
        [
          "apps/frontend-canary.yaml",
          "apiVersion: flagger.app/v1beta1
      kind: Canary
      metadata:
        name: frontend
        namespace: prod
      spec:
        provider: nginx
        targetRef:
          apiVersion: apps/v1
          kind: Deployment
          name: frontend
        ingressRef:
          apiVersion: networking.k8s.io/v1
          kind: Ingress
          name: frontend
        service:
          port: 9898
        analysis:
          interval: 1m
          threshold: 5
          stepWeight: 10
          maxWeight: 50
          metrics:
          - name: errors
            templateRef:
              name: frontend-errors
            thresholdRange:
              max: 1
            interval: 1m
          alerts:
          - name: frontend-slack
            severity: error
            providerRef:
              name: frontend-slack
      ---
      apiVersion: flagger.app/v1beta1
      kind: MetricTemplate
      metadata:
        name: frontend-errors
        namespace: prod
      spec:
        provider:
          type: prometheus
          address: http://prometheus
        query: sum(x)
      ---
      apiVersion: flagger.app/v1beta1
      kind: AlertProvider
      metadata:
        name: frontend-slack
        namespace: prod
      spec:
        type: slack
        secretRef:
          name: slack
      ",
        ],
        [
          "apps/kustomization.yaml",
          "resources:
      - deployment.yaml
      - frontend-canary.yaml
      ",
        ],
      ]
    `);
  });

  it('adopts a target that comes from a base in the environment’s own folder, unless told otherwise', async () => {
    const files = {
      'base/deployment.yaml': DEPLOYMENT,
      'base/kustomization.yaml': 'resources:\n- deployment.yaml\n',
      'apps/kustomization.yaml':
        'resources:\n- ../base\nimages:\n- {name: ghcr.io/acme/shop, newTag: 6.1.0}\n',
    };
    const yaml = `${IMAGE}canary: {prod/frontend: {provider: kubernetes, analysis: {iterations: 2}}}\n`;
    const { adoption } = await plan(files, yaml, { canary: false });
    expect(adoption.map(({ path }) => path)).toEqual([
      'apps/frontend-canary.yaml',
      'apps/kustomization.yaml',
    ]);
    const base = await plan(files, `${yaml}write: base\n`, { canary: false });
    expect(base.adoption.map(({ path }) => path)).toEqual([
      'base/frontend-canary.yaml',
      'base/kustomization.yaml',
    ]);
  });

  it('refuses a target that nothing would analyse', async () => {
    const error = await refusal(plan({ 'apps/deployment.yaml': DEPLOYMENT }, IMAGE, { canary: false }));
    expect(error.reason).toBe('canary-not-found');
  });
});

describe('refusals name file, line and what was found', () => {
  it.each([
    [
      'change-not-found',
      'target: prod/frontend\nchange: [{image: "other:1"}]\n',
      'main: ghcr.io/acme/shop:6.1.0',
    ],
    ['change-not-found', 'target: prod/frontend\nchange: [{env: NOPE, value: 1}]\n', 'ERROR_FRACTION'],
    ['change-not-found', 'target: prod/frontend\nchange: [{arg: --nope, value: 1}]\n', '--ui-logo=a.png'],
    [
      'change-not-found',
      'target: prod/frontend\nchange: [{env: X, container: side, value: 1}]\n',
      'there are main',
    ],
  ])('%s %s', async (reason, yaml, words) => {
    const error = await refusal(plan(PLAIN, yaml));
    expect(error.reason).toBe(reason);
    expect(error.message).toContain(words);
    expect(error.message).toContain('rollout.yaml:2');
  });

  it('names the targets that there are', async () => {
    const error = await refusal(
      plan({ 'apps/deployment.yaml': DEPLOYMENT.replace('name: frontend', 'name: front') }, IMAGE),
    );
    expect(error.reason).toBe('target-not-found');
    expect(error.message).toContain('prod/front');
  });

  it('refuses a line that image automation writes', async () => {
    const marked = DEPLOYMENT.replace('# the version', '# {"$imagepolicy": "flux-system:shop"}');
    const error = await refusal(plan({ ...PLAIN, 'apps/deployment.yaml': marked }, IMAGE));
    expect(error.reason).toBe('image-automation');
    expect(error.message).toContain('apps/deployment.yaml:16');
  });

  describe('lines of image automation', () => {
    const MARKED = DEPLOYMENT.replace('# the version', '# {"$imagepolicy": "flux-system:shop"}');
    const files = { ...PLAIN, 'apps/deployment.yaml': MARKED };
    const inMode = (mode: string, more = '') =>
      `target: [prod/frontend]\nchange:\n- {image: "ghcr.io/acme/shop:6.2.0"}\n${more}image-automation: ${mode}\n`;

    it('suspend: plans as ever, and names the files', async () => {
      const made = await plan(files, inMode('suspend'));
      expect(made.automated).toEqual(['apps/deployment.yaml']);
      expect(made.follows).toBe(false);
      expect(made.placements).toHaveLength(1);
    });

    it('follow: shows what is waited for, and places no id', async () => {
      const made = await plan(files, inMode('follow'));
      expect(made).toMatchObject({ follows: true, placements: [], unchanged: false });
      expect(made.files.map(({ text }) => text)).toEqual([MARKED.replace('6.1.0', '6.2.0')]);
      expect(made.warnings[0]?.message).toContain('apps/deployment.yaml:16');
    });

    it('follow: what has no marker at all is released by us', async () => {
      const made = await plan(PLAIN, inMode('follow'));
      expect(made.follows).toBe(false);
      expect(made.placements).toHaveLength(1);
    });

    it('follow: refuses a value that image automation does not write', async () => {
      const both = inMode('follow', "- {env: ERROR_FRACTION, value: '0.5'}\n");
      const error = await refusal(plan(files, both));
      expect(error.reason).toBe('image-automation');
      expect(error.message).toContain('apps/deployment.yaml:22');
    });

    it('follow: refuses changes of the Canary, which only a commit of ours would make', async () => {
      const canary = inMode('follow', 'canary: {prod/frontend: {analysis: {threshold: 9}}}\n');
      const error = await refusal(plan(files, canary));
      expect(error.reason).toBe('image-automation');
      expect(error.message).toContain('apps/canary.yaml');
    });

    it('puts only the id where a revert needs it, and no source commit', async () => {
      const changes = await stamp(files, inMode('follow'));
      expect(changes.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
      expect(changes[0]?.text).toContain('gated-rollout/id: id-revert');
      expect(changes[0]?.text).not.toContain('source-sha');
    });
  });
});

describe('warnings that save a night', () => {
  const ingress = (annotations: string): string =>
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: frontend\n${annotations}`;
  const meshed = DEPLOYMENT.replace(
    '      labels: {app: frontend}\n',
    '      labels: {app: frontend}\n      annotations: {linkerd.io/inject: enabled}\n',
  );

  it('NGINX in front of a meshed target, without service-upstream', async () => {
    const files = { ...PLAIN, 'apps/deployment.yaml': meshed };
    const bare = await plan({ ...files, 'apps/ingress.yaml': ingress('') }, IMAGE);
    expect(bare.warnings).toMatchObject([{ code: 'service-upstream', path: 'apps/ingress.yaml', line: 4 }]);
    const upstream = '  annotations: {nginx.ingress.kubernetes.io/service-upstream: "true"}\n';
    const right = await plan({ ...files, 'apps/ingress.yaml': ingress(upstream) }, IMAGE);
    expect(right.warnings).toEqual([]);
    const asked = `${IMAGE}canary: {prod/frontend: {service-upstream: true}}\n`;
    const added = await plan({ ...files, 'apps/ingress.yaml': ingress('') }, asked);
    expect(added.warnings).toEqual([]);
    expect(added.files.find(({ path }) => path === 'apps/ingress.yaml')?.text).toBe(
      ingress('  annotations:\n    nginx.ingress.kubernetes.io/service-upstream: "true"\n'),
    );
    const without = await refusal(plan(files, asked));
    expect(without.message).toContain('the Ingress of the Canary is not in what the same folder builds');
  });

  it('a Canary that checks nothing, or skips the analysis', async () => {
    const nothing = CANARY.replace(/ {4}# what must hold\n[\s\S]*$/, '');
    const unchecked = await plan({ ...PLAIN, 'apps/canary.yaml': nothing }, IMAGE);
    expect(unchecked.warnings).toMatchObject([{ code: 'nothing-checked' }]);
    const skipping = CANARY.replace('spec:\n', 'spec:\n  skipAnalysis: true\n');
    const skipped = await plan({ ...PLAIN, 'apps/canary.yaml': skipping }, IMAGE);
    expect(skipped.warnings).toMatchObject([{ code: 'not-analysed' }]);
  });

  it('an Ingress of which Flagger would die is refused', async () => {
    const skipper = CANARY.replace('provider: nginx', 'provider: skipper');
    const files = { ...PLAIN, 'apps/canary.yaml': skipper, 'apps/ingress.yaml': ingress('') };
    const refused = await refusal(plan(files, IMAGE));
    expect(refused.message).toContain('Flagger 1.44 crashes');
    const annotated = { ...files, 'apps/ingress.yaml': ingress('  annotations: {a: b}\n') };
    expect((await plan(annotated, IMAGE)).files).toHaveLength(1);
  });

  it('a MetricTemplate of ours follows its query in rollout.yaml', async () => {
    const canary = (query: string): string =>
      `${IMAGE}canary:\n  prod/frontend:\n    metrics: [{name: errors, max: 1, query: "${query}", provider: {type: prometheus, address: "http://p"}}]\n`;
    const first = await plan(PLAIN, canary('sum(a)'));
    const written = Object.fromEntries(first.files.map(({ path, text }) => [path, text]));
    expect(written['apps/canary.yaml']).toContain('query: sum(a)');
    const second = await plan({ ...PLAIN, ...written }, canary('sum(b)'));
    const after = second.files.find(({ path }) => path === 'apps/canary.yaml')?.text ?? '';
    expect(after).toContain('query: sum(b)');
    expect(after).not.toContain('sum(a)');
    expect(after.match(/kind: MetricTemplate/g)).toHaveLength(1);
  });
});
