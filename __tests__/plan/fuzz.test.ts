import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import type { FluxChain, Observation } from '../../src/rollout/observation.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { memoryFiles } from './memory-files.ts';
import { BUILDER } from './planning.ts';

/**
 * Random folders and random changes: either a clear refusal, or a plan whose files differ from what they were in the
 * lines that were meant and in no other, whatever stands around them.
 */

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const comment = fc.oneof(
  fc.constant(''),
  word.map(text => ` # ${text}`),
);
const quote = fc.constantFrom('', '"', "'");
const tag = fc.stringMatching(/^[0-9]\.[0-9]{1,2}\.[0-9]$/);

interface Written {
  readonly text: string;
  readonly tag: string;
}

/** A Deployment as somebody might write it: comments, quotes, order of keys, other documents, line ends. */
const deployment: fc.Arbitrary<Written> = fc
  .record({
    before: fc.array(comment, { maxLength: 3 }),
    after: fc.array(word, { maxLength: 3 }),
    remarks: fc.tuple(comment, comment, comment),
    quote,
    tag,
    envFirst: fc.boolean(),
    annotations: fc.constantFrom('none', 'block', 'flow'),
    windows: fc.boolean(),
    documents: fc.tuple(fc.boolean(), fc.boolean()),
    indent: fc.constantFrom('', '  '),
  })
  .map(on => {
    const { quote: q, indent } = on;
    const image = [
      `${indent}      - name: main`,
      `${indent}        image: ${q}ghcr.io/acme/shop:${on.tag}${q}${on.remarks[0]}`,
    ];
    const env = [`${indent}        env:`, `${indent}        - {name: A, value: "1"}${on.remarks[1]}`];
    const annotations = {
      none: [],
      block: ['      annotations:', `        team: ${on.after[0] ?? 'shop'}${on.remarks[2]}`],
      flow: ['      annotations: {team: shop}'],
    }[on.annotations];
    const [first = '', second = ''] = image;
    const container = on.envFirst ? [first, ...env, second] : [first, second, ...env];
    const lines = [
      ...on.before.filter(each => each !== '').map(each => each.trim()),
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata:',
      '  name: shop',
      'spec:',
      '  template:',
      '    metadata:',
      '      labels: {app: shop}',
      ...annotations,
      '    spec:',
      '      containers:',
      ...container,
    ];
    const other = (name: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}} # ${name}\n`;
    const documents = [
      ...(on.documents[0] ? [other('first')] : []),
      `${lines.join('\n')}\n`,
      ...(on.documents[1] ? [other('last')] : []),
    ];
    const text = documents.join('---\n');
    return { text: on.windows ? text.replaceAll('\n', '\r\n') : text, tag: on.tag };
  });

const CANARY = stringify({
  apiVersion: 'flagger.app/v1beta1',
  kind: 'Canary',
  metadata: { name: 'shop' },
  spec: {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    service: { port: 80 },
    analysis: { interval: '1m', threshold: 5, stepWeight: 10 },
  },
});

const CHAIN: FluxChain = {
  source: {
    kind: 'GitRepository',
    namespace: 'flux-system',
    name: 'fleet',
    url: '',
    suspended: false,
    intervalMs: 60_000,
    verifies: false,
  },
  links: [],
  kustomizations: [
    {
      namespace: 'flux-system',
      name: 'apps',
      path: 'apps',
      suspended: false,
      generation: 1,
      observedGeneration: 1,
      intervalMs: 60_000,
      waits: false,
      targetNamespace: 'prod',
    },
  ],
};

const OBSERVATION: Observation = {
  source: 'read',
  at: 0,
  objects: {},
  targets: {
    'prod/shop': {
      replicaSets: [],
      events: [],
      canary: {
        uid: 'u',
        namespace: 'prod',
        name: 'shop',
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
        flaggerSkewMs: 0,
        analysis: {
          strategy: 'weighted',
          intervalMs: 60_000,
          threshold: 5,
          weights: [10],
          metrics: [],
          webhooks: [],
        },
      },
    },
  },
};

async function planned(files: Readonly<Record<string, string>>, rolloutYaml: string) {
  const parsed = parseRolloutFile(rolloutYaml, { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const planner = new ReleasePlanner({
    rollout: parsed.rollout,
    sourceSha: 'a'.repeat(40),
    builder: BUILDER,
  });
  return await planner.plan({
    files: memoryFiles(files),
    chains: { 'prod/shop': CHAIN },
    observation: OBSERVATION,
    rolloutId: 'shop-1',
  });
}

/** The lines of a file without those that a release means: the image's, and our annotations. */
function unmeant(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .filter(
      line => !/ghcr\.io\/acme\/shop|gated-rollout|^\s*annotations:\s*$|^\s*annotations: \{/.test(line),
    );
}

describe('random folders, random changes', () => {
  test('no line elsewhere is lost, moved or changed', async () => {
    await fc.assert(
      fc.asyncProperty(deployment, tag, async (written, wanted) => {
        const files = { 'apps/shop.yaml': written.text, 'apps/canary.yaml': CANARY };
        const rollout = `target: [prod/shop]\nchange: [{image: ghcr.io/acme/shop, value: "${wanted}"}]\n`;
        const plan = await planned(files, rollout);
        expect(plan.files.map(({ path }) => path)).toEqual(['apps/shop.yaml']);
        const [file] = plan.files;
        const after = file?.text ?? '';
        expect(unmeant(after)).toEqual(unmeant(written.text));
        expect(after).toContain(`ghcr.io/acme/shop:${wanted}`);
        expect(after.includes('\r\n')).toBe(written.text.includes('\r\n'));
        expect(after.split('\r\n').length - 1).toBe(after.includes('\r') ? after.split('\n').length - 1 : 0);
        // Twice the same gives the same bytes; a plan of its own result changes nothing but what it must.
        expect((await planned(files, rollout)).files[0]?.text).toBe(after);
        const again = await planned({ ...files, 'apps/shop.yaml': after }, rollout);
        expect(again.unchanged).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('whatever the files hold, it is a plan or a refusal that says why', async () => {
    const anyFile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.json({ maxDepth: 4 }),
      fc.object().map(value => stringify(value)),
      deployment.map(({ text }) => text),
    );
    await fc.assert(
      fc.asyncProperty(anyFile, anyFile, async (one, other) => {
        const rollout = 'target: [prod/shop]\nchange: [{image: ghcr.io/acme/shop, value: "2"}]\n';
        try {
          await planned({ 'apps/shop.yaml': one, 'apps/canary.yaml': other }, rollout);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          expect(String((error as Refusal).message).length).toBeGreaterThan(10);
        }
      }),
      { numRuns: 40 },
    );
  });
});
