import { afterAll, beforeAll, describe, test } from 'vitest';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { DISRUPTED } from './disrupted.ts';
import { runListed, type ScenarioResult } from './listed-scenario.ts';
import { writeVerification } from './verification.ts';

const results = new Map<string, ScenarioResult>();
let testbed: Testbed;

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
});
afterAll(async () => {
  await testbed?.stop();
  await writeVerification([{ heading: 'The control plane disturbed', list: DISRUPTED }], results);
});

describe('the built action, while the control plane is disturbed', () => {
  test.for(DISRUPTED)('$title', async (listed, { expect }) => {
    results.set(listed.key, await runListed(listed, { testbed, expect }));
  });
});
