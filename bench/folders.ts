import { canary, deployment } from '../sandbox/podinfo.ts';

export type Folder = Readonly<Record<string, string>>;

export const MANIFESTS = 1_000;

/** A folder of so many manifests, podinfo's among them, in folders of a hundred. */
export function thousandManifests(): Record<string, string> {
  const others = Array.from({ length: MANIFESTS }, (_, index) => {
    const name = `other-${index}`;
    const text = deployment({ name, tag: '1.0.0' });
    return [`apps/${Math.floor(index / 100)}/${name}.yaml`, text] as const;
  });
  const all = Object.fromEntries(others);
  const resources = [
    ...Object.keys(all).map(path => path.slice('apps/'.length)),
    'deployment.yaml',
    'canary.yaml',
  ];
  return {
    ...all,
    'apps/deployment.yaml': deployment(),
    'apps/canary.yaml': canary(),
    'apps/kustomization.yaml': `resources:\n${resources.map(path => `- ${path}\n`).join('')}`,
  };
}

/** podinfo alone. */
export function smallFolder(): Folder {
  return {
    'apps/deployment.yaml': deployment(),
    'apps/canary.yaml': canary(),
    'apps/kustomization.yaml': 'resources: [deployment.yaml, canary.yaml]\n',
  };
}

const APPS = 149;

/** 600 files, 150 objects: a base and an overlay with a patch and an image entry for each, as fleets have them. */
export function overlays(): Folder {
  const each = Array.from({ length: APPS }, (_, index) => {
    const name = `app-${index}`;
    return {
      [`base/${name}/deployment.yaml`]: deployment({ name, tag: '1.0.0' }),
      [`base/${name}/kustomization.yaml`]: 'resources: [deployment.yaml]\n',
      [`apps/${name}/patch.yaml`]: `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: prod}\nspec: {replicas: 3}\n`,
      [`apps/${name}/kustomization.yaml`]: `resources: [../../base/${name}]\npatches: [{path: patch.yaml}]\nimages: [{name: ghcr.io/stefanprodan/podinfo, newTag: 1.1.0}]\n`,
    };
  });
  const resources = [
    'deployment.yaml',
    'canary.yaml',
    ...Array.from({ length: APPS }, (_, index) => `app-${index}`),
  ];
  return {
    ...Object.assign({}, ...each),
    ...smallFolder(),
    'apps/kustomization.yaml': `resources:\n${resources.map(path => `- ${path}\n`).join('')}`,
  };
}
