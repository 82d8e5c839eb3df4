import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/runtime/log.ts';

/** What the runner would show: the kind of each line, and its text. */
function logged() {
  const lines: { readonly kind: string; readonly text: string }[] = [];
  const of = (kind: string) => (text: string | Error) => void lines.push({ kind, text: String(text) });
  const log = createLog({
    info: of('info'),
    startGroup: of('group'),
    endGroup: () => {},
    warning: of('warning'),
    error: of('error'),
    debug: of('debug'),
  });
  const count = (kind: string) => lines.filter(line => line.kind === kind).length;
  return { log, lines, count };
}

describe('annotations of a step', () => {
  it('are ten at most; the rest is in the log', () => {
    const { log, lines, count } = logged();
    for (let index = 0; index < 20; index += 1) log.warning(`w${index}`);
    for (let index = 0; index < 20; index += 1) log.error(`e${index}`);
    expect(count('warning') + count('error')).toBe(10);
    expect(lines).toHaveLength(40);
    expect(lines.filter(({ kind }) => kind === 'info')[0]?.text).toBe('warning: w5');
  });

  it('stand at the place in the file, where there is one', () => {
    const places: unknown[] = [];
    const nothing = () => undefined;
    const error = (_text: string | Error, at?: unknown) => void places.push(at);
    const log = createLog({
      info: nothing,
      startGroup: nothing,
      endGroup: nothing,
      warning: nothing,
      error,
      debug: nothing,
    });
    log.error('no such field', { file: 'rollout.yaml', line: 3, column: 5 });
    log.error('nowhere');
    expect(places).toEqual([{ file: 'rollout.yaml', startLine: 3, startColumn: 5 }, undefined]);
  });

  it('leave room for how it ended, however much was warned of', () => {
    const { log, lines } = logged();
    for (let index = 0; index < 100; index += 1) log.warning(`w${index}`);
    log.error('rolled back');
    expect(lines.at(-1)).toEqual({ kind: 'error', text: 'rolled back' });
  });
});
