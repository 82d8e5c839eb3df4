import { afterAll, describe, expect, test } from 'vitest';
import { build, builder, configMap, deployment, names, objects } from './building.ts';

afterAll(() => builder.close());

const image = (data: unknown) => /"image":"([^"]*)"/.exec(JSON.stringify(data))?.[1];

describe('the kustomization that Flux generates where there is none', () => {
  test('takes every manifest below, and folders with a kustomization as one', async () => {
    const tree = {
      'apps/a.yaml': deployment('a'),
      'apps/deep/er/b.yml': deployment('b'),
      'apps/notes.txt': 'no manifest',
      'apps/values.json': configMap('not-taken'),
      'apps/own/kustomization.yaml': 'namePrefix: own-\nresources: [c.yaml]\n',
      'apps/own/c.yaml': deployment('c'),
      'apps/own/left-out.yaml': deployment('left-out'),
      'other/d.yaml': deployment('d'),
    };
    expect(names(await objects(tree, { path: './apps' }))).toEqual([
      'Deployment a',
      'Deployment b',
      'Deployment own-c',
    ]);
  });

  test('of an empty folder is no error', async () => {
    expect(await objects({ 'apps/README.md': 'soon' }, { path: 'apps' })).toEqual([]);
  });

  test('reads several documents, lists and JSON', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse(configMap('x')), JSON.parse(configMap('y'))],
    });
    const tree = {
      'apps/two.yaml': `${deployment('a')}---\n# nothing\n---\n${deployment('b')}`,
      'apps/list.yaml': list,
    };
    expect(names(await objects(tree, { path: './apps' }))).toEqual([
      'ConfigMap x',
      'ConfigMap y',
      'Deployment a',
      'Deployment b',
    ]);
  });
});

describe('what the Flux Kustomization adds', () => {
  test('patches, images, components, prefix, suffix, namespace and metadata, in Flux’s order', async () => {
    const tree = {
      'apps/kustomization.yaml':
        'resources: [a.yaml, c.json]\nimages: [{name: ghcr.io/acme/a, newName: mirror.local/a}]\n',
      'apps/a.yaml': deployment('a'),
      'apps/c.json': configMap('c'),
      'components/replicas/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n',
      'components/replicas/p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 7}\n',
    };
    const [config, workload] = (
      await objects(tree, {
        path: './apps',
        namePrefix: 'pre-',
        nameSuffix: '-post',
        targetNamespace: 'prod',
        components: ['../components/replicas'],
        images: [{ name: 'ghcr.io/acme/a', newTag: '2.0.0' }],
        patches: [
          {
            target: { kind: 'Deployment' },
            patch: '- {op: add, path: /spec/paused, value: true}',
          },
        ],
        commonMetadata: { labels: { team: 'x' }, annotations: { note: 'y' } },
      })
    ).toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
    expect(workload?.data).toMatchObject({
      metadata: { name: 'pre-a-post', namespace: 'prod', labels: { team: 'x' }, annotations: { note: 'y' } },
      spec: { replicas: 7, paused: true },
    });
    expect(image(workload?.data)).toBe('mirror.local/a:2.0.0');
    expect(config?.data).toMatchObject({ metadata: { labels: { team: 'x' } } });
  });

  test('a component that may be missing', async () => {
    const tree = { 'apps/a.yaml': deployment('a') };
    const spec = { path: './apps', components: ['../nowhere'] };
    expect(await build(tree, spec)).toMatchObject({ kind: 'broken' });
    expect(await objects(tree, { ...spec, ignoreMissingComponents: true })).toHaveLength(1);
  });
});

describe('kustomize itself', () => {
  test('names the file that an object stands in, and, when asked, what changed it', async () => {
    const tree = {
      'apps/prod/kustomization.yaml':
        'resources: [../base]\nimages: [{name: ghcr.io/acme/a, newTag: 2.0.0}]\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n',
      'apps/base/kustomization.yaml': 'resources: [a.yaml]\n',
      'apps/base/a.yaml': deployment('a'),
    };
    const found = await objects(tree, { path: './apps/prod' }, { explain: true });
    const workload = found.find(({ kind }) => kind === 'Deployment');
    expect(workload?.origin).toEqual({ path: 'apps/base/a.yaml' });
    expect(workload?.transformers).toContainEqual({
      configuredIn: 'apps/prod/kustomization.yaml',
      configuredBy: { kind: 'ImageTagTransformer' },
    });
    expect(workload?.data).not.toHaveProperty('metadata.annotations');
    expect(found.find(({ kind }) => kind === 'ConfigMap')?.origin).toEqual({
      configuredIn: 'apps/prod/kustomization.yaml',
      configuredBy: { kind: 'ConfigMapGenerator' },
    });
  });

  test('leaves its notes on the objects where the folder asks for them', async () => {
    const tree = {
      'apps/kustomization.yaml': 'resources: [a.yaml]\nbuildMetadata: [originAnnotations]\n',
      'apps/a.yaml': deployment('a'),
    };
    const [object] = await objects(tree, { path: './apps' }, { explain: true });
    expect(object?.data).toMatchObject({
      metadata: { annotations: { 'config.kubernetes.io/origin': 'path: a.yaml\n' } },
    });
    expect(JSON.stringify(object?.data)).not.toContain('alpha.config.kubernetes.io');
  });

  test('has replacements, generators that merge, JSON and old patches, transformers in files', async () => {
    const tree = {
      'apps/kustomization.yaml': `resources: [base]
configMapGenerator: [{name: env, behavior: merge, literals: [TAG=2.0.0]}]
replacements:
- source: {kind: ConfigMap, name: env, fieldPath: data.TAG}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [spec.template.spec.containers.0.image]
    options: {delimiter: ':', index: 1}
patchesJson6902:
- target: {group: apps, version: v1, kind: Deployment, name: a}
  patch: '[{"op": "add", "path": "/spec/replicas", "value": 2}]'
transformers: [prefix.yaml]
`,
      'apps/prefix.yaml':
        'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: x-\nfieldSpecs: [{path: metadata/name, kind: Deployment}]\n',
      'apps/base/kustomization.yaml':
        'resources: [a.yaml]\nconfigMapGenerator: [{name: env, literals: [TAG=1.0.0, OTHER=c]}]\n',
      'apps/base/a.yaml': deployment('a'),
    };
    const found = await objects(tree, { path: './apps' });
    expect(names(found).map(name => name.replace(/-\w{10}$/, '-HASH'))).toEqual([
      'ConfigMap env-HASH',
      'Deployment x-a',
    ]);
    const workload = found.find(({ kind }) => kind === 'Deployment');
    expect(image(workload?.data)).toBe('ghcr.io/acme/a:2.0.0');
    expect(workload?.data).toMatchObject({ spec: { replicas: 2 } });
  });

  test('a schema of one tree is not there for the next', async () => {
    const schema = JSON.stringify({
      definitions: {
        'v1.Thing': {
          type: 'object',
          properties: {
            items: {
              type: 'array',
              items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
              'x-kubernetes-patch-merge-key': 'name',
              'x-kubernetes-patch-strategy': 'merge',
            },
          },
          'x-kubernetes-group-version-kind': [{ group: 'acme.io', kind: 'Thing', version: 'v1' }],
        },
      },
    });
    const thing = (items: string) =>
      `apiVersion: acme.io/v1\nkind: Thing\nmetadata: {name: t}\nitems: [${items}]\n`;
    const tree = {
      'apps/kustomization.yaml': 'resources: [t.yaml]\npatches: [{path: p.yaml}]\n',
      'apps/t.yaml': thing('{name: a, value: "1"}, {name: b, value: "2"}'),
      'apps/p.yaml': thing('{name: a, value: "3"}'),
    };
    const without = await objects(tree, { path: './apps' });
    const withSchema = await objects(
      {
        ...tree,
        'apps/schema.json': schema,
        'apps/kustomization.yaml': `${tree['apps/kustomization.yaml']}openapi: {path: schema.json}\n`,
      },
      { path: './apps' },
    );
    const again = await objects({ ...tree, 'apps/more.txt': '' }, { path: './apps' });
    expect(withSchema[0]?.data['items']).toHaveLength(2);
    expect(without[0]?.data['items']).toHaveLength(1);
    expect(again).toEqual(without);
  });

  test('a SOPS file passes through, encrypted and unvalidated', async () => {
    const secret = `apiVersion: v1
kind: Secret
metadata: {name: creds}
stringData: {password: "ENC[AES256_GCM,data:abc=,iv:def=,tag:ghi=,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:x=,type:str]", version: 3.9.0}
`;
    const [object] = await objects(
      { 'apps/s.yaml': secret },
      { path: './apps', decryption: { provider: 'sops' } },
    );
    expect(object?.data).toMatchObject({
      stringData: { password: expect.stringMatching(/^ENC\[AES256_GCM,data:abc=/) },
      sops: { version: '3.9.0' },
    });
  });
});
