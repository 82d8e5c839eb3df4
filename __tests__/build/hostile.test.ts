import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, builder, configMap } from './building.ts';

/**
 * One line in a kustomization of the tree, in every spelling that kustomize understands, that would read a file of this
 * machine, ask a server, have Git do either, or run a program. None of it may be touched. Whether the build fails is
 * kustomize's business; in what it gives, the file's content must not be.
 */
const scratch = mkdtempSync(join(tmpdir(), 'hostile-'));
const SECRET = 'canary-file-content';
const canary = join(scratch, 'canary');
const marker = join(scratch, 'marker');
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  response.end(configMap('fetched', { fetched: 'canary-server-content' }));
});
let address = '';

beforeAll(async () => {
  writeFileSync(canary, `${SECRET}=1\n`);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port }: AddressInfo = server.address() as AddressInfo;
  address = `127.0.0.1:${port}`;
});

afterAll(async () => {
  await builder.close();
  server.close();
  rmSync(scratch, { recursive: true });
});

/** What a line may name, by how it would be got at. */
const WAYS = {
  file: () => canary,
  climbing: () => `../../../../../../../../../../..${canary}`,
  fileUrl: () => `file://${canary}`,
  shoutedFileUrl: () => `FILE://${canary}`,
  http: () => `http://${address}/a.yaml`,
  shoutedHttp: () => `HTTP://${address}/a.yaml`,
  gitHttp: () => `git::http://${address}/a/b.git?ref=main`,
  gitHttpPlain: () => `http://${address}/a/b.git//sub?ref=main`,
  gitFile: () => `file://${scratch}/repo.git?ref=main`,
  exec: () => `file:///nowhere?ref=--upload-pack=touch%20${marker}%3B`,
  shoutedExec: () => `FILE:///nowhere?ref=--upload-pack=touch%20${marker}%3B`,
  ssh: () => `ssh://-oProxyCommand=touch%20${marker}/x.git?ref=main`,
} satisfies Record<string, () => string>;

const plugin = (kind: string, body: string) =>
  `- |\n${`apiVersion: builtin\nkind: ${kind}\nmetadata: {name: p}\n${body}`.replace(/^/gm, '  ')}`;

/** Lines of a kustomization that name it. */
const SPELLINGS: Readonly<Record<string, (named: string) => string>> = {
  resources: named => `resources: [a.yaml, ${named}]`,
  bases: named => `bases: [${named}]`,
  Bases: named => `Bases: [${named}]`,
  bAses: named => `bAses: [${named}]`,
  'merge key': named => `<<: {bases: [${named}]}`,
  'merge key to an anchor': named => `x: &x {resources: [${named}]}\n<<: *x`,
  'merge list': named => `<<: [{components: [${named}]}]`,
  escaped: named => `"\\u0062ases": [${named}]`,
  components: named => `components: [${named}]`,
  patches: named => `patches: [{path: ${named}}]`,
  patchesStrategicMerge: named => `patchesStrategicMerge: [${named}]`,
  patchesJson6902: named =>
    `patchesJson6902: [{target: {version: v1, kind: ConfigMap, name: a}, path: ${named}}]`,
  crds: named => `crds: [${named}]`,
  configurations: named => `configurations: [${named}]`,
  openapi: named => `openapi: {path: ${named}}`,
  replacements: named => `replacements: [{path: ${named}}]`,
  generators: named => `generators: [${named}]`,
  transformers: named => `transformers: [${named}]`,
  validators: named => `validators: [${named}]`,
  'generated from files': named => `configMapGenerator: [{name: g, files: [${named}]}]`,
  'generated from a named file': named =>
    `ConfigMapGenerator: [{name: g, Files: [${named.replace(/^"/, '"s=')}]}]`,
  'generated from env': named => `configmapgenerator: [{name: g, envs: [${named}]}]`,
  'generated secret': named => `secretGenerator: [{name: g, env: ${named}}]`,
  'inline generator': named => `generators:\n${plugin('ConfigMapGenerator', `files: [${named}]`)}`,
  'inline generator of a Secret': named => `generators:\n${plugin('SecretGenerator', `envs: [${named}]`)}`,
  'inline transformer': named => `transformers:\n${plugin('PatchTransformer', `path: ${named}`)}`,
  'inline replacement': named =>
    `transformers:\n${plugin('ReplacementTransformer', `replacements: [{path: ${named}}]`)}`,
  'inline validator': named => `validators:\n${plugin('PatchTransformer', `path: ${named}`)}`,
  'inline exec function': named =>
    `transformers:\n- |\n  apiVersion: acme.io/v1\n  kind: Run\n  metadata:\n    name: p\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: ${named}}\n`,
  'inline container function': named =>
    `generators:\n- |\n  apiVersion: acme.io/v1\n  kind: Run\n  metadata:\n    name: p\n    annotations:\n      config.kubernetes.io/function: |\n        container: {image: ${named}, network: true}\n`,
  helmCharts: named =>
    `helmCharts: [{name: x, repo: ${named}, version: 1.0.0, valuesFile: ${named}}]\nhelmGlobals: {chartHome: ${named}}`,
  helmChartInflationGenerator: named =>
    `helmChartInflationGenerator: [{chartName: x, chartRepoUrl: ${named}, values: ${named}, helmBin: ${named}}]`,
  'second document': named => `resources: [a.yaml]\n---\nbases: [${named}]`,
};

async function hurt(line: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const tree = { 'apps/kustomization.yaml': `${line}\n`, 'apps/a.yaml': configMap('a'), ...more };
  const result = await build(tree, { path: './apps' });
  if (result.kind !== 'built') expect(result.words).toMatch(/\S/);
  return JSON.stringify(result);
}

function untouched(said: string): void {
  expect(said).not.toContain(SECRET);
  expect(Buffer.from(said).toString()).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 16));
  expect(said).not.toContain('canary-server-content');
  expect(asked).toEqual([]);
  expect(existsSync(marker)).toBe(false);
}

describe.each(Object.entries(SPELLINGS))('%s', (_, spelling) => {
  test.each(Object.entries(WAYS))('%s', async (_way, named) => {
    untouched(await hurt(spelling(JSON.stringify(named()))));
  });
});

test('in a base that the folder names, and in a generated kustomization', async () => {
  const line = `Bases: [${JSON.stringify(WAYS.exec())}]`;
  untouched(await hurt('resources: [base]', { 'apps/base/kustomization.yaml': line }));
  const generated = await build(
    { 'apps/a.yaml': configMap('a'), 'apps/sub/kustomization.yaml': line },
    { path: 'apps' },
  );
  untouched(JSON.stringify(generated));
});

test.each(['components', 'resources', 'bases'])('in the Flux Kustomization’s %s', async field => {
  for (const named of Object.values(WAYS)) {
    const result = await build({ 'apps/a.yaml': configMap('a') }, { path: './apps', [field]: [named()] });
    untouched(JSON.stringify(result));
  }
});

test.each(['/etc', '../../..', '/proc/self', '../artifact/apps/..'])(
  'a Flux path of %s stays in the repository',
  async path => {
    untouched(JSON.stringify(await build({ 'apps/a.yaml': configMap('a') }, { path })));
  },
);

test('what would have to be fetched is named', async () => {
  const named = `https://github.com/acme/fleet//base?ref=v1`;
  for (const line of [`resources: ["${named}"]`, `bAses: ["${named}"]`]) {
    expect(await hurt(line)).toMatch(/"unsupported".*https:\/\/github\.com\/acme\/fleet/);
  }
});

/** The corpus is worth nothing if none of it bites: kubectl, on a runner, does what it says. */
const kubectl = (() => {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!kubectl)('with kubectl on the runner instead, a program runs and a file is read', () => {
  const folder = join(scratch, 'bait', 'apps');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const run = () => {
    try {
      const args = ['kustomize', folder, '--load-restrictor', 'LoadRestrictionsNone'];
      return execFileSync('kubectl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return '';
    }
  };
  write('a.yaml', configMap('a'));
  write('kustomization.yaml', `bAses: [${JSON.stringify(WAYS.exec())}]\n`);
  run();
  const ran = existsSync(marker);
  rmSync(marker, { force: true });
  write('kustomization.yaml', `${SPELLINGS['inline generator']?.(JSON.stringify(`s=${canary}`)) ?? ''}\n`);
  const said = run();
  expect({ ran, read: said.includes(SECRET) }).toEqual({ ran: true, read: true });
});
