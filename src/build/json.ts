/** Plain data of unknown shape, as YAML and JSON give it. */

export type Fields = Readonly<Record<string, unknown>>;

export type Path = readonly (string | number)[];

/** The value as a map; an empty one where it is none. */
export function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A string or a number as text; '' for anything else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (typeof key === 'number') return Array.isArray(at) ? at[key] : undefined;
    return typeof at === 'object' && at !== null && !Array.isArray(at) ? record(at)[key] : undefined;
  }, value);
}
