import { describe, it } from 'vitest';
import { numberAt, textAt } from '../../sandbox/cluster/kube-object.ts';
import type { KubeObject } from '../../sandbox/cluster/kube-object.ts';
import { FLEET, Sandbox } from '../../sandbox/sandbox.ts';
import { canaryRow, kustomizationRow } from '../../testbed/record-rows.ts';
import { folder } from '../cluster/folder.ts';
import { readRecording } from './recordings.ts';
import { type RecordedStory, STORIES, type StoryStage } from './stories.ts';
import { firstDifference, type Story, StoryRecorder } from './story-lines.ts';

/** The sandbox's Flux and Flagger against what the real ones did, step by step. */
describe.concurrent('the sandbox tells the stories that were recorded on the real control plane', () => {
  it.for(STORIES)('$name', async (story, { expect }) => {
    const [recorded, seen] = await Promise.all([readRecording(story.name), tellOnSandbox(story)]);
    expect(firstDifference(recorded, seen)).toBeUndefined();
  });
});

const NAMESPACE = 'prod';

async function tellOnSandbox(story: RecordedStory): Promise<Story> {
  let gate: ReturnType<Sandbox['cluster']['gate']> | undefined;
  const change = story.change ?? '{image: ghcr.io/stefanprodan/podinfo}';
  const sandbox = await Sandbox.start({
    rate: 10,
    kustomizationSpec: `  targetNamespace: ${NAMESPACE}\n`,
    rollout: `gitops: {repository: ${FLEET}}\ntarget: [${NAMESPACE}/podinfo]\nchange: [${change}]\n`,
    files: cluster => {
      gate = cluster.gate('approval');
      return {
        'apps/kustomization.yaml': null,
        ...folder({
          namespace: NAMESPACE,
          server: 'http://prometheus',
          canaries: [story.canary?.(gate.url) ?? {}],
        }),
        ...story.files,
      };
    },
  });
  sandbox.cluster.neverReady('ghcr.io/stefanprodan/podinfo:6.14.1-never-ready');
  const recorder = new StoryRecorder();
  const take = (object: KubeObject | undefined): void => {
    if (object?.kind === 'Canary') recorder.canaryStatus(canaryRow(object));
    if (object?.kind === 'Kustomization') recorder.applied(kustomizationRow(object));
  };
  take(sandbox.cluster.get('Canary', NAMESPACE, 'podinfo'));
  take(sandbox.cluster.get('Kustomization', 'flux-system', 'apps'));
  sandbox.cluster.onChange(({ object }) => take(object));
  try {
    await story.run(stageOf(sandbox, () => gate?.open()));
    return recorder.story;
  } finally {
    await sandbox.close();
  }
}

function stageOf(sandbox: Sandbox, openGate: () => void): StoryStage {
  const status = () => {
    const canary = sandbox.cluster.get('Canary', NAMESPACE, 'podinfo');
    return {
      phase: textAt(canary, 'status', 'phase'),
      canaryWeight: numberAt(canary, 'status', 'canaryWeight') ?? 0,
      lastAppliedSpec: textAt(canary, 'status', 'lastAppliedSpec'),
      lastPromotedSpec: textAt(canary, 'status', 'lastPromotedSpec'),
    };
  };
  return {
    start: inputs => sandbox.start({ inputs }),
    push: async (files, message) => {
      await sandbox.github.push(FLEET, { files, message });
      const source = { kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' };
      const requested = { 'reconcile.fluxcd.io/requestedAt': message };
      sandbox.cluster.patch(source, { metadata: { annotations: requested } });
    },
    waitForPhase: phase => sandbox.waitForPhase(phase),
    waitForStatus: (what, holds) => sandbox.cluster.waitUntil(what, () => holds(status())),
    metric: value => {
      sandbox.cluster.setMetric(`${NAMESPACE}/podinfo`, 'success', value);
      return Promise.resolve();
    },
    openGate: () => {
      openGate();
      return Promise.resolve();
    },
  };
}
