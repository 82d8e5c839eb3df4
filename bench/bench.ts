import { statSync } from 'node:fs';
import { ENTRY } from '../sandbox/sandbox.ts';
import type { Budget } from './budget.ts';
import { planTimes, sizeOfProgram } from './builds.ts';
import { requestsOfLargeFolder, requestsOfLongRollout, requestsOfRevert } from './requests.ts';
import { startRatio } from './start.ts';

/** `npm run bench`: size, start, requests and builds, against the budgets. Times are compared within one run only. */
const budgets: readonly Budget[] = [
  { what: 'size of dist/index.js', measured: statSync(ENTRY).size / 1e6, limit: 2.2, unit: 'MB' },
  sizeOfProgram(),
  await startRatio(),
  ...planTimes(),
  ...(await requestsOfRevert()),
  await requestsOfLongRollout(),
  await requestsOfLargeFolder(),
];
let over = 0;
for (const { what, measured, limit, unit } of budgets) {
  const holds = measured <= limit;
  if (!holds) over += 1;
  console.log(
    `${holds ? 'ok  ' : 'OVER'} ${what}: ${Number(measured.toFixed(2))} ${unit} (at most ${limit})`,
  );
}
process.exitCode = over === 0 ? 0 : 1;
