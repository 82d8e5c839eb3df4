import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { randomTree } from '../build/random-tree.ts';

/** A folder of a repository, and what a Flux Kustomization says of it. */
export interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly path: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A ConfigMap of variables. */
export const SETTINGS = { tag: '1.9.9', other: 'from the cluster' };
/** spec.ignore of the GitRepository. */
export const IGNORE = '*.md\n/**/never.yaml\n';
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
        `a: "x\${tag}", c: "x\${gone:=d}", e: "$\${tag}", f: "x\${other/from/to}", g: "x\${tag:0:3}"`,
      ),
    },
  },
  {
    name: 'unset-variable',
    path: 'a',
    spec: { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'settings' }] } },
    files: {
      'a/x.yaml': manifest('x').replace(
        'a: b',
        `a: "x\${tag}", b: "x\${gone}", e: "$\${tag}", f: "x\${other/from/to}", g: "x\${tag:0:3}"`,
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
export const CASES: readonly Case[] = [...WRITTEN, ...readdirSync(FIXTURES).flatMap(fixture), ...RANDOM];
