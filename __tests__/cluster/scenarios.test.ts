import { afterAll, beforeAll, describe, test } from 'vitest';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { BAD } from './bad.ts';
import { DEMOS } from './demos.ts';
import { FOREIGN } from './foreign.ts';
import { GOOD } from './good.ts';
import { HELM } from './helm.ts';
import { INTERRUPTED } from './interrupted.ts';
import { KNATIVE } from './knative.ts';
import { readRecording, writeRecording } from '../recordings/recordings.ts';
import { STORIES } from '../recordings/stories.ts';
import { firstDifference } from '../recordings/story-lines.ts';
import { recordStory } from './recorded-story.ts';
import { SOURCES } from './sources.ts';
import { runListed, type ScenarioResult } from './listed-scenario.ts';
import { writeVerification } from './verification.ts';

const GROUPS = [
  { heading: 'Demos', list: DEMOS },
  { heading: 'Good releases', list: GOOD },
  { heading: 'Bad releases', list: BAD },
  { heading: 'Interrupted releases', list: INTERRUPTED },
  { heading: 'Workloads of other repositories', list: FOREIGN },
  { heading: 'Releases through Helm', list: HELM },
  { heading: 'Knative Services', list: KNATIVE },
  { heading: 'Sources', list: SOURCES },
];

/** Rollouts that fail or are interrupted take up to twice as long as good ones. */
const LONGEST_FIRST = GROUPS.toSorted((one, other) => rank(one.heading) - rank(other.heading));

function rank(heading: string): number {
  return ['Interrupted releases', 'Bad releases', 'Knative Services'].includes(heading) ? 0 : 1;
}

const results = new Map<string, ScenarioResult>();
let testbed: Testbed;

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
});
afterAll(async () => {
  await testbed?.stop();
  await writeVerification(GROUPS, results);
});

describe.concurrent('the built action on real Flux and Flagger', () => {
  test.for(LONGEST_FIRST.flatMap(({ list }) => list))('$title', async (listed, { expect }) => {
    results.set(listed.key, await runListed(listed, { testbed, expect }));
  });

  test.for(STORIES)('as it was recorded: $name', async (story, { expect }) => {
    const seen = await recordStory(story, testbed);
    if (process.env['RECORD'] !== undefined) await writeRecording(story.name, seen);
    expect(firstDifference(await readRecording(story.name), seen)).toBeUndefined();
  });
});
