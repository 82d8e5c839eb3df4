import { describe, expect, it } from 'vitest';
import { createOnce } from '../../src/github/create-once.ts';

/** A thing that GitHub makes again for each POST, and whose answers are scheduled. */
function world(answers: readonly ('well' | 'lost-before' | 'lost-after' | 'forbidden')[]) {
  const made: number[] = [];
  const left = [...answers];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
  const failed = (status: number, headers?: object) => {
    const error = Object.assign(new Error('no'), { status, ...(headers ? { response: { headers } } : {}) });
    error.name = 'HttpError';
    return error;
  };
  const create = async () => {
    const answer = left.shift() ?? 'well';
    if (answer === 'forbidden') throw failed(403, {});
    if (answer !== 'lost-before') made.push(made.length + 1);
    if (answer !== 'well') throw failed(500);
    return made.length;
  };
  return { made, client: { clock, random: () => 0.5 }, create, find: async () => made.at(0) };
}

describe('createOnce', () => {
  it.each([
    [['well'], 'made'],
    [['lost-before'], 'made'],
    [['lost-after'], 'found'],
    [['lost-before', 'lost-after'], 'found'],
  ] as const)('%j: there is one of it', async (answers, how) => {
    const { made, client, create, find } = world(answers);
    expect(await createOnce(client, { create, find, budgetMs: 60_000 })).toEqual({ how, made: 1 });
    expect(made).toEqual([1]);
  });

  it('gives up where sending again would not help', async () => {
    const { made, client, create, find } = world(['forbidden']);
    await expect(createOnce(client, { create, find, budgetMs: 60_000 })).rejects.toThrow('no');
    expect(made).toEqual([]);
  });
});
