import { afterAll, describe, expect, it } from 'vitest';
import { FluxBuilder } from '../../src/build/flux-builder.ts';
import { type TreeOptions, treeGround } from '../../src/flux/tree-ground.ts';
import type { FluxChain } from '../../src/rollout/observation.ts';
import type { TargetRef } from '../../src/rollout/target.ts';
import { memoryFiles } from '../plan/memory-files.ts';

const builder = new FluxBuilder();
afterAll(() => builder.close());

const SHOP: TargetRef = { kind: 'Deployment', namespace: 'prod', name: 'shop' };
const URL_OF_OURS = 'https://github.com/acme/fleet';

const deployment = (name = 'shop', namespace = 'namespace: prod, ') => `apiVersion: apps/v1
kind: Deployment
metadata: {${namespace}name: ${name}}
spec: {template: {spec: {containers: [{name: app, image: 'ghcr.io/acme/shop:1.0.0'}]}}}
`;
const CANARY = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {namespace: prod, name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis: {interval: 30s, threshold: 5, stepWeight: 10, maxWeight: 50}
`;

function kustomization(
  spec: string,
  { name = 'apps', namespace = 'flux-system', source = 'fleet', version = 'v1' } = {},
): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/${version}
kind: Kustomization
metadata: {name: ${name}, namespace: ${namespace}}
spec: {interval: 1m, prune: true, sourceRef: {kind: GitRepository, name: ${source}}${spec === '' ? '' : `, ${spec}`}}
`;
}

function gitRepository(
  ref = '{branch: main}',
  { url = URL_OF_OURS, name = 'fleet', more = '' } = {},
): string {
  return `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: ${name}, namespace: flux-system}
spec: {url: ${url}, interval: 1m, ref: ${ref}${more}}
`;
}

type Files = Readonly<Record<string, string>>;

function ground(files: Files, on: Partial<TreeOptions> = {}, target = SHOP) {
  return treeGround(
    {
      files: memoryFiles(files),
      builder,
      isOurs: url => url === URL_OF_OURS,
      via: undefined,
      branch: undefined,
      repository: 'acme/fleet on github.com',
      cluster: undefined,
      howToChoose: 'Say which.',
      ...on,
    },
    [target],
  );
}

async function chain(files: Files, on: Partial<TreeOptions> = {}, target = SHOP): Promise<FluxChain> {
  const { chains } = await ground(files, on, target);
  const [found] = Object.values(chains);
  if (!found) throw new Error('no chain');
  return found;
}

const way = ({ kustomizations, links }: FluxChain) => [
  ...kustomizations.map(
    ({ namespace, name, path, manifest }) => `${namespace}/${name} ./${path} ${manifest}`,
  ),
  ...links.map(({ kind, view }) => `${kind} ${view.namespace}/${view.name}`),
];

const refused = (files: Files, words: object, on: Partial<TreeOptions> = {}, target = SHOP) =>
  expect(ground(files, on, target)).rejects.toMatchObject(words);

const APPS = {
  'clusters/prod/apps.yaml': kustomization('path: ./apps/prod'),
  'apps/prod/deployment.yaml': deployment(),
  'apps/prod/canary.yaml': CANARY,
};

describe('the chain, by the tree alone', () => {
  it('has the Canary as Flux builds it, and the spec and manifest of each Kustomization', async () => {
    const found = await ground(APPS);
    const [only] = Object.values(found.chains);
    expect(only && way(only)).toEqual(['flux-system/apps ./apps/prod clusters/prod/apps.yaml']);
    expect(only?.kustomizations[0]?.spec).toMatchObject({ path: './apps/prod' });
    expect(found.observation.targets['prod/shop']?.canary?.analysis.weights).toEqual([10, 20, 30, 40, 50]);
  });

  it('goes up to what flux bootstrap wrote', async () => {
    const files = {
      ...APPS,
      'clusters/prod/flux-system/gotk-sync.yaml': `${gitRepository()}---\n${kustomization('path: ./clusters/prod', { name: 'flux-system' })}`,
    };
    const found = await chain(files);
    expect(way(found)).toEqual([
      'flux-system/flux-system ./clusters/prod clusters/prod/flux-system/gotk-sync.yaml',
      'flux-system/apps ./apps/prod clusters/prod/apps.yaml',
    ]);
    expect(found.source).toMatchObject({ url: URL_OF_OURS, branch: 'main' });
  });

  it('takes a Kustomization as its parent builds it', async () => {
    const files = {
      'clusters/prod/sync.yaml': kustomization('path: ./clusters/prod', { name: 'flux-system' }),
      'clusters/prod/kustomization.yaml': 'resources: [sync.yaml, ../base]\npatches: [{path: path.yaml}]\n',
      'clusters/prod/path.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps/prod}\n',
      'clusters/base/kustomization.yaml': 'resources: [apps.yaml]\n',
      'clusters/base/apps.yaml': kustomization('path: ./nowhere'),
      'apps/prod/deployment.yaml': deployment(),
    };
    expect(way(await chain(files))).toEqual([
      'flux-system/flux-system ./clusters/prod clusters/prod/sync.yaml',
      'flux-system/apps ./apps/prod clusters/base/apps.yaml',
    ]);
  });

  it.each([
    ['targetNamespace', 'path: ./apps, targetNamespace: prod', deployment('shop', ''), SHOP],
    ['namePrefix', 'path: ./apps, namePrefix: eu-', deployment(), { ...SHOP, name: 'eu-shop' }],
    ['nameSuffix', 'path: ./apps, nameSuffix: -eu', deployment(), { ...SHOP, name: 'shop-eu' }],
    ['a path with a slash at its end', 'path: apps/', deployment(), SHOP],
    ['no path: the root', '', deployment(), SHOP],
    [
      'patches',
      `path: ./apps, patches: [{target: {kind: Deployment}, patch: '[{"op": "replace", "path": "/metadata/namespace", "value": "prod"}]'}]`,
      deployment('shop', 'namespace: test, '),
      SHOP,
    ],
  ])('builds as the Kustomization says: %s', async (_what, spec, manifest, target) => {
    const files = { 'flux/apps.yaml': kustomization(spec), 'apps/deployment.yaml': manifest };
    expect(way(await chain(files, {}, target))).toHaveLength(1);
  });

  it.each(['v1beta1', 'v1beta2', 'v1'])('reads Kustomizations of %s', async version => {
    const files = { ...APPS, 'clusters/prod/apps.yaml': kustomization('path: ./apps/prod', { version }) };
    expect(way(await chain(files))).toHaveLength(1);
  });

  it('reads JSON, and passes over what is no manifest', async () => {
    const json = JSON.stringify({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'apps', namespace: 'flux-system' },
      spec: { path: './apps/prod', sourceRef: { kind: 'GitRepository', name: 'fleet' } },
    });
    const files = {
      'clusters/prod/apps.json': json,
      'apps/prod/deployment.yaml': deployment(),
      'notes/example.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1beta2\nkind: Kustomization\nmetadata: {name: example}\nspec: {interval: 1m, prune: true}\n',
      'notes/odd.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: odd}\nspec: {path: 5, sourceRef: many}\n',
      'notes/template.yaml':
        '{{- if .Values.flux }}\napiVersion: kustomize.toolkit.fluxcd.io/v1\n{{ end }}\n',
      'notes/source.yaml':
        'apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\n',
    };
    expect(way(await chain(files))).toEqual(['flux-system/apps ./apps/prod clusters/prod/apps.json']);
  });

  it('ends where Kustomizations apply each other', async () => {
    const files = {
      ...APPS,
      'a/b.yaml': kustomization('path: ./b', { name: 'b' }),
      'b/a.yaml': kustomization('path: ./a', { name: 'a' }),
    };
    expect(way(await chain(files))).toHaveLength(1);
  });

  it('leaves out what the artifact leaves out', async () => {
    const ignored = {
      ...APPS,
      'apps/prod/charts/old.yaml': '{{- if .Values.x }}\na: {{ .y }}\n{{- end }}\n',
      '.sourceignore': 'charts/\n',
    };
    expect(way(await chain(ignored))).toHaveLength(1);
    const { '.sourceignore': _, ...unignored } = ignored;
    await refused(unignored, { reason: 'tree-broken' });
    const bySpec = {
      ...unignored,
      'clusters/prod/source.yaml': gitRepository('{branch: main}', { more: ', ignore: charts/' }),
    };
    expect(way(await chain(bySpec))).toHaveLength(1);
  });
});

const CLUSTERS = {
  'clusters/qa/apps.yaml': kustomization('path: ./apps/qa'),
  'clusters/prod/apps.yaml': kustomization('path: ./apps/prod'),
  'apps/base/kustomization.yaml': 'resources: [deployment.yaml]\n',
  'apps/base/deployment.yaml': deployment(),
  'apps/qa/kustomization.yaml': 'resources: [../base]\n',
  'apps/prod/kustomization.yaml': 'resources: [../base]\n',
};
const PROD = ['flux-system/apps ./apps/prod clusters/prod/apps.yaml'];

describe('several clusters in one repository', () => {
  it('are named, with how to choose', () =>
    refused(
      CLUSTERS,
      {
        reason: 'change-ambiguous',
        message:
          'Several clusters build prod/shop: clusters/prod by flux-system/apps (clusters/prod/apps.yaml), clusters/qa by flux-system/apps (clusters/qa/apps.yaml).',
        remedy: 'Say which.',
      },
      {},
      SHOP,
    ));

  it.each(['clusters/prod', './clusters/prod/', 'clusters/prod/apps.yaml'])(
    'one is chosen by %s',
    async cluster => {
      expect(way(await chain(CLUSTERS, { cluster }))).toEqual(PROD);
    },
  );

  it('one that is not there is said to be none of them', () =>
    refused(
      CLUSTERS,
      {
        message: expect.stringContaining('clusters/none (of clusters/prod, clusters/qa)'),
      },
      { cluster: 'clusters/none' },
    ));

  it('one is chosen by the folder that its root applies', async () => {
    const bootstrapped = {
      ...CLUSTERS,
      'flux/prod.yaml': kustomization('path: ./clusters/prod', { name: 'root' }),
      'flux/qa.yaml': kustomization('path: ./clusters/qa', { name: 'root' }),
    };
    const found = await chain(bootstrapped, { cluster: 'clusters/prod' });
    expect(way(found)).toEqual(['flux-system/root ./clusters/prod flux/prod.yaml', ...PROD]);
  });

  it('are several too where one base is patched for each', async () => {
    const root = (name: string) => ({
      [`clusters/${name}/kustomization.yaml`]: `resources: [../base, sync.yaml]\npatches: [{target: {name: apps}, patch: '[{"op": "replace", "path": "/spec/path", "value": "./apps/${name}"}]'}]\n`,
      [`clusters/${name}/sync.yaml`]: kustomization(`path: ./clusters/${name}`, { name: 'flux-system' }),
    });
    const { 'clusters/qa/apps.yaml': _qa, 'clusters/prod/apps.yaml': _prod, ...apps } = CLUSTERS;
    const files = {
      ...apps,
      ...root('qa'),
      ...root('prod'),
      'clusters/base/kustomization.yaml': 'resources: [apps.yaml]\n',
      'clusters/base/apps.yaml': kustomization('path: ./nowhere'),
    };
    await refused(files, {
      message: expect.stringContaining('Several clusters build prod/shop: clusters/prod by'),
    });
    const found = await chain(files, { cluster: 'clusters/prod' });
    expect(found.kustomizations.at(-1)).toMatchObject({
      path: 'apps/prod',
      manifest: 'clusters/base/apps.yaml',
    });
  });
});

describe('via', () => {
  const tenants = {
    'clusters/prod/a.yaml': kustomization('path: ./tenants/a', { namespace: 'team-a' }),
    'clusters/prod/b.yaml': kustomization('path: ./tenants/b', { namespace: 'team-b' }),
    'tenants/a/deployment.yaml': deployment('shop', 'namespace: team-a, '),
    'tenants/b/deployment.yaml': deployment('shop', 'namespace: team-b, '),
  };

  it('knows Kustomizations by namespace and name', async () => {
    const target = { ...SHOP, namespace: 'team-b' };
    const wanted = ['team-b/apps ./tenants/b clusters/prod/b.yaml'];
    expect(way(await chain(tenants, {}, target))).toEqual(wanted);
    const via = { kind: 'Kustomization', namespace: 'team-b', name: 'apps' };
    expect(way(await chain(tenants, { via }, target))).toEqual(wanted);
    await refused(
      tenants,
      {
        reason: 'not-managed',
        message:
          'Kustomization team-a/apps (clusters/prod/a.yaml), which via: in rollout.yaml names, does not build team-b/shop.',
      },
      { via: { ...via, namespace: 'team-a' } },
      target,
    );
  });

  it('that is not there is refused with what is', () =>
    refused(
      APPS,
      {
        reason: 'not-managed',
        message:
          'There is no Kustomization flux-system/other (via) in this repository; there are flux-system/apps (clusters/prod/apps.yaml).',
      },
      { via: { kind: 'Kustomization', namespace: 'flux-system', name: 'other' } },
    ));

  it('chooses of several that build a target', async () => {
    const files = {
      ...APPS,
      'clusters/prod/copy.yaml': kustomization('path: ./apps/prod', { name: 'copy' }),
    };
    await refused(files, {
      reason: 'change-ambiguous',
      message: expect.stringContaining('Several Kustomizations build prod/shop'),
    });
    const found = await chain(files, {
      via: { kind: 'Kustomization', namespace: 'flux-system', name: 'copy' },
    });
    expect(way(found)).toEqual(['flux-system/copy ./apps/prod clusters/prod/copy.yaml']);
  });
});

describe('what the tree does not say', () => {
  it('a folder that nothing reaches', () =>
    refused(
      { ...APPS, 'apps/other/deployment.yaml': deployment('other') },
      {
        reason: 'not-managed',
        message:
          'prod/other is written in apps/other/deployment.yaml, but no Flux Kustomization reaches that file; there are flux-system/apps (clusters/prod/apps.yaml).',
      },
      {},
      { ...SHOP, name: 'other' },
    ));

  it('a folder that is not there', () =>
    refused(
      {
        'clusters/prod/apps.yaml': kustomization('path: ./apps/prod'),
        'apps/production/d.yaml': deployment(),
      },
      {
        reason: 'tree-broken',
        message: expect.stringContaining('flux-system/apps (clusters/prod/apps.yaml)'),
      },
    ));

  it('files of other repositories', () =>
    refused(
      {
        ...APPS,
        'clusters/prod/faces.yaml': `${gitRepository('{branch: main}', { name: 'faces', url: 'https://github.com/other/faces' })}---\n${kustomization('path: ./k8s', { name: 'faces', source: 'faces' })}`,
        'clusters/prod/source.yaml': gitRepository(),
      },
      {
        reason: 'not-managed',
        message: expect.stringContaining(
          'What others build from other sources only the cluster can say: flux-system/faces (clusters/prod/faces.yaml) from https://github.com/other/faces.',
        ),
      },
      {},
      { ...SHOP, name: 'face' },
    ));

  it('a clone of a fork is taken for what Flux follows', async () => {
    const files = {
      ...APPS,
      'clusters/prod/source.yaml': gitRepository('{branch: main}', {
        url: 'https://github.com/upstream/fleet',
      }),
    };
    expect(way(await chain(files, { isOurs: () => false }))).toHaveLength(1);
  });

  it('a HelmRelease of the target’s namespace stands for what its chart makes', async () => {
    const release = (name: string) =>
      `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: ${name}, namespace: prod}\nspec: {interval: 5m, chart: {spec: {chart: ${name}, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}}}\n`;
    const files = {
      'clusters/prod/apps.yaml': kustomization('path: ./apps'),
      'apps/shop.yaml': release('shop'),
      'apps/db.yaml': release('db'),
    };
    expect(way(await chain(files))).toEqual([
      'flux-system/apps ./apps clusters/prod/apps.yaml',
      'HelmRelease prod/shop',
    ]);
    await refused(
      files,
      { message: expect.stringContaining('Several HelmReleases may install prod/front') },
      {},
      { ...SHOP, name: 'front' },
    );
  });
});

describe('sources that a commit does not go through', () => {
  const from = (source: string, ref: string) => ({
    ...APPS,
    'clusters/prod/apps.yaml': kustomization('path: ./apps/prod').replace(
      '{kind: GitRepository, name: fleet}',
      ref,
    ),
    'clusters/prod/source.yaml': source,
  });

  it.each([
    ['{tag: v1}', 'follows the tag v1 and no branch'],
    ["{semver: '>=1.0.0'}", 'follows the tags >=1.0.0 and no branch'],
    ['{name: refs/tags/v1}', 'follows refs/tags/v1 and no branch'],
    [`{commit: ${'c'.repeat(40)}}`, `follows the commit ${'c'.repeat(40)} and no branch`],
  ])('a GitRepository at %s', (ref, words) =>
    refused(
      { ...APPS, 'clusters/prod/source.yaml': gitRepository(ref) },
      { reason: 'wrong-source', message: expect.stringContaining(words) },
    ),
  );

  it('a branch by its whole name is none of these', async () => {
    const files = { ...APPS, 'clusters/prod/source.yaml': gitRepository('{name: refs/heads/main}') };
    expect((await chain(files)).source.branch).toBe('main');
    await refused(
      files,
      { message: expect.stringContaining('follows main, but rollout.yaml says dev') },
      { branch: 'dev' },
    );
  });

  it.each(['OCIRepository', 'Bucket', 'ExternalArtifact'])('%s, by via', kind =>
    refused(
      from('', `{kind: ${kind}, name: fleet}`),
      {
        reason: 'wrong-source',
        message: `prod/shop is applied by Kustomization flux-system/apps, which takes its files from the ${kind} flux-system/fleet; a release is a commit, which only a GitRepository delivers.`,
        remedy: expect.stringContaining('GitRepository'),
      },
      { via: { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' } },
    ),
  );

  const generator = (copy: string, revision = ', revision: "@repo"') => `${gitRepository()}---
apiVersion: source.toolkit.fluxcd.io/v1
kind: ExternalArtifact
metadata: {name: shop, namespace: flux-system}
spec: {sourceRef: {apiVersion: source.extensions.fluxcd.io/v1beta1, kind: ArtifactGenerator, name: apps, namespace: flux-system}}
---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: apps, namespace: flux-system}
spec:
  sources: [{alias: repo, kind: GitRepository, name: fleet}]
  artifacts: [{name: shop${revision}, copy: [${copy}]}]
`;
  const ARTIFACT = '{kind: ExternalArtifact, name: shop}';

  it.each([
    ['{from: "@repo/apps/prod/**", to: "@artifact/"}', 'path: ./'],
    ['{from: "@repo/apps/**", to: "@artifact/"}', 'path: ./prod'],
    ['{from: "@repo/apps/prod/**", to: "@artifact/deploy/"}', 'path: ./deploy'],
    ['{from: "@repo/**", to: "@artifact/"}', 'path: ./apps/prod'],
  ])('an artifact that is generated from our folders is followed: %s, %s', async (copy, path) => {
    const files = from(generator(copy), ARTIFACT);
    const apps = kustomization(path).replace('{kind: GitRepository, name: fleet}', ARTIFACT);
    const found = await chain({ ...files, 'clusters/prod/apps.yaml': apps });
    expect(found.kustomizations.at(-1)).toMatchObject({ path: 'apps/prod', spec: { path: './apps/prod' } });
    expect(found.source).toMatchObject({ kind: 'GitRepository', name: 'fleet', branch: 'main' });
  });

  it('one whose revision is no commit is refused', () =>
    refused(
      from(generator('{from: "@repo/apps/**", to: "@artifact/"}', ''), ARTIFACT),
      {
        reason: 'wrong-source',
        remedy: expect.stringContaining('revision: "@ALIAS"'),
      },
      { via: { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' } },
    ));
});
