import { items, type Path, record, text } from '../../build/json.ts';
import type { Change } from '../../config/settings.ts';
import type { Container } from './containers.ts';

export type ValueChange = Extract<Change, { kind: 'env' | 'arg' }>;

interface Found {
  readonly value: string;
  /** What stands before the value in the same string: `--ui-logo=`. */
  readonly before: string;
  /** In the container. */
  readonly field: Path;
  /** What the value comes from, where it is none. */
  readonly indirect?: string;
}

/** A variable or argument of a container, as it is built. */
export function findIn({ data }: Container, change: ValueChange): Found | undefined {
  if (change.kind === 'env') {
    const list = items(data['env']).map(record);
    const index = list.findLastIndex(entry => entry['name'] === change.env);
    const entry = list[index];
    if (!entry) return undefined;
    const [source] = Object.keys(record(entry['valueFrom']));
    return {
      value: text(entry['value']),
      before: '',
      field: ['env', index, 'value'],
      ...(source === undefined ? {} : { indirect: source }),
    };
  }
  for (const list of ['args', 'command'] as const) {
    const strings = items(data[list]).map(text);
    // The last one wins, as it does for nearly every flag parser.
    const joined = strings.findLastIndex(each => each.startsWith(`${change.arg}=`));
    const alone = strings.findLastIndex((each, index) => each === change.arg && index + 1 < strings.length);
    if (joined < 0 && alone < 0) continue;
    if (joined > alone) {
      const before = `${change.arg}=`;
      return { value: (strings[joined] ?? '').slice(before.length), before, field: [list, joined] };
    }
    return { value: strings[alone + 1] ?? '', before: '', field: [list, alone + 1] };
  }
  return undefined;
}
