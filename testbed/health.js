import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { TestbedError } from './testbed-error.js';
const limitMs = 60_000;
/**
 * Asks every 50 ms until the answer is true; an error counts as "not yet". `alive` is asked in between and ends the wait
 * by throwing.
 *
 * @throws TestbedError after a minute, with the last error as its cause.
 */
export async function waitUntil(what, isTrue, alive = async () => {}) {
  const end = Date.now() + limitMs;
  let last;
  while (Date.now() < end) {
    await alive();
    try {
      if (await isTrue()) return;
    } catch (cause) {
      last = cause;
    }
    await sleep(50);
  }
  throw new TestbedError(`Waited ${limitMs / 1000} s in vain until ${what}.`, { cause: last });
}
/** Whether a plain HTTP health endpoint answers 200. */
export async function isHealthy(url) {
  const answer = await request(url);
  await answer.body.dump();
  return answer.statusCode === 200;
}
const withConditions = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
});
/** Whether a Kubernetes object's condition of this type is True. */
export function hasCondition(object, type) {
  const parsed = withConditions.safeParse(object);
  return (
    parsed.success && parsed.data.status.conditions.some(each => each.type === type && each.status === 'True')
  );
}
