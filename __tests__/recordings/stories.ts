import { deployment } from '../testbed/podinfo.ts';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import type { RunningAction } from '../../sandbox/runner/run-action.ts';
import { type CanaryOptions, workload, yaml } from '../cluster/folder.ts';

/** What a story acts with, on the sandbox and on the testbed alike. The canary is podinfo, at 6.14.0. */
export interface StoryStage {
  /** Starts the built action for a version of the image. */
  start(inputs: Readonly<Record<string, string>>): Promise<RunningAction>;
  /** A commit of somebody else, and Flux is asked to look. */
  push(files: Files, message: string): Promise<unknown>;
  waitForPhase(phase: string): Promise<void>;
  /** Resolves when the Canary's status holds it. */
  waitForStatus(what: string, holds: (status: StoryStatus) => boolean): Promise<void>;
  /** What the metric says from now on, in per cent. */
  metric(value: number): Promise<void>;
  /** The gate behind the webhook that the story's canary has. */
  openGate(): Promise<void>;
}

export interface StoryStatus {
  readonly phase: string;
  readonly canaryWeight: number;
  readonly lastAppliedSpec: string;
  readonly lastPromotedSpec: string;
}

/** A run that was recorded on the real thing, and that the sandbox must tell in the same words. */
export interface RecordedStory {
  /** Name of the recording, and of the namespace. */
  readonly name: string;
  readonly canary?: (gate: string) => CanaryOptions;
  readonly files?: Files;
  /** `change:` of rollout.yaml; default the image. */
  readonly change?: string;
  readonly run: (stage: StoryStage) => Promise<void>;
}

const release = async (stage: StoryStage, tag = '6.14.1'): Promise<void> => {
  const running = await stage.start({ set: `image=${tag}` });
  await running.done;
  await running.post();
};

const byHand = (stage: StoryStage, tag: string, rolloutId: string): Promise<unknown> =>
  stage.push({ 'apps/deployment.yaml': deployment({ tag, rolloutId }) }, rolloutId);

const restored = (stage: StoryStage): Promise<void> =>
  stage.waitForStatus('the restored revision to be the promoted one', status => {
    return (
      ['Succeeded', 'Failed'].includes(status.phase) && status.lastAppliedSpec === status.lastPromotedSpec
    );
  });

export const STORIES: readonly RecordedStory[] = [
  { name: 'promoted', run: stage => release(stage) },
  {
    name: 'metric-failure',
    run: async stage => {
      await stage.metric(90);
      await release(stage);
      await restored(stage);
    },
  },
  {
    name: 'header-promoted',
    canary: () => ({
      strategy: { iterations: 2, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] },
    }),
    run: stage => release(stage),
  },
  {
    name: 'blue-green-promoted',
    canary: () => ({ provider: 'kubernetes', strategy: { iterations: 2 } }),
    run: stage => release(stage),
  },
  {
    name: 'skip-analysis',
    canary: () => ({ spec: { skipAnalysis: true } }),
    run: stage => release(stage),
  },
  {
    name: 'confirm-promotion-gate-opened',
    canary: gate => ({ webhooks: [{ name: 'approval', type: 'confirm-promotion', url: gate }] }),
    run: async stage => {
      const running = await stage.start({ set: 'image=6.14.1' });
      await stage.waitForPhase('WaitingPromotion');
      await stage.openGate();
      await running.done;
      await running.post();
    },
  },
  {
    name: 'pods-never-ready',
    canary: () => ({ spec: { progressDeadlineSeconds: 15 } }),
    run: async stage => {
      await release(stage, '6.14.1-never-ready');
      await restored(stage);
    },
  },
  {
    name: 'config-map-failure',
    files: {
      'apps/deployment.yaml': workload().replace(
        'image:',
        'envFrom: [{configMapRef: {name: podinfo}}]\n          image:',
      ),
      'apps/config.yaml': yaml({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'podinfo' },
        data: { color: 'blue' },
      }),
    },
    change: '{at: {file: apps/config.yaml, object: ConfigMap/podinfo, path: data.color}, name: color}',
    run: async stage => {
      await stage.metric(90);
      const running = await stage.start({ set: 'color=red' });
      await stage.waitForPhase('Progressing');
      await stage.waitForPhase('Failed');
      await stage.metric(100);
      await running.done;
      await running.post();
      await stage.waitForPhase('Succeeded');
    },
  },
  {
    name: 'superseded',
    run: async stage => {
      const running = await stage.start({ set: 'image=6.14.1' });
      await stage.waitForStatus('weight 25', ({ canaryWeight }) => canaryWeight === 25);
      await byHand(stage, '6.14.9', 'by-hand');
      await running.done;
      await running.post();
      await stage.waitForPhase('Succeeded');
    },
  },
  {
    name: 'failure-after-failure',
    run: async stage => {
      await stage.metric(90);
      await byHand(stage, '6.14.1', 'first');
      await stage.waitForPhase('Failed');
      await byHand(stage, '6.14.2', 'second');
      await stage.waitForPhase('Progressing');
      await stage.waitForPhase('Failed');
    },
  },
  {
    name: 'plain-revert-while-progressing',
    run: async stage => {
      await byHand(stage, '6.14.1', 'first');
      await stage.waitForStatus('weight 25', ({ canaryWeight }) => canaryWeight === 25);
      await byHand(stage, '6.14.0', '0');
      await stage.waitForPhase('Succeeded');
      await stage.waitForPhase('Progressing');
      await stage.waitForPhase('Succeeded');
    },
  },
  {
    name: 'stamped-revert-while-progressing',
    run: async stage => {
      await byHand(stage, '6.14.1', 'first');
      await stage.waitForStatus('weight 25', ({ canaryWeight }) => canaryWeight === 25);
      await byHand(stage, '6.14.0', 'first-revert');
      await stage.waitForPhase('Succeeded');
    },
  },
];
