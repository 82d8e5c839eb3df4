import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { withLock } from '../../testbed/lock.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Another process that takes the lock and says so, then holds it for as long as it lives. */
async function holder(name: string): Promise<ChildProcess> {
  const lock = fileURLToPath(new URL('../../testbed/lock.ts', import.meta.url));
  const script = `
    import { withLock } from ${JSON.stringify(lock)};
    await withLock(${JSON.stringify(name)}, {
      onWait: () => {},
      work: () => { console.log('held'); return new Promise(resolve => setTimeout(resolve, 600000)); },
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const text of child.stdout.setEncoding('utf8')) if (String(text).includes('held')) break;
  return child;
}

describe('the lock of the testbed’s build', () => {
  it('is had by one at a time, in this process, too', async () => {
    const name = randomUUID();
    const inside = new Set<number>();
    const waited: number[] = [];
    const most: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map(each =>
        withLock(name, {
          onWait: () => waited.push(each),
          work: async () => {
            inside.add(each);
            most.push(inside.size);
            await new Promise(resolve => setTimeout(resolve, 20));
            inside.delete(each);
          },
        }),
      ),
    );
    expect(most).toEqual([1, 1, 1, 1]);
    expect(waited).toHaveLength(3);
  });

  it('is free again when its holder was killed', async () => {
    const name = randomUUID();
    const child = await holder(name);
    let mayKill = (): void => {};
    const waiting = new Promise<void>(resolve => {
      mayKill = resolve;
    });
    const had = withLock(name, { onWait: () => mayKill(), work: () => Promise.resolve('had') });
    await waiting;
    child.kill('SIGKILL');
    expect(await had).toBe('had');
  });

  it('is given back when the work fails', async () => {
    const name = randomUUID();
    const none = { onWait: () => {} };
    await expect(withLock(name, { ...none, work: () => Promise.reject(new Error('no')) })).rejects.toThrow(
      'no',
    );
    expect(await withLock(name, { ...none, work: () => Promise.resolve(1) })).toBe(1);
  });
});
