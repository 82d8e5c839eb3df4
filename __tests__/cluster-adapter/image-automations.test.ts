import { sameRepository } from '../../src/gitops/same-repository.ts';
import { describe, expect, it } from 'vitest';
import { changeHold, readAutomations } from '../../src/cluster/image-automations.ts';
import { type KubeClient, KubeError } from '../../src/cluster/kube-client.ts';
import { heldBy } from '../../src/rollout/automation-hold.ts';
import type { SourceView } from '../../src/rollout/observation.ts';
import { ClusterForbidden, type Clock } from '../../src/rollout/ports.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

const SOURCE: SourceView = {
  kind: 'GitRepository',
  namespace: 'flux-system',
  name: 'fleet',
  url: 'https://github.com/acme/fleet',
  branch: 'main',
  suspended: false,
  intervalMs: 60_000,
  verifies: false,
};
const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };
const ours = { repository: { owner: 'acme', repo: 'fleet' }, host: 'github.com' };
const on = { clock, isOurs: (url: string) => sameRepository(url, ours) };

function automation(name: string, spec: object = {}, annotations: object = {}): object {
  return {
    metadata: { name, namespace: 'flux-system', resourceVersion: '7', annotations },
    spec: { sourceRef: { kind: 'GitRepository', name: 'fleet' }, update: { path: './apps/' }, ...spec },
  };
}

/** An API server of a few paths; what it does not know is not served. */
function kubeOf(answers: Readonly<Record<string, unknown>>): KubeClient & { readonly patches: unknown[] } {
  const patches: unknown[] = [];
  const answer = (path: string): Promise<unknown> => {
    const found = answers[path];
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  const conflicts = [new KubeError(409, 'modified')];
  return {
    patches,
    get: answer,
    list: async path => {
      const found = await answer(path);
      if (Array.isArray(found)) return found;
      throw new KubeError(404, 'not found');
    },
    mergePatch: (_, body) => {
      patches.push(body);
      const conflict = conflicts.shift();
      return conflict ? Promise.reject(conflict) : Promise.resolve();
    },
    text: () => Promise.reject(new Error('unused')),
    applyPatch: () => Promise.reject(new Error('unused')),
    watch: () => Promise.reject(new Error('unused')),
    close: () => Promise.resolve(),
  };
}

const V1 = '/apis/image.toolkit.fluxcd.io/v1';
const V1BETA2 = '/apis/image.toolkit.fluxcd.io/v1beta2';

describe('image automations of the repository', () => {
  it('are those whose source names it, by whatever object, with the branch that they push to', async () => {
    const other = { kind: 'GitRepository', name: 'writes', namespace: 'ci' };
    const kube = kubeOf({
      [`${V1}/imageupdateautomations`]: [
        automation('plain'),
        automation('proposes', { git: { push: { branch: 'updates' } } }),
        automation('same-repository', { sourceRef: other }),
        automation('another', { sourceRef: { ...other, name: 'elsewhere' } }),
        automation('gone', { sourceRef: { ...other, name: 'gone' } }),
      ],
      '/apis/source.toolkit.fluxcd.io/v1/namespaces/ci/gitrepositories/writes': {
        metadata: { name: 'writes', namespace: 'ci' },
        spec: { url: 'ssh://git@github.com/acme/fleet.git', ref: { branch: 'main' } },
      },
      '/apis/source.toolkit.fluxcd.io/v1/namespaces/ci/gitrepositories/elsewhere': {
        metadata: { name: 'elsewhere', namespace: 'ci' },
        spec: { url: 'https://github.com/acme/shop' },
      },
    });
    const found = await readAutomations({ ...on, kube }, [SOURCE]);
    expect(found.everywhere).toBe(true);
    expect(found.all.map(({ name, branch, path }) => [name, branch, path])).toEqual([
      ['plain', 'main', 'apps'],
      ['proposes', 'updates', 'apps'],
      ['same-repository', 'main', 'apps'],
    ]);
  });

  it('are read in the version that the cluster serves', async () => {
    const kube = kubeOf({ [`${V1BETA2}/imageupdateautomations`]: [automation('old')] });
    expect((await readAutomations({ ...on, kube }, [SOURCE])).all).toHaveLength(1);
  });

  it('are looked for beside the source where not all namespaces may be listed', async () => {
    const kube = kubeOf({
      [`${V1}/imageupdateautomations`]: new KubeError(403, 'forbidden'),
      [`${V1}/namespaces/flux-system/imageupdateautomations`]: [automation('plain')],
    });
    expect(await readAutomations({ ...on, kube }, [SOURCE])).toMatchObject({
      everywhere: false,
      all: [{ name: 'plain' }],
    });
  });

  it('say which right is missing, or that there are none', async () => {
    const forbidden = new KubeError(403, 'forbidden');
    const kube = kubeOf({
      [`${V1}/imageupdateautomations`]: forbidden,
      [`${V1}/namespaces/flux-system/imageupdateautomations`]: forbidden,
    });
    await expect(readAutomations({ ...on, kube }, [SOURCE])).rejects.toThrow(ClusterForbidden);
    await expect(readAutomations({ ...on, kube }, [SOURCE])).rejects.toThrow('get, list and patch');
    await expect(readAutomations({ ...on, kube: kubeOf({}) }, [SOURCE])).rejects.toThrow(Refusal);
  });
});

describe('a hold', () => {
  const PATH = `${V1}/namespaces/flux-system/imageupdateautomations/plain`;

  it('is decided anew when another has changed the object in between', async () => {
    const kube = kubeOf({ [PATH]: automation('plain') });
    const hold = await changeHold({ ...on, kube }, { namespace: 'flux-system', name: 'plain' }, now =>
      heldBy(now, 'a'),
    );
    expect(hold).toEqual({ suspended: true, heldFor: ['a'], keptFor: [] });
    expect(kube.patches).toEqual([kube.patches[0], kube.patches[0]]);
    expect(kube.patches[0]).toEqual({
      metadata: {
        resourceVersion: '7',
        annotations: { 'gated-rollout/suspended-for': 'a', 'gated-rollout/kept-suspended-for': null },
      },
      spec: { suspend: true },
    });
  });

  it('writes nothing where nothing changes', async () => {
    const kube = kubeOf({ [PATH]: automation('plain', { suspend: true }) });
    await changeHold({ ...on, kube }, { namespace: 'flux-system', name: 'plain' }, now => heldBy(now, 'a'));
    expect(kube.patches).toEqual([]);
  });
});
