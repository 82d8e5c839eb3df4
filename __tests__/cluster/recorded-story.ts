import { startRecording } from '../../testbed/record.ts';
import type { Testbed } from '../../testbed/start.ts';
import type { RecordedStory, StoryStage } from '../recordings/stories.ts';
import { type Story, storyOfRows } from '../recordings/story-lines.ts';
import { ClusterScenario, FLEET } from './scenario.ts';

/** Runs a story on the real thing and tells what a watch saw. */
export async function recordStory(story: RecordedStory, testbed: Testbed): Promise<Story> {
  const namespace = `story-${story.name}`;
  const change = story.change ?? '{image: ghcr.io/stefanprodan/podinfo}';
  const scenario = await ClusterScenario.start({
    testbed,
    namespace,
    canaries: [story.canary?.(`${testbed.loadtesterUrl}/gate/check`) ?? {}],
    ...(story.files ? { files: story.files } : {}),
    rollout: `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [${change}]\n`,
  });
  const recording = await startRecording({ api: testbed.api, namespace });
  const stage: StoryStage = {
    start: inputs => scenario.start({ inputs }),
    push: (files, message) => scenario.push(files, message),
    waitForPhase: phase => scenario.waitForPhase(phase),
    waitForStatus: (what, holds) =>
      scenario.waitUntil(what, async () => {
        const canary = await scenario.canary();
        return canary !== undefined && holds(canary.status);
      }),
    metric: value => scenario.metric(value),
    openGate: async () => {
      const body = JSON.stringify({ name: 'podinfo', namespace });
      await fetch(`${testbed.loadtesterUrl}/gate/open`, { method: 'POST', body });
    },
  };
  try {
    await story.run(stage);
    return storyOfRows(recording.rows());
  } finally {
    await recording.stop();
    await scenario.end();
  }
}
