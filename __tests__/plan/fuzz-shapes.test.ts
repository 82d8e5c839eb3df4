import { structuredPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { formatProblems } from '../../src/config/problem-text.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { planOf } from './planning.ts';

/**
 * Random folders put together from every shape (bases, overlays, components, patches of both kinds, image entries,
 * generators, lists, line ends) and random changes: a plan or a clear refusal; in a plan every line that goes held an old
 * value, every line that comes holds a new one or is ours; and what we found by walking is what kustomize builds.
 */

const NEW = 'new7value';
const word = fc.stringMatching(/^[a-z][a-z0-9]{2,6}$/);
const remark = fc.oneof(
  fc.constant(''),
  word.map(text => ` # ${text}`),
);

interface Shape {
  readonly quote: string;
  readonly remarks: readonly string[];
  readonly windows: boolean;
  readonly list: boolean;
  readonly anchored: boolean;
  /** '' = in the folder itself. */
  readonly base: '' | 'inside' | 'outside';
  readonly prefix: string;
  readonly patches: readonly ('merge' | 'merge-file' | 'operation' | 'no-annotations' | 'others')[];
  readonly entry: 'none' | 'tag' | 'digest' | 'name';
  readonly component: boolean;
  readonly generator: boolean;
  readonly listed: boolean;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  quote: fc.constantFrom('', '"', "'"),
  remarks: fc.array(remark, { minLength: 4, maxLength: 4 }),
  windows: fc.boolean(),
  list: fc.boolean(),
  anchored: fc.boolean(),
  base: fc.constantFrom('', 'inside', 'outside'),
  prefix: fc.constantFrom('', 'eu-'),
  patches: fc.uniqueArray(fc.constantFrom('merge', 'merge-file', 'operation', 'no-annotations', 'others'), {
    maxLength: 3,
  }),
  entry: fc.constantFrom('none', 'tag', 'digest', 'name'),
  component: fc.boolean(),
  generator: fc.boolean(),
  listed: fc.boolean(),
});

const OLD = `sha256:${'0'.repeat(64)}`;

function manifest(name: string, on: Shape): string {
  const [first = '', second = '', third = '', fourth = ''] = on.remarks;
  const { quote: q } = on;
  const anchor = on.anchored ? '&image ' : '';
  const text = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}${first}
  labels: {app: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}}
${on.patches.includes('no-annotations') ? '      annotations: {team: shop}\n' : ''}    spec:
      containers:
      - name: main${second}
        image: ${anchor}${q}ghcr.io/acme/${name}:1.0.0${q}${third}
        args: [--first=x, '--logo=old1', --port, "oldport"]
        env:
        - {name: OTHER, value: "1"}
        - name: MODE
          value: ${q}old2${q}${fourth}
${name === 'shop' ? '        envFrom:\n        - configMapRef: {name: settings}\n' : ''}${on.anchored ? '      initContainers:\n      - {name: migrate, image: *image}\n' : ''}`;
  if (!on.list) return text;
  return `apiVersion: v1\nkind: List\nitems:\n- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;
}

function merging(env: string): string {
  return `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {template: {spec: {containers: [{name: main, env: [{name: MODE, value: ${env}}]}]}}}\n`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}

const PATCHES: Readonly<Record<Shape['patches'][number], string>> = {
  merge: `- patch: |\n${indented(merging('old6'))}`,
  'merge-file': '- path: mode.yaml\n',
  operation: `- target: {kind: Deployment, name: shop}\n  patch: |-\n    - {op: replace, path: /spec/template/spec/containers/0/args/1, value: --logo=old8}\n    # the last word\n`,
  'no-annotations': `- target: {kind: Deployment, labelSelector: app=shop}\n  patch: |\n    - {op: remove, path: /spec/template/metadata/annotations}\n`,
  others: `- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /spec/template/spec/containers/0/args/3, value: oldboth}\n`,
};

function treeOf(on: Shape): Record<string, string> {
  const home = { '': 'apps', inside: 'apps/base', outside: 'base' }[on.base];
  const relative = { '': '', inside: 'base', outside: '../base' }[on.base];
  const files: Record<string, string> = {
    [`${home}/shop.yaml`]: manifest('shop', on),
    [`${home}/other.yaml`]: manifest('other', { ...on, list: false }),
    'apps/canary.yaml': stringify({
      apiVersion: 'flagger.app/v1beta1',
      kind: 'Canary',
      metadata: { name: 'shop' },
      spec: {
        targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: `${on.prefix}shop` },
        service: { port: 80 },
        analysis: { interval: '1m', threshold: 5, stepWeight: 10, maxWeight: 50 },
      },
    }),
  };
  const generator =
    'configMapGenerator:\n- name: settings\n  envs: [shop.env]\n  literals:\n  - LITERAL=old5\n';
  if (on.generator) files[`${home}/shop.env`] = '# read at the start\nINPUT=old4\n';
  if (on.base !== '') {
    files[`${home}/kustomization.yaml`] =
      `resources:\n- shop.yaml\n- other.yaml\n${on.generator ? generator : ''}`;
  }
  const patches = on.patches.map(kind => PATCHES[kind]);
  if (on.patches.includes('merge-file')) files['apps/mode.yaml'] = merging('old7 # in a file');
  const entry = {
    none: '',
    tag: 'images:\n- name: ghcr.io/acme/shop\n  newTag: 1.0.1\n',
    digest: `images:\n- name: ghcr.io/acme/shop\n  digest: ${OLD}\n`,
    name: 'images:\n- name: ghcr.io/acme/shop\n  newName: ghcr.io/acme/store\n  newTag: "1.0.2"\n',
  }[on.entry];
  if (on.component) {
    files['apps/extra/kustomization.yaml'] =
      `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- patch: |\n${indented(merging('old9'))}`;
  }
  files['apps/kustomization.yaml'] =
    `namespace: prod\n${on.prefix === '' ? '' : `namePrefix: ${on.prefix}\n`}resources:\n${on.base === '' ? '- shop.yaml\n- other.yaml\n' : `- ${relative}\n`}- canary.yaml\n${on.component ? 'components: [extra]\n' : ''}${on.generator && on.base === '' ? generator : ''}${patches.length > 0 ? `patches:\n${patches.join('')}` : ''}${entry}`;
  if (!on.windows) return files;
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path, text.replaceAll('\n', '\r\n')]),
  );
}

type Wanted = 'image' | 'env' | 'arg' | 'port' | 'input' | 'literal';

function rolloutOf(on: Shape, wanted: readonly Wanted[], write: string): string {
  const home = { '': 'apps', inside: 'apps/base', outside: 'base' }[on.base];
  const changes = {
    image: `{image: "ghcr.io/acme/${on.entry === 'name' ? 'store' : 'shop'}:${NEW}"}`,
    env: `{env: MODE, value: ${NEW}}`,
    arg: `{arg: --logo, value: ${NEW}}`,
    port: `{arg: --port, value: ${NEW}}`,
    input: `{at: {file: ${home}/shop.env, path: INPUT}, value: ${NEW}}`,
    literal: `{at: {file: ${home}/kustomization.yaml, path: configMapGenerator.settings.LITERAL}, value: ${NEW}}`,
  };
  const list = wanted.map(each => {
    const change = changes[each];
    return each === 'image' || each === 'input' || each === 'literal'
      ? change
      : change.replace('{', '{container: main, ');
  });
  return `target: [prod/${on.prefix}shop]\n${write}change: [${list.join(', ')}]\n`;
}

const release = fc.record({
  on: shape,
  wanted: fc.uniqueArray(fc.constantFrom<Wanted>('image', 'env', 'arg', 'port', 'input', 'literal'), {
    minLength: 1,
    maxLength: 3,
  }),
  write: fc.constantFrom('', 'write: base\n', 'write: overlay\n'),
});

/** Lines that a release may take away: each held a value that was asked to change. */
const OLD_LINE = new RegExp(`old[a-z0-9]|1\\.0\\.\\d|${OLD}|annotations: \\{team`);
/** Lines that it may bring: a new value, our annotations, or an entry or patch of ours and the keys above it. */
const NEW_LINE = new RegExp(
  `${NEW}|gated-rollout|annotations:|^patches:|^images:|^- path: eu-|^- path: shop-|^  target:|^    (?:kind|name): |^- name: ghcr`,
);

async function outcome(files: Readonly<Record<string, string>>, rollout: string) {
  try {
    return await planOf(files, rollout);
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return error as Refusal;
  }
}

describe('random folders of every shape', () => {
  test('a line that goes held an old value, a line that comes holds a new one', async () => {
    let planned = 0;
    await fc.assert(
      fc.asyncProperty(release, async ({ on, wanted, write }) => {
        const files = treeOf(on);
        const plan = await outcome(files, rolloutOf(on, wanted, write));
        if (plan instanceof Refusal) {
          expect(plan.message.length).toBeGreaterThan(20);
          expect(plan.remedy).toBeDefined();
          return;
        }
        planned += 1;
        for (const { path, before, text } of plan.files) {
          if (before === null) continue;
          const { hunks } = structuredPatch('', '', before.text, text, undefined, undefined, { context: 0 });
          for (const line of hunks.flatMap(hunk => hunk.lines)) {
            if (line.startsWith('-')) expect(line, path).toMatch(OLD_LINE);
            if (line.startsWith('+')) expect(line.slice(1), path).toMatch(NEW_LINE);
          }
          expect(text.includes('\r\n'), path).toBe(on.windows);
          if (on.windows) expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        }
        const written = Object.fromEntries(plan.files.map(file => [file.path, file.text]));
        const again = await outcome({ ...files, ...written }, rolloutOf(on, wanted, write));
        expect(again).toMatchObject({ unchanged: true });
      }),
      { numRuns: 25 },
    );
    expect(planned).toBeGreaterThan(8);
  });
});

describe('random rollout.yaml', () => {
  const scalar = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.constant(''), fc.string());
  const at = fc.record(
    {
      file: scalar,
      object: fc.oneof(scalar, fc.constant('ConfigMap/x')),
      path: fc.oneof(scalar, fc.constant('a[0].b["c.d"]')),
    },
    { requiredKeys: [] },
  );
  const change = fc.record(
    {
      image: fc.oneof(scalar, fc.constant('ghcr.io/acme/shop:2')),
      env: fc.oneof(scalar, fc.constant('MODE')),
      arg: fc.oneof(scalar, fc.constant('--logo')),
      at: fc.oneof(scalar, at),
      value: fc.oneof(scalar, fc.object({ maxDepth: 1 })),
      container: scalar,
      in: fc.oneof(scalar, fc.constant('prod/shop')),
    },
    { requiredKeys: [] },
  );
  const file = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc.json({ maxDepth: 3 }),
    fc
      .record(
        {
          name: scalar,
          target: fc.oneof(
            scalar,
            fc.constant('prod/shop'),
            fc.array(fc.oneof(scalar, fc.constant('prod/shop'))),
          ),
          change: fc.oneof(scalar, fc.array(change, { maxLength: 3 })),
          write: fc.oneof(scalar, fc.constantFrom('base', 'overlay')),
          canary: fc.oneof(
            scalar,
            fc.dictionary(fc.oneof(word, fc.constant('prod/shop')), fc.object({ maxDepth: 2 })),
          ),
          barrier: scalar,
          via: scalar,
        },
        { requiredKeys: [] },
      )
      .map(value => stringify(value)),
    fc
      .record({ target: fc.constant('prod/shop'), change: fc.array(change, { minLength: 1 }) })
      .map(value => stringify(value)),
  );

  test('is read, or said to be wrong in words; what is read becomes a plan or a refusal', async () => {
    const files = treeOf({
      quote: '',
      remarks: ['', '', '', ''],
      windows: false,
      list: false,
      anchored: false,
      base: '',
      prefix: '',
      patches: [],
      entry: 'none',
      component: false,
      generator: true,
      listed: true,
    });
    await fc.assert(
      fc.asyncProperty(file, async yaml => {
        const parsed = parseRolloutFile(yaml, { file: 'rollout.yaml', set: [] });
        if ('problems' in parsed) {
          expect(parsed.problems.length).toBeGreaterThan(0);
          for (const problem of parsed.problems) {
            expect(formatProblems([problem])).toMatch(/^rollout\.yaml:\d+:\d+: \S.*: .*Allowed: \S/);
          }
          return;
        }
        await outcome(files, yaml);
      }),
      { numRuns: 300 },
    );
  });
});
