import { describe, it } from 'vitest';
import { fieldsAt, listAt, textAt } from '../../sandbox/cluster/kube-object.ts';
import { canary, deployment } from '../../sandbox/podinfo.ts';
import { FLEET, Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';

/**
 * The sandbox's Flagger against what real runs of Flagger 1.44 did: the sequence of phase, weight, iterations and
 * failed checks and of the condition Promoted, the hashes as letters in the order in which they were seen. The stories are
 * those of recorded runs of these steps.
 */
interface Story {
  readonly name: string;
  readonly options?: SandboxOptions;
  /** What is done, and what is waited for after it. */
  readonly steps: readonly ((sandbox: Sandbox) => Promise<void>)[];
  readonly expected: readonly string[];
}

class Recorder {
  private readonly lines: string[] = [];
  private readonly letters = new Map<string, string>();

  take(status: unknown): void {
    const phase = textAt(status, 'phase');
    if (phase === '' || phase === 'Initializing') return;
    const applied = this.letter(textAt(status, 'lastAppliedSpec'));
    const promoted = this.letter(textAt(status, 'lastPromotedSpec'));
    const { canaryWeight, iterations, failedChecks } = fieldsAt(status);
    const line = `${phase} w=${String(canaryWeight)} it=${String(iterations)} fc=${String(failedChecks)} a=${applied} p=${promoted} ${textAt(listAt(status, 'conditions')[0], 'status')}`;
    if (line !== this.lines.at(-1)) this.lines.push(line);
  }

  get story(): readonly string[] {
    return this.lines;
  }

  private letter(hash: string): string {
    const known = this.letters.get(hash) ?? String.fromCharCode(65 + this.letters.size);
    this.letters.set(hash, known);
    return known;
  }
}

const push = (tag: string, id: string) => async (sandbox: Sandbox) => {
  const text = deployment({ tag }).replace(
    '      labels: {app: podinfo}\n',
    `      labels: {app: podinfo}\n      annotations: {id: "${id}"}\n`,
  );
  await sandbox.github.push(FLEET, { files: { 'apps/deployment.yaml': text }, message: id });
  const source = { kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' };
  sandbox.cluster.patch(source, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': id } } });
};
const phase = (wanted: string) => (sandbox: Sandbox) => sandbox.waitForPhase(wanted);
const weight = (wanted: number) => (sandbox: Sandbox) =>
  sandbox.cluster.waitUntil(`weight ${wanted}`, () => weightOf(sandbox) === wanted);
const metric = (value: number) => (sandbox: Sandbox) => {
  sandbox.cluster.setMetric('prod/podinfo', 'success', value);
  return Promise.resolve();
};

function weightOf(sandbox: Sandbox): unknown {
  return fieldsAt(sandbox.cluster.get('Canary', 'prod', 'podinfo'), 'status')['canaryWeight'];
}

const GOOD = (a: string, p: string) => [
  `Progressing w=0 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Progressing w=25 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Progressing w=50 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Promoting w=50 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Finalising w=0 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Succeeded w=0 it=0 fc=0 a=${a} p=${a} True`,
];
const BAD = (a: string, p: string) => [
  `Progressing w=0 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Progressing w=25 it=0 fc=0 a=${a} p=${p} Unknown`,
  `Progressing w=25 it=0 fc=1 a=${a} p=${p} Unknown`,
  `Progressing w=25 it=0 fc=2 a=${a} p=${p} Unknown`,
  `Failed w=0 it=0 fc=0 a=${a} p=${p} False`,
];
const FIRST = 'Initialized w=0 it=0 fc=0 a=A p=A True';

const STORIES: readonly Story[] = [
  { name: 'promoted', steps: [push('1', '1'), phase('Succeeded')], expected: [FIRST, ...GOOD('B', 'A')] },
  {
    name: 'metric-failure',
    steps: [metric(90), push('1', '1'), phase('Failed')],
    expected: [FIRST, ...BAD('B', 'A')],
  },
  {
    name: 'revert-after-failed: nothing begins, and the applied hash goes back',
    steps: [
      push('1', '1'),
      phase('Succeeded'),
      metric(90),
      push('2', '2'),
      phase('Failed'),
      push('1', '1'),
      sandbox =>
        sandbox.cluster.waitUntil('the hash is back', () => {
          const status = fieldsAt(sandbox.cluster.get('Canary', 'prod', 'podinfo'), 'status');
          return status['lastAppliedSpec'] === status['lastPromotedSpec'];
        }),
    ],
    expected: [FIRST, ...GOOD('B', 'A'), ...BAD('C', 'B'), 'Failed w=0 it=0 fc=0 a=B p=B False'],
  },
  {
    name: 'failure-after-failure: first seen as Failed with the new hash',
    steps: [
      metric(90),
      push('1', '1'),
      phase('Failed'),
      push('2', '2'),
      phase('Progressing'),
      phase('Failed'),
    ],
    expected: [FIRST, ...BAD('B', 'A'), 'Failed w=0 it=0 fc=0 a=C p=A False', ...BAD('C', 'A')],
  },
  {
    name: 'revert-while-progressing: not noticed, ends Succeeded with the bad hash, then analyses again',
    steps: [
      push('1', '1'),
      phase('Succeeded'),
      push('2', '2'),
      weight(25),
      push('1', '1'),
      phase('Succeeded'),
      phase('Progressing'),
      phase('Succeeded'),
    ],
    expected: [FIRST, ...GOOD('B', 'A'), ...GOOD('C', 'B'), ...GOOD('B', 'C')],
  },
  {
    name: 'stamped-revert-while-progressing: begins anew at weight 0',
    steps: [push('1', '1'), weight(25), push('6.14.0', '1-revert'), phase('Succeeded')],
    expected: [
      FIRST,
      'Progressing w=0 it=0 fc=0 a=B p=A Unknown',
      'Progressing w=25 it=0 fc=0 a=B p=A Unknown',
      ...GOOD('C', 'A'),
    ],
  },
  {
    name: 'iterations: header-based',
    options: {
      files: {
        'apps/canary.yaml': canary({
          analysis: '    iterations: 2\n    match: [{headers: {x-canary: {exact: insider}}}]\n',
        }),
      },
    },
    steps: [push('1', '1'), phase('Succeeded')],
    expected: [
      FIRST,
      'Progressing w=0 it=0 fc=0 a=B p=A Unknown',
      'Progressing w=0 it=1 fc=0 a=B p=A Unknown',
      'Progressing w=0 it=2 fc=0 a=B p=A Unknown',
      'Promoting w=0 it=2 fc=0 a=B p=A Unknown',
      'Finalising w=0 it=0 fc=0 a=B p=A Unknown',
      'Succeeded w=0 it=0 fc=0 a=B p=B True',
    ],
  },
];

describe.concurrent('the sandbox’s Flagger tells the stories of recorded runs', () => {
  it.for(STORIES)('$name', async ({ options, steps, expected }, { expect }) => {
    const sandbox = await Sandbox.start({ rate: 40, ...options });
    try {
      const recorder = new Recorder();
      recorder.take(fieldsAt(sandbox.cluster.get('Canary', 'prod', 'podinfo'), 'status'));
      sandbox.cluster.onChange(({ object }) => {
        if (object.kind === 'Canary') recorder.take(object['status']);
      });
      for (const step of steps) await step(sandbox);
      expect(recorder.story).toEqual(expected);
    } finally {
      await sandbox.close();
    }
  });
});
