import { afterAll, expect, test } from 'vitest';
import { FluxBuilder } from '../../src/build/flux-builder.ts';
import type { Build } from '../../src/build/tree-builder.ts';
import { memoryFiles } from '../plan/memory-files.ts';

const builder = new FluxBuilder();
afterAll(() => builder.close());

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - {name: shop, image: ghcr.io/acme/shop:1.0.0}
`;

function built(build: Build) {
  if (build.kind !== 'built') throw new Error(`${build.kind}: ${build.words}`);
  return build;
}

test('a folder with a base outside of it, built as the Flux Kustomization says', async () => {
  const files = memoryFiles({
    'apps/prod/kustomization.yaml':
      'resources: [../base]\nimages: [{name: ghcr.io/acme/shop, newTag: 1.1.0}]\n',
    'apps/base/kustomization.yaml': 'resources: [deployment.yaml]\n',
    'apps/base/deployment.yaml': DEPLOYMENT,
    'apps/other/secret.yaml': 'nobody asks for this',
  });
  const build = built(
    await builder.build({ files, kustomization: { spec: { path: './apps/prod', targetNamespace: 'prod' } } }),
  );
  expect(build.reached).toEqual([
    'apps/base/deployment.yaml',
    'apps/base/kustomization.yaml',
    'apps/prod/kustomization.yaml',
  ]);
  expect(build.objects).toHaveLength(1);
  const [object] = build.objects;
  expect(object).toMatchObject({ kind: 'Deployment', namespace: 'prod', name: 'shop' });
  expect(JSON.stringify(object?.data)).toContain('ghcr.io/acme/shop:1.1.0');
  expect(object?.data).not.toHaveProperty('metadata.annotations');
});
