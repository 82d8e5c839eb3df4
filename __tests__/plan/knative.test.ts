import { describe, expect, it } from 'vitest';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { canaryAnalysis } from '../../src/flagger/canary-analysis.ts';
import { checkProvider } from '../../src/flagger/provider-rules.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { findPlacements } from '../../src/plan/stamp.ts';
import { liveValue } from '../../src/rollout/live-value.ts';
import type { FluxChain } from '../../src/rollout/observation.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { canaryView, kustomizationView } from '../rollout/story.ts';
import { memoryFiles } from './memory-files.ts';
import { BUILDER } from './planning.ts';

const SERVICE = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
  namespace: prod
spec:
  template:
    spec:
      containers:
      - image: ghcr.io/acme/hello:6.1.0   # the version
        env:
        - name: COLOUR
          value: red
`;
const CORE = `apiVersion: v1
kind: Service
metadata: {name: hello, namespace: prod}
spec: {ports: [{port: 80}]}
`;
const CANARY = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: hello, namespace: prod}
spec:
  provider: knative
  targetRef: {apiVersion: serving.knative.dev/v1, kind: Service, name: hello}
  analysis: {interval: 30s, threshold: 5, stepWeight: 10, maxWeight: 50}
`;
const FILES = { 'apps/hello.yaml': SERVICE, 'apps/core.yaml': CORE, 'apps/canary.yaml': CANARY };
const ROLLOUT = 'target: [Service prod/hello]\nchange: [{image: "ghcr.io/acme/hello:6.2.0"}]\n';

async function plan(
  files: Readonly<Record<string, string>>,
  on: {
    readonly rollout?: string;
    readonly canary?: boolean;
    readonly links?: FluxChain['links'];
    readonly path?: string;
  } = {},
): Promise<ReleasePlan> {
  const parsed = parseRolloutFile(on.rollout ?? ROLLOUT, { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const chain: FluxChain = {
    source: {
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'fleet',
      url: 'https://github.com/acme/fleet',
      suspended: false,
      intervalMs: 60_000,
      verifies: false,
    },
    kustomizations: [kustomizationView(on.path === undefined ? {} : { path: on.path })],
    links: on.links ?? [],
  };
  const key = 'Service prod/hello';
  const canary = canaryView({ namespace: 'prod', name: 'hello', analysis: canaryAnalysis({}) });
  const view = { replicaSets: [], events: [], ...(on.canary === false ? {} : { canary }) };
  return await new ReleasePlanner({
    rollout: parsed.rollout,
    sourceSha: 'c'.repeat(40),
    builder: BUILDER,
  }).plan({
    files: memoryFiles(files),
    chains: { [key]: chain },
    observation: { source: 'read', at: 0, targets: { [key]: view }, objects: {} },
    rolloutId: 'hello-1',
  });
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof Refusal) return error;
  throw new Error(`No refusal, but ${String(error)}`);
}

describe('a plan for a Knative Service', () => {
  it('is not followed where image automation writes its line', async () => {
    const marked = SERVICE.replace('# the version', '# {"$imagepolicy": "flux-system:hello"}');
    const refused = plan(
      { ...FILES, 'apps/hello.yaml': marked },
      { rollout: `${ROLLOUT}image-automation: follow\n` },
    );
    await expect(refused).rejects.toThrow('is a Knative Service');
  });

  it('writes image and id into the Knative Service, not into the core one of the same name', async () => {
    const { files, placements, expectations, schedule } = await plan(FILES);
    expect(files.map(({ path }) => path)).toEqual(['apps/hello.yaml']);
    expect(files[0]?.text).toContain('- image: ghcr.io/acme/hello:6.2.0   # the version');
    expect(files[0]?.text).toContain('gated-rollout/id: hello-1');
    expect(placements).toMatchObject([{ target: 'Service prod/hello', path: 'apps/hello.yaml' }]);
    expect(schedule[0]?.analysis.weights).toEqual([10, 20, 30, 40, 50]);
    // Knative names the container that the manifest leaves without a name.
    const live = {
      spec: { containers: [{ name: 'user-container', image: 'ghcr.io/acme/hello:6.2.0' }] },
    };
    expect(expectations.map(expectation => liveValue(expectation, live).holds)).toEqual([true]);
  });

  it('finds its id again in the files of its commit', async () => {
    const { files } = await plan(FILES);
    const committed = files.map(({ path, before, text }) => ({
      path,
      before,
      after: { sha: '', mode: '100644' as const, text },
    }));
    const found = findPlacements(committed, { id: 'hello-1', targets: ['prod/hello', 'Service prod/hello'] });
    expect(found.map(({ target }) => target)).toEqual(['Service prod/hello']);
  });

  it('changes an environment variable of the container without a name', async () => {
    const rollout = 'target: [Service prod/hello]\nchange: [{env: COLOUR, value: blue}]\n';
    const { files, expectations } = await plan(FILES, { rollout });
    expect(files[0]?.text).toContain('value: blue');
    const live = {
      spec: { containers: [{ name: 'user-container', env: [{ name: 'COLOUR', value: 'blue' }] }] },
    };
    expect(expectations.map(expectation => liveValue(expectation, live).holds)).toEqual([true]);
  });

  it('leaves a patch of the core Service alone when that has the same name', async () => {
    const patch =
      'apiVersion: v1\nkind: Service\nmetadata: {name: hello, namespace: prod}\nspec: {template: {spec: {containers: [{image: "ghcr.io/acme/hello:0"}]}}}\n';
    const { files } = await plan({
      ...FILES,
      'apps/kustomization.yaml':
        'resources: [hello.yaml, core.yaml, canary.yaml]\npatches: [{path: core-patch.yaml}]\n',
      'apps/core-patch.yaml': patch,
    });
    expect(files.map(({ path }) => path)).toEqual(['apps/hello.yaml']);
  });

  it('adopts it with provider knative and without a Service', async () => {
    const rollout = `${ROLLOUT}canary:\n  Service prod/hello:\n    analysis: {stepWeight: 10, maxWeight: 50}\n`;
    const { adopted, adoption, rendered } = await plan(
      { 'apps/hello.yaml': SERVICE },
      { rollout, canary: false },
    );
    expect(adopted).toEqual(['Service prod/hello']);
    expect(adoption.map(({ path }) => path)).toEqual(['apps/hello-canary.yaml']);
    expect(rendered[0]?.spec).toEqual({
      provider: 'knative',
      targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' },
      analysis: { interval: '1m', threshold: 5, stepWeight: 10, maxWeight: 50 },
    });
  });

  it('says that a core Service is none', async () => {
    const { reason, message } = await refusal(plan({ 'apps/core.yaml': CORE, 'apps/canary.yaml': CANARY }));
    expect(reason).toBe('target-not-found');
    expect(message).toContain('has no Knative Service prod/hello');
  });

  it('does not take the Canary of a core Service for its own', async () => {
    const core = CANARY.replace('serving.knative.dev/v1', 'v1').replace('knative', 'kubernetes');
    const { reason } = await refusal(plan({ ...FILES, 'apps/canary.yaml': core }, { canary: false }));
    expect(reason).toBe('canary-not-found');
  });

  it('refuses one that another repository brings: its own manifest is needed', async () => {
    const source = {
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'other',
      url: 'https://github.com/acme/other',
      suspended: false,
      intervalMs: 60_000,
      verifies: false,
    } as const;
    const view = kustomizationView({ name: 'hello' });
    const { reason, message } = await refusal(
      plan(FILES, { links: [{ kind: 'Kustomization', view, source }] }),
    );
    expect(reason).toBe('wrong-source');
    expect(message).toContain('Service prod/hello comes from Kustomization flux-system/hello');
  });

  it('refuses a patch of this environment that would replace all containers', async () => {
    const rollout = 'target: [Service prod/hello]\nwrite: overlay\nchange: [{env: COLOUR, value: blue}]\n';
    const files = {
      'base/hello.yaml': SERVICE,
      'base/canary.yaml': CANARY,
      'base/kustomization.yaml': 'resources: [hello.yaml, canary.yaml]\n',
      'prod/kustomization.yaml': 'resources: [../base]\n',
    };
    const { reason, message } = await refusal(plan(files, { rollout, path: 'prod' }));
    expect(reason).toBe('shared-line');
    expect(message).toContain('replaces all containers of a Knative Service');
    const image = await plan(files, { rollout: `${ROLLOUT}write: overlay\n`, path: 'prod' });
    expect(image.files.map(({ path }) => path)).toEqual([
      'prod/hello-rollout.yaml',
      'prod/kustomization.yaml',
    ]);
    expect(image.files[0]?.text).toContain('apiVersion: serving.knative.dev/v1');
  });

  it.each([
    [
      'traffic-in-git',
      SERVICE.replace('spec:\n', 'spec:\n  traffic: [{latestRevision: true, percent: 100}]\n'),
      'apps/hello.yaml:7 sets the traffic',
    ],
    [
      'bad-config',
      SERVICE.replace('template:\n', 'template:\n    metadata: {name: hello-first}\n'),
      'names the Revision of Service prod/hello (“hello-first”)',
    ],
  ])('refuses with %s what no release could go out with', async (reason, manifest, words) => {
    const found = await refusal(plan({ ...FILES, 'apps/hello.yaml': manifest }));
    expect(found.reason).toBe(reason);
    expect(found.message).toContain(words);
  });

  it.each([
    ['skipAnalysis: true', 'all traffic stays on the Revision of before'],
    [
      'autoscalerRef: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: hello}',
      'autoscalerRef',
    ],
  ])('refuses a Canary that is found with %s', async (field, words) => {
    const canary = CANARY.replace('  provider: knative\n', `  provider: knative\n  ${field}\n`);
    const { reason, message } = await refusal(plan({ ...FILES, 'apps/canary.yaml': canary }));
    expect(reason).toBe('bad-config');
    expect(message).toContain('apps/canary.yaml');
    expect(message).toContain(words);
  });
});

describe('what Flagger does with a Canary of a Knative Service', () => {
  const spec = (fields: Record<string, unknown>, analysis: Record<string, unknown> = {}) => ({
    provider: 'knative',
    targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' },
    analysis: { interval: '1m', threshold: 5, stepWeight: 10, ...analysis },
    ...fields,
  });
  const problems = (value: Record<string, unknown>) => checkProvider(value).map(({ field }) => field);

  it.each([
    ['weights', spec({}), []],
    ['another provider', spec({ provider: 'istio' }), ['spec.provider']],
    ['no provider', spec({ provider: undefined }), ['spec.provider']],
    [
      'a core Service',
      spec({ targetRef: { apiVersion: 'v1', kind: 'Service', name: 'hello' } }),
      ['spec.provider'],
    ],
    ['an autoscaler', spec({ autoscalerRef: { name: 'hello' } }), ['spec.autoscalerRef']],
    ['no analysis', spec({ skipAnalysis: true }), ['spec.skipAnalysis']],
    ['promotion in steps', spec({}, { stepWeightPromotion: 10 }), ['spec.analysis.stepWeightPromotion']],
    [
      'A/B',
      spec({}, { stepWeight: undefined, iterations: 5, match: [{ headers: { a: { exact: 'b' } } }] }),
      ['spec.analysis.match'],
    ],
    ['mirroring', spec({}, { mirror: true }), ['spec.analysis.mirror']],
    [
      'session affinity',
      spec({}, { sessionAffinity: { cookieName: 'a' } }),
      ['spec.analysis.sessionAffinity'],
    ],
  ])('%s', (_, value, found) => {
    expect(problems(value)).toEqual(found);
  });
});
