import { z } from 'zod';
/** What the testbed asks of its supervisor. */
export const supervisorOrder = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('start'),
    name: z.string(),
    command: z.string(),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    /** File that gets stdout and stderr, appended. */
    log: z.string(),
  }),
  z.object({ type: z.literal('kill'), name: z.string() }),
]);
/** What the supervisor tells. */
export const supervisorEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started'), name: z.string(), pid: z.number() }),
  /** `how`: a signal's name, `exit code N`, or why it could not be started. */
  z.object({ type: z.literal('exited'), name: z.string(), how: z.string() }),
]);
