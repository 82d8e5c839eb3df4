import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FluxBuilder } from '../../src/build/flux-builder.ts';
import type { Build, BuiltObject, VariableSource } from '../../src/build/tree-builder.ts';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { randomTree } from '../build/random-tree.ts';
import { memoryFiles } from '../plan/memory-files.ts';
import { type GitFixture, startGitFixture } from '../testbed/git-http-server.ts';

/**
 * What the WebAssembly builds is what the real kustomize-controller applies: it knows the same objects (its inventory),
 * and applying ours in its name would change nothing (a dry run, in which a field that it had and we have not goes, and
 * one that it had not comes). What we say cannot be built, it cannot.
 */
interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly path: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

const NAMESPACE = 'same-build';
const SETTINGS = { tag: '1.9.9', other: 'from the cluster' };
const IGNORE = '*.md\n/**/never.yaml\n';
/** Flagger would scale what a Canary names. */
const NO_CANARY = {
  target: { kind: 'Canary' },
  patch: '{$patch: delete, apiVersion: flagger.app/v1beta1, kind: Canary, metadata: {name: x}}',
};

const FIXTURES = fileURLToPath(new URL('../plan/fixtures', import.meta.url));
const PATHS: Readonly<Record<string, readonly string[]>> = {
  'base-written': ['prod', 'staging'],
  components: ['clusters/prod'],
  nested: ['clusters/prod'],
};

function fixture(shape: string): readonly Case[] {
  const root = join(FIXTURES, shape, 'tree');
  const all = readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  const files = Object.fromEntries(
    all.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(root, path), readFileSync(path, 'utf8')];
    }),
  );
  const folders =
    PATHS[shape] ??
    ['apps', 'prod', 'clusters']
      .filter(folder => Object.keys(files).some(path => path.startsWith(`${folder}/`)))
      .slice(0, 1);
  return folders.map(path => ({
    name: `fixture-${shape}-${path.replace('/', '-')}`,
    files,
    path,
    spec: { patches: [NO_CANARY] },
  }));
}

const manifest = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: b}\n`;
const WRITTEN: readonly Case[] = [
  {
    name: 'ignored-everywhere',
    path: 'a',
    spec: {},
    files: {
      'a/x.yaml': manifest('x'),
      'a/never.yaml': 'broken: [',
      'a/b/.sourceignore': 'y.yaml\n!never.yaml\n',
      'a/b/y.yaml': 'broken: [',
      'a/b/z.yaml': manifest('z'),
    },
  },
  { name: 'nothing', path: 'a', spec: {}, files: { 'a/README.md': 'soon' } },
  { name: 'no-folder', path: 'elsewhere', spec: {}, files: { 'a/x.yaml': manifest('x') } },
  {
    name: 'no-file',
    path: 'a',
    spec: {},
    files: { 'a/kustomization.yaml': 'resources: [x.yaml, gone.yaml]', 'a/x.yaml': manifest('x') },
  },
  { name: 'outside', path: 'a', spec: {}, files: { 'a/kustomization.yaml': 'resources: [../../../../etc]' } },
  { name: 'not-yaml', path: 'a', spec: {}, files: { 'a/x.yaml': 'kind: [' } },
  { name: 'not-kubernetes', path: 'a', spec: {}, files: { 'a/x.yaml': 'just: words' } },
  { name: 'twice', path: 'a', spec: {}, files: { 'a/x.yaml': manifest('x'), 'a/y.yaml': manifest('x') } },
  {
    name: 'marked',
    path: 'a',
    spec: { postBuild: { substitute: { tag: '1' } } },
    files: {
      'a/x.yaml': manifest('x')
        .replace('{name: x}', '{name: x, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}')
        .replace('a: b', `a: "\${tag}"`),
    },
  },
  {
    name: 'bad-variable',
    path: 'a',
    spec: { postBuild: { substitute: { 'a-b': '1' } } },
    files: { 'a/x.yaml': manifest('x') },
  },
  {
    name: 'bad-expression',
    path: 'a',
    spec: { postBuild: { substitute: { a: '1' } } },
    files: { 'a/x.yaml': manifest('x').replace('a: b', `a: "\${a"`) },
  },
  {
    name: 'expressions',
    path: 'a',
    spec: { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'settings' }] } },
    files: {
      'a/x.yaml': manifest('x').replace(
        'a: b',
        `a: "x\${tag}", b: "x\${gone}", c: "x\${gone:=d}", e: "$\${tag}", f: "x\${other/from/to}", g: "x\${tag:0:3}"`,
      ),
    },
  },
  {
    name: 'optional-source',
    path: 'a',
    spec: { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'gone', optional: true }] } },
    files: { 'a/x.yaml': manifest('x') },
  },
  {
    name: 'missing-component',
    path: 'a',
    spec: { components: ['../gone'] },
    files: { 'a/x.yaml': manifest('x') },
  },
  {
    name: 'schema-of-its-own',
    path: 'a',
    spec: {},
    files: {
      'a/kustomization.yaml': 'resources: [x.yaml]\nopenapi: {path: s.json}\n',
      'a/s.json': '{"definitions": {}}',
      'a/x.yaml': manifest('x'),
    },
  },
];

const RANDOM: readonly Case[] = fc
  .sample(randomTree, { numRuns: 30, seed: 20261126 })
  .map((tree, index) => ({ ...tree, name: `random-${index}` }));
const CASES: readonly Case[] = [...WRITTEN, ...readdirSync(FIXTURES).flatMap(fixture), ...RANDOM];

let testbed: Testbed;
let git: GitFixture;
let head = '';
const builder = new FluxBuilder();
const repository = Object.fromEntries(
  CASES.flatMap(({ name, files }) => Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
);
const files = memoryFiles(repository);

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
  git = await startGitFixture();
  head = await git.commit('All cases', repository);
  const { api } = testbed;
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await api.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: NAMESPACE },
    data: SETTINGS,
  });
  await api.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'cases', namespace: NAMESPACE },
    spec: { url: git.url, ref: { branch: 'main' }, interval: '10m', ignore: IGNORE },
  });
  for (const each of CASES) {
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: each.name } });
    await api.apply({ ...kustomizationOf(each), metadata: { name: each.name, namespace: NAMESPACE } });
  }
});
afterAll(async () => {
  await builder.close();
  await git?.close();
  await testbed?.stop();
});

function kustomizationOf({ name, path, spec }: Case) {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    spec: {
      sourceRef: { kind: 'GitRepository', name: 'cases' },
      path: `./${name}/${path}`,
      prune: true,
      interval: '10m',
      retryInterval: '10m',
      targetNamespace: name,
      ...spec,
    },
  };
}

const sources: readonly VariableSource[] = [
  { kind: 'ConfigMap', name: 'settings', content: { kind: 'data', data: SETTINGS } },
  { kind: 'Secret', name: 'gone', content: { kind: 'absent' } },
];

function ours(each: Case): Promise<Build> {
  const kustomization = { ...kustomizationOf(each), metadata: { name: each.name, namespace: NAMESPACE } };
  return builder.build({ files, kustomization, artifact: { ignore: IGNORE }, substituteFrom: sources });
}

const statusSchema = z.object({
  status: z
    .object({
      lastAttemptedRevision: z.string().optional(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() }))
        .default([]),
      inventory: z.object({ entries: z.array(z.object({ id: z.string(), v: z.string() })) }).optional(),
    })
    .prefault({}),
});

/** The Kustomization's status, once the controller is done with our commit, for good or bad. */
async function theirs(name: string) {
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/kustomizations/${name}`;
  for (;;) {
    await testbed.processes.check();
    const { status } = statusSchema.parse(await testbed.api.send({ path }));
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    const known = status.lastAttemptedRevision?.includes(head) === true || ready?.reason === 'ArtifactFailed';
    if (ready && ready.status !== 'Unknown' && ready.reason !== 'DependencyNotReady' && known) {
      return { ready, ids: (status.inventory?.entries ?? []).map(({ id, v }) => `${id}_${v}`).toSorted() };
    }
    await sleep(500);
  }
}

/** fluxcd/pkg/ssa: namespace_name_group_kind, and the version beside it. */
function id({ apiVersion, kind, namespace = '', name }: BuiltObject): string {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  return `${namespace}_${name}_${group}_${kind}_${version}`;
}

const plurals = new Map<string, Promise<string>>();
const resourcesSchema = z.object({ resources: z.array(z.object({ name: z.string(), kind: z.string() })) });

async function pathOf({ apiVersion, kind, namespace, name }: BuiltObject): Promise<string> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const key = `${apiVersion}/${kind}`;
  const plural = plurals.get(key) ?? findPlural(root, kind);
  plurals.set(key, plural);
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${await plural}/${name}`;
}

async function findPlural(root: string, kind: string): Promise<string> {
  const { resources } = resourcesSchema.parse(await testbed.api.send({ path: root }));
  const found = resources.find(each => each.kind === kind && !each.name.includes('/'));
  if (!found) throw new Error(`no ${kind} in ${root}`);
  return found.name;
}

const liveSchema = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }),
});

/** The object as it is, and as it would be if our build of it were applied in the controller's name. */
async function appliedAgain(object: BuiltObject, owner: string) {
  const path = await pathOf(object);
  const live = liveSchema.parse(await testbed.api.send({ path }));
  const metadata = z
    .looseObject({ labels: z.record(z.string(), z.string()).nullish() })
    .parse(object.data['metadata']);
  const owned = {
    'kustomize.toolkit.fluxcd.io/name': owner,
    'kustomize.toolkit.fluxcd.io/namespace': NAMESPACE,
  };
  const body = { ...object.data, metadata: { ...metadata, labels: { ...metadata.labels, ...owned } } };
  const again = liveSchema.parse(
    await testbed.api.send({
      method: 'PATCH',
      path: `${path}?dryRun=All&force=true&fieldManager=kustomize-controller`,
      contentType: 'application/apply-patch+yaml',
      body,
    }),
  );
  return { live: comparable(live), again: comparable(again) };
}

function comparable({ metadata, ...rest }: z.infer<typeof liveSchema>) {
  const { managedFields, resourceVersion, ...kept } = metadata;
  return { ...rest, metadata: kept, managedFields: fieldsOf(managedFields) };
}

/** What kustomize-controller set, without the time at which it did. */
function fieldsOf(managed: unknown): unknown {
  const entries = z
    .array(z.looseObject({ manager: z.string(), fieldsV1: z.unknown(), subresource: z.string().optional() }))
    .parse(managed);
  return entries
    .filter(({ manager, subresource }) => manager === 'kustomize-controller' && subresource === undefined)
    .map(({ fieldsV1 }) => fieldsV1);
}

describe.concurrent('what is built is what kustomize-controller applies', () => {
  test.for(CASES)('$name', async each => {
    const [build, { ready, ids }] = [await ours(each), await theirs(each.name)];
    if (build.kind !== 'built') {
      expect({ kind: build.kind, ready: ready.status }, ready.message).toEqual({
        kind: 'broken',
        ready: 'False',
      });
      expect(['BuildFailed', 'ArtifactFailed']).toContain(ready.reason);
      return;
    }
    expect(ready.status, ready.message).toBe('True');
    expect(build.unknownVariables).toEqual([]);
    expect(build.objects.map(id).toSorted()).toEqual(ids);
    for (const object of build.objects) {
      const { live, again } = await appliedAgain(object, each.name);
      expect(again).toEqual(live);
    }
  });

  test('a field too many, or too few, would be seen', async () => {
    const each = CASES.find(({ name }) => name === 'marked');
    if (!each) throw new Error('the case is gone');
    await theirs(each.name);
    const build = await ours(each);
    const [object] = build.kind === 'built' ? build.objects : [];
    if (!object) throw new Error('nothing was built');
    const more = await appliedAgain(
      { ...object, data: { ...object.data, data: { a: 'x', b: 'y' } } },
      each.name,
    );
    const { data: _, ...without } = object.data;
    const less = await appliedAgain({ ...object, data: without }, each.name);
    expect(more.again).not.toEqual(more.live);
    expect(less.again).not.toEqual(less.live);
  });
});
