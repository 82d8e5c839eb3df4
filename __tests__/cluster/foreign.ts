import { z } from 'zod';
import type { EmbeddedGitHub } from '../../sandbox/github/embedded-github.ts';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import type { Acting, ListedScenario } from './listed-scenario.ts';
import { FLEET, type ScenarioOptions } from './scenario.ts';

/** The shape of BuoyantIO/gitops-linkerd: workloads of another repository, released by patches in this one. */
const FACES = 'acme/faces';
const SYNC = 'apps/faces-sync.yaml';

function deployment(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
      - name: main
        image: ghcr.io/stefanprodan/podinfo:6.14.0
        args: [--delay, '5', --ui-logo=https://example.com/none.png]
        env:
        - {name: LATCH_FRACTION, value: '0'}
        - {name: ERROR_FRACTION, value: '50'}
        ports:
        - {name: http, containerPort: 9898}
`;
}

function sync(namespace: string, github: EmbeddedGitHub): string {
  return `# the faces come from a repository of their own
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: faces
spec: {url: ${github.cloneUrl(FACES)}, ref: {branch: main}, interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: faces
spec:
  sourceRef: {kind: GitRepository, name: faces}
  path: ./k8s
  targetNamespace: ${namespace}
  interval: 1m
  prune: true
  patches:
  - target: {kind: Deployment, name: fac.}
    patch: |
      # of a hundred
      - op: replace
        path: /spec/template/spec/containers/0/env/1/value
        value: "20" # as it is served now
      - op: replace
        path: /spec/template/spec/containers/0/args/2
        value: --ui-logo=https://example.com/old.png
  - target: {kind: Deployment, name: (smiley|color)}
    patch: |
      - {op: replace, path: /spec/template/spec/containers/0/env/1/value, value: "10"}
`;
}

function shape(namespace: string, more = ''): Partial<ScenarioOptions> {
  return {
    canaries: [{ name: 'face' }],
    repositories: {
      [FACES]: {
        'k8s/face.yaml': deployment('face'),
        'k8s/smiley.yaml': deployment('smiley'),
        'k8s/color.yaml': deployment('color'),
      },
    },
    files: (github): Files => ({ 'apps/face.yaml': null, [SYNC]: sync(namespace, github) }),
    rollout: `gitops: {repository: ${FLEET}}
target: ${namespace}/face
change: [{env: ERROR_FRACTION}, {arg: --ui-logo}]
${more}`,
  };
}

const SET = { inputs: { set: 'ERROR_FRACTION=0\nui-logo=https://example.com/new.png' } };
const FACE = { canary: 'face', serves: '6.14.0' } as const;

const containersSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            args: z.array(z.string()),
            env: z.array(z.object({ name: z.string(), value: z.string() })),
          }),
        ),
      }),
    }),
  }),
});

/** What a Deployment runs with. */
async function running({ scenario }: Acting, name: string) {
  const found = await scenario.object('apis/apps/v1', 'deployments', name, containersSchema);
  const [container] = found?.spec.template.spec.containers ?? [];
  return {
    errors: container?.env.find(each => each.name === 'ERROR_FRACTION')?.value,
    logo: container?.args.at(-1)?.replace('--ui-logo=https://example.com/', ''),
  };
}

export const FOREIGN: readonly ListedScenario[] = [
  {
    key: 'foreign-released',
    title: 'a variable and an argument, by JSON6902 in `spec.patches` of a Kustomization with another source',
    proven:
      'the text within the YAML was edited, the id came in a patch of its own, and only the target got either',
    options: ({ namespace }) => shape(namespace),
    run: async acting => {
      const { scenario, ends, expect, namespace } = acting;
      expect(await running(acting, 'face-primary')).toEqual({ errors: '20', logo: 'old.png' });
      const run = await (await scenario.start(SET)).done;
      await ends(run, {
        ...FACE,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release'],
        changed: [SYNC],
        phase: 'Succeeded',
      });
      expect(await running(acting, 'face-primary')).toEqual({ errors: '0', logo: 'new.png' });
      expect(await running(acting, 'smiley')).toEqual({ errors: '10', logo: 'none.png' });
      expect((await scenario.template('smiley')).id).toBeUndefined();
      const before = sync(namespace, scenario.github);
      const expected = before.replace('"20" # as', '"0" # as').replace('old.png', 'new.png');
      expect((await scenario.file(SYNC))?.startsWith(expected)).toBe(true);
    },
  },
  {
    key: 'foreign-failed',
    title: 'the same, failing',
    proven: 'the Kustomization’s manifest is restored byte for byte; target and primary back',
    options: ({ namespace }) => shape(namespace),
    run: async acting => {
      const { scenario, ends, expect, namespace } = acting;
      await scenario.metric(90, 'face');
      const run = await (await scenario.start(SET)).done;
      await ends(run, {
        ...FACE,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        commits: ['Revert', 'Release'],
        phase: 'Failed',
      });
      expect(await scenario.file(SYNC)).toBe(sync(namespace, scenario.github));
      for (const name of ['face', 'face-primary']) {
        expect(await running(acting, name)).toEqual({ errors: '20', logo: 'old.png' });
      }
    },
  },
  {
    key: 'foreign-cancelled',
    title: 'the same, cancelled in Progressing',
    proven: 'restored under a new id, by a patch that stays; Flagger analyses what was restored',
    options: ({ namespace }) => shape(namespace),
    run: async acting => {
      const { scenario, ends, expect, namespace } = acting;
      const started = await scenario.start(SET);
      await scenario.waitForPhase('Progressing', 'face');
      started.cancel();
      const run = await started.done;
      const post = await started.post();
      await scenario.waitUntil('the end of all analyses', async () => {
        const status = (await scenario.canary('face'))?.status;
        return status?.phase === 'Succeeded' && status.lastAppliedSpec === status.lastPromotedSpec;
      });
      await ends(run, {
        ...FACE,
        verdict: 'cancelled',
        reason: 'job-cancelled',
        commits: ['Revert', 'Release'],
        changed: [SYNC],
        phase: 'Succeeded',
        post,
      });
      expect((await scenario.file(SYNC))?.startsWith(sync(namespace, scenario.github))).toBe(true);
      expect(await running(acting, 'face-primary')).toEqual({ errors: '20', logo: 'old.png' });
    },
  },
  {
    key: 'foreign-overlay',
    title: 'an image that only the other repository sets, with `write: overlay`',
    proven: 'a strategic merge for this workload alone was added to `spec.patches`',
    options: ({ namespace }) => ({
      ...shape(namespace),
      rollout: `gitops: {repository: ${FLEET}}
target: ${namespace}/face
change: [{image: ghcr.io/stefanprodan/podinfo}]
write: overlay
`,
    }),
    run: async ({ scenario, ends, expect }) => {
      await ends(await scenario.release('6.14.1'), {
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release'],
        changed: [SYNC],
        canary: 'face',
        serves: '6.14.1',
        phase: 'Succeeded',
      });
      expect((await scenario.template('smiley')).image).toBe('6.14.0');
    },
  },
];
