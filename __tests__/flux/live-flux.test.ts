import { describe, expect, it } from 'vitest';
import { type KubeClient, KubeError } from '../../src/cluster/kube-client.ts';
import { LiveFlux } from '../../src/cluster/live-flux.ts';
import { checkSource } from '../../src/flux/sources.ts';
import { traceChain } from '../../src/flux/trace-chain.ts';
import type { FluxChain } from '../../src/rollout/observation.ts';

const TARGET = { kind: 'Deployment', namespace: 'prod', name: 'shop' } as const;
const SOURCES = '/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system';
const labels = (kind: 'helm' | 'kustomize', name: string, namespace = 'flux-system') => ({
  [`${kind}.toolkit.fluxcd.io/name`]: name,
  [`${kind}.toolkit.fluxcd.io/namespace`]: namespace,
});

const GIT = {
  metadata: { name: 'fleet', namespace: 'flux-system' },
  spec: { url: 'https://github.com/acme/fleet', interval: '1m', ref: { branch: 'main' } },
};
const kustomization = (sourceRef: object, path = './prod') => ({
  metadata: { name: 'apps', namespace: 'flux-system' },
  spec: { path, interval: '1m', sourceRef },
});

/** An API server that has only these objects; a number is a status. */
function kube(objects: Readonly<Record<string, unknown>>): KubeClient {
  const never = () => Promise.reject(new Error('not asked for'));
  return {
    get: path => {
      const found = objects[path];
      return typeof found === 'number'
        ? Promise.reject(new KubeError(found, `${path} is forbidden`))
        : Promise.resolve(found);
    },
    list: never,
    watch: never,
    mergePatch: never,
    text: never,
    applyPatch: never,
    close: () => Promise.resolve(),
  };
}

async function trace(objects: Readonly<Record<string, unknown>>): Promise<FluxChain> {
  const isOurs = ({ url }: { readonly url: string }) => url === GIT.spec.url;
  const live = new LiveFlux(kube({ [`${SOURCES}/gitrepositories/fleet`]: GIT, ...objects }));
  const chain = await traceChain(live, { target: TARGET, via: undefined, isOurs });
  await checkSource('prod/shop', chain, {
    repository: 'acme/fleet on github.com',
    isOurs,
    branch: undefined,
  });
  return chain;
}

const APPLIED = {
  '/apis/apps/v1/namespaces/prod/deployments/shop': {
    metadata: { name: 'shop', namespace: 'prod', labels: labels('kustomize', 'apps') },
  },
};
const APPS = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps';

describe('an artifact that source-watcher makes', () => {
  const generator = (spec: object) => ({
    [APPS]: kustomization({ kind: 'ExternalArtifact', name: 'shop' }),
    [`${SOURCES}/externalartifacts/shop`]: {
      spec: {
        sourceRef: {
          apiVersion: 'source.extensions.fluxcd.io/v1beta1',
          kind: 'ArtifactGenerator',
          name: 'apps',
          namespace: 'flux-system',
        },
      },
    },
    '/apis/source.extensions.fluxcd.io/v1beta1/namespaces/flux-system/artifactgenerators/apps': {
      metadata: { name: 'apps', namespace: 'flux-system' },
      spec: { sources: [{ alias: 'repo', kind: 'GitRepository', name: 'fleet' }], ...spec },
    },
  });
  const copy = [{ from: '@repo/apps/**', to: '@artifact/' }];

  it('of our folders, under the revision of our GitRepository, is followed', async () => {
    const chain = await trace({
      ...APPLIED,
      ...generator({ artifacts: [{ name: 'shop', revision: '@repo', copy }] }),
    });
    expect(chain.source).toMatchObject({ kind: 'GitRepository', name: 'fleet', branch: 'main' });
    expect(chain.kustomizations[0]).toMatchObject({
      path: 'apps/prod',
      spec: {
        path: './apps/prod',
        sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' },
      },
    });
  });

  it.each([
    ['that has a digest for its revision', { artifacts: [{ name: 'shop', copy }] }],
    [
      'under the revision of something else',
      {
        sources: [{ alias: 'repo', kind: 'OCIRepository', name: 'fleet' }],
        artifacts: [{ name: 'shop', revision: '@repo', copy }],
      },
    ],
  ])('%s is refused, with what to do', async (_what, spec) => {
    await expect(trace({ ...APPLIED, ...generator(spec) })).rejects.toMatchObject({
      reason: 'wrong-source',
      message: expect.stringContaining('takes its files from the ExternalArtifact flux-system/shop'),
      remedy: expect.stringContaining('revision: "@ALIAS"'),
    });
  });

  it.each([
    [[{ from: '@repo/other/**', to: '@artifact/other/' }]],
    [[...copy, { from: '@repo/overrides/**', to: '@artifact/' }]],
    [[...copy, { from: '@theirs/prod/**', to: '@artifact/prod/' }]],
    [[{ from: '@repo/apps/*.yaml', to: '@artifact/' }]],
    [[{ from: '@repo/apps/**', to: '@artifact/', exclude: ['*.md'] }]],
  ])('of which it cannot be told where a file comes from is refused: %j', async copies => {
    const artifacts = [{ name: 'shop', revision: '@repo', copy: copies }];
    await expect(trace({ ...APPLIED, ...generator({ artifacts }) })).rejects.toMatchObject({
      reason: 'wrong-source',
      message: expect.stringContaining(
        'does not copy ./prod of the artifact shop as a whole folder of fleet',
      ),
    });
  });
});

describe('a chart by chartRef', () => {
  const objects = (chart: unknown) => ({
    '/apis/apps/v1/namespaces/prod/deployments/shop': {
      metadata: { name: 'shop', namespace: 'prod', labels: labels('helm', 'shop', 'prod') },
    },
    '/apis/helm.toolkit.fluxcd.io/v2/namespaces/prod/helmreleases/shop': {
      metadata: { name: 'shop', namespace: 'prod', labels: labels('kustomize', 'apps') },
      spec: { interval: '5m', chartRef: { kind: 'OCIRepository', name: 'chart' } },
    },
    [APPS]: kustomization({ kind: 'GitRepository', name: 'fleet' }),
    '/apis/source.toolkit.fluxcd.io/v1/namespaces/prod/ocirepositories/chart': chart,
  });
  const OCI = {
    metadata: { name: 'chart', namespace: 'prod', generation: 1 },
    spec: { url: 'oci://ghcr.io/acme/charts/shop', interval: '5m' },
    status: { observedGeneration: 1, artifact: { revision: `1.0.0@sha256:${'a'.repeat(64)}` } },
  };

  it('is looked at where it may be read, and nothing else depends on it', async () => {
    const [link] = (await trace(objects(OCI))).links;
    expect(link).toMatchObject({
      kind: 'HelmRelease',
      chartSource: {
        name: 'chart',
        upToDate: true,
        artifact: { tag: '1.0.0', digest: `sha256:${'a'.repeat(64)}` },
      },
    });
    for (const missing of [403, undefined]) {
      expect((await trace(objects(missing))).links[0]).not.toHaveProperty('chartSource');
    }
  });
});
