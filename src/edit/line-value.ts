import type { LineFormat } from '../rollout/key-lines.ts';
import { Refusal } from '../rollout/verdict.ts';

/**
 * A value as a line `KEY=value` holds it.
 * @throws Refusal where it cannot: the value is to blame, not the file.
 */
export function writtenInLine(
  value: string,
  on: { readonly path: string; readonly format: LineFormat; readonly key: string },
): string {
  if (on.format === 'properties') {
    return value
      .replace(/\\/g, '\\\\')
      .replace(/[\n\r\t\f]/g, sign => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[sign] ?? '\\f')
      .replace(/^[ =:]/, sign => `\\${sign}`);
  }
  if (!/[\n\r\0]/.test(value)) return value;
  throw new Refusal(
    'bad-config',
    `The value given for ${on.key} has several lines (or characters that no line can hold); a line of ${on.path} holds one.`,
    { remedy: 'Give a value of one line, or keep it in a YAML file.' },
  );
}
