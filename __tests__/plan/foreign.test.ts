import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { canaryAnalysis } from '../../src/flagger/canary-analysis.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { findPlacements, restoredFiles } from '../../src/plan/stamp.ts';
import type {
  CanaryView,
  FluxChain,
  KustomizationView,
  SourceView,
  TargetView,
  WorkloadView,
} from '../../src/rollout/observation.ts';
import { targetKey } from '../../src/rollout/target.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { memoryFiles } from './memory-files.ts';
import { BUILDER } from './planning.ts';

/** As BuoyantIO/gitops-linkerd has it: the workload in one repository, the patches that are released in another. */
const SYNC = `# faces come from their own repository
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: faces, namespace: flux-system}
spec: {url: https://github.com/acme/faces, ref: {branch: main}, interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: faces, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: faces}
  path: ./k8s
  targetNamespace: faces
  interval: 1m
  patches:
  - target: {kind: Deployment, name: face}
    patch: |
      # how many of a hundred go wrong
      - op: replace
        path: /spec/template/spec/containers/0/env/1/value
        value: "20" # per cent
  - target: {kind: Deployment, name: (smiley|color)}
    patch: |
      - op: replace
        path: /spec/template/spec/containers/0/env/1/value
        value: "10"
  prune: true
`;
const CANARY = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: face, namespace: faces}
spec:
  provider: linkerd
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: face}
  service: {port: 80}
  analysis: {interval: 10s, threshold: 2, stepWeight: 25, maxWeight: 50}
`;
const FILES = {
  'apps/faces/kustomization.yaml': 'resources:\n- faces-sync.yaml\n- canary.yaml\n',
  'apps/faces/faces-sync.yaml': SYNC,
  'apps/faces/canary.yaml': CANARY,
  'apps/kustomization.yaml': 'resources: [faces]\n',
};
const ID_PATCH = `  - target:
      kind: Deployment
      name: face
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: face
      spec:
        template:
          metadata:
            annotations:
              gated-rollout/id: faces-1
              gated-rollout/source-sha: ${'c'.repeat(40)}
`;

const SOURCE: SourceView = {
  kind: 'GitRepository',
  namespace: 'flux-system',
  name: 'fleet',
  url: 'https://github.com/acme/fleet',
  branch: 'main',
  suspended: false,
  intervalMs: 60_000,
  verifies: false,
};
const APPS: KustomizationView = {
  namespace: 'flux-system',
  name: 'apps',
  path: 'apps',
  suspended: false,
  generation: 1,
  observedGeneration: 1,
  intervalMs: 60_000,
  waits: false,
};
const WORKLOADS = ['face', 'smiley', 'color'].map(name => ({
  kind: 'Deployment',
  namespace: 'faces',
  name,
}));

interface Live {
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly image?: string;
  readonly args?: readonly string[];
}

function template(live: Live) {
  const { image = 'ghcr.io/acme/face:1.0', args = ['--delay', '5', '--ui-logo=a.png'] } = live;
  const env = live.env ?? [
    { name: 'LATCH', value: '0' },
    { name: 'ERROR_FRACTION', value: '20' },
  ];
  return {
    metadata: { annotations: { 'gated-rollout/id': 'old', team: 'faces' } },
    spec: { containers: [{ name: 'main', image, env, args }] },
  };
}

function targetView(name: string, live: Live): TargetView {
  const workload: WorkloadView = {
    kind: 'Deployment',
    uid: 'u',
    namespace: 'faces',
    name,
    resourceVersion: '1',
    generation: 1,
    template: template(live),
    labels: { team: 'faces' },
    replicas: 1,
    readyReplicas: 1,
    complete: true,
    progressDeadlineMs: 600_000,
    deadlineExceeded: false,
  };
  const canary: CanaryView = {
    uid: 'c',
    namespace: 'faces',
    name,
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
  return { target: workload, canary, replicaSets: [], events: [] };
}

function withoutCanary({ canary: _canary, ...view }: TargetView): TargetView {
  return view;
}

interface PlanOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly live?: Readonly<Record<string, Live>>;
  /** Without a link: the Kustomization apps applies the targets itself. */
  readonly direct?: boolean;
  readonly carrier?: Partial<KustomizationView>;
  readonly canary?: boolean;
}

function planner(yaml: string): {
  readonly plan: (options?: PlanOptions) => Promise<ReleasePlan>;
  readonly prove: (plan: ReleasePlan, live: Live) => void;
} {
  const parsed = parseRolloutFile(yaml, { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { rollout } = parsed;
  const planning = new ReleasePlanner({
    rollout,
    sourceSha: 'c'.repeat(40),
    builder: BUILDER,
  });
  const view = (options: PlanOptions = {}) => ({
    source: 'read' as const,
    at: 0,
    objects: {},
    targets: Object.fromEntries(
      rollout.targets.map(target => [
        targetKey(target),
        options.canary === false
          ? withoutCanary(targetView(target.name, options.live?.[target.name] ?? {}))
          : targetView(target.name, options.live?.[target.name] ?? {}),
      ]),
    ),
  });
  return {
    prove: (plan, live) => planning.proveChain(plan.found, view({ live: { face: live } })),
    plan: async (options = {}) => {
      const faces = { ...APPS, name: 'faces', path: 'k8s', workloads: WORKLOADS };
      const source = { ...SOURCE, name: 'faces', url: 'https://github.com/acme/faces' };
      const chain: FluxChain = {
        source: SOURCE,
        kustomizations: [{ ...APPS, ...options.carrier }],
        links: options.direct ? [] : [{ kind: 'Kustomization', view: faces, source }],
      };
      return await planning.plan({
        files: memoryFiles(options.files ?? FILES),
        chains: Object.fromEntries(rollout.targets.map(target => [targetKey(target), chain])),
        observation: view(options),
        rolloutId: 'faces-1',
      });
    },
  };
}

function plan(yaml: string, options: PlanOptions = {}): Promise<ReleasePlan> {
  return planner(yaml).plan(options);
}

function textOf({ files }: ReleasePlan, path: string): string {
  return files.find(file => file.path === path)?.text ?? '';
}

async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refusal) return error;
  throw new Error(`No refusal, but ${String(error)}`);
}

const ERRORS = 'target: faces/face\nchange: [{env: ERROR_FRACTION, value: "30"}]\n';
const SYNC_FILE = 'apps/faces/faces-sync.yaml';

/** The manifest with the id's patch as the last of its list. */
function withId(text: string): string {
  return text.replace('  prune: true\n', `${ID_PATCH}  prune: true\n`);
}

describe('a workload of another repository, patched by a Kustomization of ours', () => {
  it('is released by the patch’s text, the id in a patch of its own, all else as it was', async () => {
    const planned = await plan(ERRORS);
    expect(planned.files.map(({ path }) => path)).toEqual([SYNC_FILE]);
    expect(textOf(planned, SYNC_FILE)).toBe(withId(SYNC.replace('"20"', '"30"')));
    expect(planned.found[0]).toMatchObject({ path: SYNC_FILE, line: 21, current: '20', requested: '30' });
    expect(planned.unchanged).toBe(false);
    expect(planned.schedule).toHaveLength(1);
    // What the Kustomization above sets is not for what the one below brings.
    const image = 'target: faces/face\nchange: [{image: "ghcr.io/acme/face:1.1"}]\nwrite: overlay\n';
    const above = { carrier: { imageNames: ['ghcr.io/acme/face'] } };
    expect((await plan(image, above)).files).toHaveLength(1);
  });

  it('updates its own patch in place the next time', async () => {
    const files = { ...FILES, [SYNC_FILE]: withId(SYNC).replace('faces-1', 'faces-0') };
    const planned = await plan(ERRORS, { files });
    expect(textOf(planned, SYNC_FILE)).toBe(withId(SYNC.replace('"20"', '"30"')));
    const unchanged = await plan(ERRORS.replace('30', '20'), { files });
    expect(unchanged.unchanged).toBe(true);
    expect(textOf(unchanged, SYNC_FILE)).toBe(withId(SYNC));
  });

  it('keeps CRLF line ends, and writes into strings of other kinds', async () => {
    const crlf = SYNC.replaceAll('\n', '\r\n');
    const planned = await plan(ERRORS, { files: { ...FILES, [SYNC_FILE]: crlf } });
    expect(textOf(planned, SYNC_FILE)).toBe(withId(SYNC.replace('"20"', '"30"')).replaceAll('\n', '\r\n'));
    const json = SYNC.replace(
      /patch: \|\n {6}# how[^-]+- op: replace\n[^\n]+\n[^\n]+\n/,
      `patch: '[{"op": "replace", "path": "/spec/template/spec/containers/0/env/1/value", "value": "20"}]'\n`,
    );
    expect(json).not.toBe(SYNC);
    const quoted = await plan(ERRORS, { files: { ...FILES, [SYNC_FILE]: json } });
    expect(textOf(quoted, SYNC_FILE)).toBe(withId(json.replace('"20"', '"30"')));
  });

  it('writes strategic merges, arguments by position, and images entries', async () => {
    const merge = SYNC.replace(
      '  - target: {kind: Deployment, name: (smiley',
      `  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: face}
      spec: {template: {spec: {containers: [{name: main, env: [{name: ERROR_FRACTION, value: '5'}]}]}}}
  - target: {kind: Deployment, name: fac.}
    patch: |-
      - {op: replace, path: /spec/template/spec/containers/0/args/1, value: '5'}
      - {op: replace, path: /spec/template/spec/containers/0/args/2, value: --ui-logo=a.png}
  - target: {kind: Deployment, name: (smiley`,
    ).replace(
      '  prune: true\n',
      '  images:\n  - {name: face, newName: ghcr.io/acme/face, newTag: "1.0"}\n  prune: true\n',
    );
    const all =
      'target: faces/face\nchange:\n- {env: ERROR_FRACTION, value: 6}\n- {arg: --delay, value: 7}\n- {arg: --ui-logo, value: b.png}\n- {image: "face:1.1"}\n';
    const live = {
      face: {
        env: [
          { name: 'LATCH', value: '0' },
          { name: 'ERROR_FRACTION', value: '5' },
        ],
      },
    };
    const planned = await plan(all, { files: { ...FILES, [SYNC_FILE]: merge }, live });
    expect(textOf(planned, SYNC_FILE)).toBe(
      merge
        .replace("value: '5'}]}]", "value: '6'}]}]")
        .replace("args/1, value: '5'", "args/1, value: '7'")
        .replace('--ui-logo=a.png', '--ui-logo=b.png')
        .replace('newTag: "1.0"', 'newTag: "1.1"')
        .replace('  images:\n', `${ID_PATCH}  images:\n`),
    );
    expect(planned.expectations.at(-1)).toMatchObject({ repository: 'ghcr.io/acme/face', version: '1.1' });
  });

  it('proves the chain by the live object', async () => {
    const { plan: make, prove } = planner(ERRORS);
    const planned = await make();
    expect(() => prove(planned, {})).not.toThrow();
    const env = [{ name: 'ERROR_FRACTION', value: '99' }];
    expect(() => prove(planned, { env })).toThrow(/but 99 is live/);
  });

  it('refuses a patch that reaches others, unless all of them are released by that very line', async () => {
    const smiley = ERRORS.replace('face\n', 'smiley\n').replace('faces/face', 'faces/smiley');
    const live = {
      smiley: {
        env: [
          { name: 'LATCH', value: '0' },
          { name: 'ERROR_FRACTION', value: '10' },
        ],
      },
    };
    const files = {
      ...FILES,
      'apps/faces/canary.yaml': ['smiley', 'color']
        .map(name => CANARY.replaceAll('face,', `${name},`).replaceAll('name: face}', `name: ${name}}`))
        .join('---\n'),
    };
    const shared = await refusal(plan(smiley, { files, live }));
    expect(shared).toMatchObject({ reason: 'shared-line' });
    expect(shared.message).toContain(`(${SYNC_FILE}:26) that reaches Deployment color, too`);
    expect(shared.remedy).toContain('write: overlay');

    const both = smiley.replace('target: faces/smiley', 'target: [faces/smiley, faces/color]');
    const together = await plan(both, { files, live: { ...live, color: live.smiley } });
    expect(textOf(together, SYNC_FILE)).toContain(`        value: "30"\n`);
    expect(textOf(together, SYNC_FILE)).toContain('"20" # per cent');
    expect(together.placements).toHaveLength(2);
    // The same position is another variable there.
    const other = { color: { env: [...live.smiley.env].toReversed() } };
    expect((await refusal(plan(both, { files, live: { ...live, ...other } }))).reason).toBe('shared-line');

    const own = await plan(`${smiley}write: overlay\n`, { files, live });
    const patches = patchesOf(textOf(own, SYNC_FILE));
    expect(patches[1]).toMatchObject({ target: { name: '(smiley|color)' } });
    expect(patches[2]?.target).toEqual({ kind: 'Deployment', name: 'smiley' });
    expect(parse(patches[2]?.patch ?? '')).toMatchObject({
      spec: {
        template: {
          spec: { containers: [{ name: 'main', env: [{ name: 'ERROR_FRACTION', value: '30' }] }] },
        },
      },
    });
    expect(patches[3]?.patch).toContain('gated-rollout/id');
  });

  it('follows patches that select by labels, and takes them for reaching whatever labels nobody knows', async () => {
    // Without the patch that sets another value for them afterwards.
    const selecting = SYNC.replace(
      '{kind: Deployment, name: face}',
      '{kind: Deployment, labelSelector: team=faces}',
    ).replace(/ {2}- target: \{kind: Deployment, name: \(smiley[\s\S]+ {2}prune/, '  prune');
    const files = { ...FILES, [SYNC_FILE]: selecting };
    const shared = await refusal(plan(ERRORS, { files }));
    expect(shared.message).toContain('that reaches Deployment smiley, Deployment color, too');
    const foreign = await refusal(
      plan(ERRORS, { files: { ...files, [SYNC_FILE]: selecting.replace('team=faces', 'team=others') } }),
    );
    expect(foreign.message).toContain('and by nothing here');
  });

  it('adds a patch for what only the other repository sets, when told so', async () => {
    const change = (yaml: string): string => `target: faces/face\nchange: [${yaml}]\n`;
    const latch = change('{env: LATCH, value: "1"}');
    const refused = await refusal(plan(latch));
    expect(refused.message).toBe(
      'LATCH of faces/face is set in https://github.com/acme/faces, and by nothing here.',
    );
    expect(refused.remedy).toContain(`spec.patches in ${SYNC_FILE}`);
    for (const [yaml, content] of [
      [latch, { spec: { template: { spec: { containers: [{ env: [{ name: 'LATCH', value: '1' }] }] } } } }],
      [
        change('{image: "ghcr.io/acme/face:1.1"}'),
        { spec: { template: { spec: { containers: [{ image: 'ghcr.io/acme/face:1.1' }] } } } },
      ],
      [
        change('{arg: --ui-logo, value: b.png}'),
        [
          { op: 'test', path: '/spec/template/spec/containers/0/args/2', value: '--ui-logo=a.png' },
          { op: 'replace', path: '/spec/template/spec/containers/0/args/2', value: '--ui-logo=b.png' },
        ],
      ],
      [
        change('{arg: --delay, value: 9}'),
        [
          { op: 'test', path: '/spec/template/spec/containers/0/args/1', value: '5' },
          { op: 'replace', path: '/spec/template/spec/containers/0/args/1', value: '9' },
        ],
      ],
    ] as const) {
      const planned = await plan(`${yaml}write: overlay\n`);
      const [, , added, id] = patchesOf(textOf(planned, SYNC_FILE));
      expect(added?.target).toEqual({ kind: 'Deployment', name: 'face' });
      expect(parse(added?.patch ?? '')).toMatchObject(content);
      expect(id?.patch).toContain('gated-rollout/id: faces-1');
      // Once it is there, it is edited in place, without being told anything.
      const files = { ...FILES, [SYNC_FILE]: textOf(planned, SYNC_FILE) };
      const again = await plan(
        yaml
          .replace('"1"', '"2"')
          .replace('1.1', '1.2')
          .replace('b.png', 'c.png')
          .replace('value: 9', 'value: 8'),
        { files },
      );
      expect(patchesOf(textOf(again, SYNC_FILE))).toHaveLength(4);
    }
  });

  it('is proven by builds, in which nothing but the Kustomization changes here', async () => {
    const { build } = await plan(ERRORS);
    expect(build).toMatchObject({ compared: 1, objects: [{ object: 'Kustomization flux-system/faces' }] });
  });

  it('takes a Kustomization without patches', async () => {
    const bare = SYNC.replace(/ {2}patches:[\s\S]+ {2}prune/, '  prune');
    const yaml = ERRORS.replace('"30"', '"20"');
    // Nothing is asked to change: only the id is put there.
    const planned = await plan(yaml, { files: { ...FILES, [SYNC_FILE]: bare } });
    expect(textOf(planned, SYNC_FILE)).toBe(`${bare}  patches:\n${ID_PATCH}`);
  });

  it('names what keeps it from being edited', async () => {
    const gone = { ...FILES, 'apps/faces/kustomization.yaml': 'resources: [canary.yaml]\n' };
    const missing = await refusal(plan(ERRORS, { files: gone }));
    expect(missing.reason).toBe('chain-broken');
    expect(missing.message).toContain('is not in what Flux builds from apps of this repository');

    const patched = {
      ...FILES,
      'apps/kustomization.yaml':
        'resources: [faces]\npatches:\n- target: {kind: Kustomization, name: faces}\n  patch: |\n    - op: add\n      path: /spec/patches/-\n      value:\n        target: {kind: Deployment, name: face}\n        patch: |\n          - {op: replace, path: /spec/template/spec/containers/0/env/1/value, value: "25"}\n',
    };
    // What an overlay makes of its patches is built, and the line that counts is found there.
    const overlaid = await plan(ERRORS, { files: patched });
    expect(overlaid.found).toMatchObject([{ path: 'apps/kustomization.yaml', current: '25' }]);
    expect(textOf(overlaid, 'apps/kustomization.yaml')).toContain('value: "30"');

    const base = {
      'base/sync.yaml': SYNC,
      'apps/kustomization.yaml': 'resources: [../base/sync.yaml, canary.yaml]\n',
      'apps/canary.yaml': CANARY,
    };
    expect((await plan(ERRORS, { files: base })).files.map(({ path }) => path)).toEqual(['base/sync.yaml']);
    const others = { ...base, 'other/kustomization.yaml': 'resources: [../base/sync.yaml]\n' };
    const shared = await refusal(plan(ERRORS, { files: others }));
    expect(shared).toMatchObject({ reason: 'shared-line' });
    expect(shared.message).toContain('which is also built by other');
    expect((await plan(`${ERRORS}write: base\n`, { files: others })).files.map(({ path }) => path)).toEqual([
      'base/sync.yaml',
    ]);
  });

  it('adds a Canary beside the Kustomization when there is none', async () => {
    const files = {
      ...FILES,
      'apps/faces/kustomization.yaml': 'resources:\n- faces-sync.yaml\n',
      'apps/faces/canary.yaml': '',
    };
    const yaml = `${ERRORS}canary:\n  faces/face:\n    provider: kubernetes\n    service: {port: 80}\n    analysis: {iterations: 2}\n`;
    const planned = await plan(yaml, { files, canary: false });
    expect(planned.adoption.map(({ path }) => path)).toEqual([
      'apps/faces/face-canary.yaml',
      'apps/faces/kustomization.yaml',
    ]);
    expect(planned.adoption[0]?.text).toContain('metadata:\n  name: face\n  namespace: faces\n');
    expect(planned.adoption[1]?.text).toBe('resources:\n- faces-sync.yaml\n- face-canary.yaml\n');
  });

  it('is restamped by a revert that must end an analysis, and restored byte for byte otherwise', async () => {
    const planned = await plan(ERRORS);
    const blob = (text: string) => ({ sha: 's', mode: '100644', text }) as const;
    const commit = {
      files: [{ path: SYNC_FILE, before: blob(SYNC), after: blob(textOf(planned, SYNC_FILE)) }],
    };
    const placements = findPlacements(commit.files, { id: 'faces-1', targets: ['faces/face'] });
    expect(placements).toEqual(planned.placements);
    const restored = (form: 'plain' | 'stamped') =>
      restoredFiles({
        commit,
        placements,
        forms: { 'faces/face': form },
        revertId: 'faces-1-back',
        restoreTexts: new Map(),
        mayRemove: false,
      })[0]?.restored;
    expect(restored('plain')).toEqual({ kind: 'blob', blob: blob(SYNC) });
    const stamped = withId(SYNC)
      .replace('faces-1', 'faces-1-back')
      .replace(/ +gated-rollout\/source-sha: c+\n/, '');
    expect(restored('stamped')).toEqual({ kind: 'blob', blob: blob(stamped) });
  });
});

function patchesOf(text: string): readonly { readonly target?: unknown; readonly patch: string }[] {
  const document: { spec: { patches: { target?: unknown; patch: string }[] } } = parse(
    text.split('---\n')[1] ?? '',
  );
  return document.spec.patches;
}

describe('a remote base', () => {
  const KUSTOMIZATION = `namespace: faces
resources:
- https://github.com/acme/faces//k8s?ref=v1
- canary.yaml
patches:
- path: patch.yaml
`;
  const PATCH = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: face
spec:
  template:
    metadata:
      annotations:
    spec:
      containers:
      - name: main
        env:
        - name: ERROR_FRACTION
          value: '20' # now
`;
  const files = {
    'apps/kustomization.yaml': KUSTOMIZATION,
    'apps/patch.yaml': PATCH,
    'apps/canary.yaml': CANARY,
  };

  it('is released by the overlay’s patch, with the id in a file of its own', async () => {
    const planned = await plan(ERRORS, { files, direct: true });
    expect(planned.files.map(({ path }) => path)).toEqual([
      'apps/face-rollout.yaml',
      'apps/kustomization.yaml',
      'apps/patch.yaml',
    ]);
    expect(textOf(planned, 'apps/patch.yaml')).toBe(PATCH.replace("'20'", "'30'"));
    expect(textOf(planned, 'apps/kustomization.yaml')).toBe(
      `${KUSTOMIZATION}- path: face-rollout.yaml\n  target:\n    kind: Deployment\n    name: face\n`,
    );
    const written = Object.fromEntries(planned.files.map(file => [file.path, file.text]));
    const again = await plan(ERRORS, { files: { ...files, ...written }, direct: true });
    expect(again.unchanged).toBe(true);
  });

  it('is set by a patch or an images entry of the overlay when only the base sets it', async () => {
    const image = 'target: faces/face\nchange: [{image: "ghcr.io/acme/face:1.1"}]\n';
    const refused = await refusal(plan(image, { files, direct: true }));
    expect(refused.message).toContain('is set in https://github.com/acme/faces//k8s?ref=v1');
    const planned = await plan(`${image}write: overlay\n`, { files, direct: true });
    expect(textOf(planned, 'apps/kustomization.yaml')).toContain(
      'images:\n- name: ghcr.io/acme/face\n  newTag: "1.1"',
    );
    const entry = `${KUSTOMIZATION}images:\n- name: ghcr.io/acme/face\n  newTag: "1.0"\n`;
    const set = await plan(image, { files: { ...files, 'apps/kustomization.yaml': entry }, direct: true });
    expect(textOf(set, 'apps/kustomization.yaml')).toContain('newTag: "1.1"');
  });

  it('is what a target comes from only when no file has it, and only by the names that it would have', async () => {
    const prefixed = { ...files, 'apps/kustomization.yaml': `${KUSTOMIZATION}namePrefix: shop-\n` };
    expect((await refusal(plan(ERRORS, { files: prefixed, direct: true }))).reason).toBe('target-not-found');
    const local = {
      ...files,
      'apps/patch.yaml': PATCH.replace('    metadata:\n      annotations:\n', ''),
      'apps/kustomization.yaml': KUSTOMIZATION.replace(
        'https://github.com/acme/faces//k8s?ref=v1',
        'face.yaml',
      ),
      'apps/face.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: face}\nspec:\n  template:\n    spec:\n      containers: [{name: main, image: a}]\n`,
    };
    expect((await plan(ERRORS, { files: local, direct: true })).files.map(({ path }) => path)).toContain(
      'apps/face.yaml',
    );
  });
});

describe('paths of Kustomizations', () => {
  it('that lead out of the folder and back, or out of the repository, are those that Flux takes', async () => {
    for (const path of ['clusters/prod/../../apps', '../../apps', './apps/']) {
      expect((await plan(ERRORS, { carrier: { path } })).files).toHaveLength(1);
    }
  });

  it('whose manifests are in a folder flux-system at the root', async () => {
    const files = {
      'flux-system/gotk-sync.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {path: ./flux-system}\n',
      'flux-system/faces.yaml': SYNC,
      'flux-system/canary.yaml': CANARY,
      'flux-system/kustomization.yaml': 'resources: [gotk-sync.yaml, faces.yaml, canary.yaml]\n',
    };
    for (const path of ['flux-system', '']) {
      const planned = await plan(ERRORS, { files, carrier: { path } });
      expect(planned.files.map(each => each.path)).toEqual(['flux-system/faces.yaml']);
    }
  });
});
