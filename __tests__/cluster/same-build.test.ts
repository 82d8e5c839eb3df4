import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FluxBuilder } from '../../src/build/flux-builder.ts';
import type { Build, VariableSource } from '../../src/build/tree-builder.ts';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { appliedAgain, inventoryId } from './applied-again.ts';
import { CASES, type Case, IGNORE, SETTINGS } from './same-build-cases.ts';
import { memoryFiles } from '../plan/memory-files.ts';
import { type GitFixture, startGitFixture } from '../testbed/git-http-server.ts';

/**
 * What the WebAssembly builds is what the real kustomize-controller applies: it knows the same objects (its inventory),
 * and applying ours in its name would change nothing (a dry run, in which a field that it had and we have not goes, and
 * one that it had not comes). What we say cannot be built, it cannot.
 */
const NAMESPACE = 'same-build';

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
  const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/gitrepositories/cases`;
  while (!statusSchema.parse(await api.send({ path })).status.artifact?.revision.includes(head)) {
    await testbed.processes.check();
    await sleep(200);
  }
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
  return builder.build({
    files,
    kustomization,
    artifact: { ignore: IGNORE },
    substituteFrom: sources,
    strictSubstitution: true,
  });
}

const statusSchema = z.object({
  status: z
    .object({
      artifact: z.object({ revision: z.string() }).optional(),
      lastAppliedRevision: z.string().optional(),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() }))
        .default([]),
      inventory: z.object({ entries: z.array(z.object({ id: z.string(), v: z.string() })) }).optional(),
    })
    .prefault({}),
});

/** Why there is nothing to apply: the folder is not there, or cannot be built. */
const FINAL = ['ArtifactFailed', 'BuildFailed'];

/** The Kustomization's status, once the controller is done with our commit, for good or bad. */
async function theirs(name: string) {
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/kustomizations/${name}`;
  for (;;) {
    await testbed.processes.check();
    const { status } = statusSchema.parse(await testbed.api.send({ path }));
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    const applied = ready?.status === 'True' && status.lastAppliedRevision?.includes(head) === true;
    const refused = ready?.status === 'False' && FINAL.includes(ready.reason);
    if (ready && (applied || refused)) {
      return { ready, ids: (status.inventory?.entries ?? []).map(({ id, v }) => `${id}_${v}`).toSorted() };
    }
    await sleep(500);
  }
}

describe.concurrent('what is built is what kustomize-controller applies', () => {
  test.for(CASES)('$name', async each => {
    const [build, { ready, ids }] = [await ours(each), await theirs(each.name)];
    if (build.kind !== 'built') {
      expect({ kind: build.kind, ready: ready.status }, ready.message).toEqual({
        kind: 'broken',
        ready: 'False',
      });
      return;
    }
    expect(ready.status, ready.message).toBe('True');
    expect(build.unknownVariables).toEqual([]);
    expect(build.objects.map(inventoryId).toSorted()).toEqual(ids);
    const owner = { name: each.name, namespace: NAMESPACE };
    for (const object of build.objects) {
      const { live, again } = await appliedAgain(testbed.api, object, owner);
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
    const owner = { name: each.name, namespace: NAMESPACE };
    const more = await appliedAgain(
      testbed.api,
      { ...object, data: { ...object.data, data: { a: 'x', b: 'y' } } },
      owner,
    );
    const { data: _, ...without } = object.data;
    const less = await appliedAgain(testbed.api, { ...object, data: without }, owner);
    expect(more.again).not.toEqual(more.live);
    expect(less.again).not.toEqual(less.live);
  });
});
