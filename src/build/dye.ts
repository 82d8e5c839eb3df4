import { keyOfPlace, type Place } from '../edit/places.ts';
import { type Address, type FileScalar, scalarsOf } from '../edit/scalar-file.ts';
import { record } from './json.ts';

/**
 * Which line sets a field of what is built? Every place that holds the field's value gets a value of its own, a dye of the
 * same shape; the folder is built, and the dye that arrives names the place. Kustomize is asked, and not modelled.
 */
export interface Dye {
  readonly place: Place;
  /** What stands there now. */
  readonly token: string;
  /** What is put there: found again wherever it arrives. */
  readonly value: string | number;
}

/** Where a dye was seen in what was built. */
export interface Arrival {
  readonly dye: Dye;
  /** Index of the object. */
  readonly object: number;
  readonly path: readonly (string | number)[];
}

/** How near to the value itself a place is looked for. */
export type Reach =
  /** The scalar is the value, or ends in it after `:`, `@` or `=`, and is no name by which objects are found. */
  | 'plain'
  /** The value stands anywhere in a text, as a word of its own. */
  | 'wide';

/** Numbers are told by their size; nobody has so many replicas. */
const FIRST_NUMBER = 730_000_000;
/** Keys whose values kustomize finds objects and list items by: another value there builds another tree. */
const NAMES = ['name', 'namespace', 'kind', 'apiVersion', 'op', 'path', 'from', 'group', 'version'];

/** The places of a file in which a token stands. */
export function placesOf(
  file: string,
  content: string,
  tokens: readonly string[],
  reach: Reach,
): readonly Omit<Dye, 'value'>[] {
  const sought = tokens.filter(token => token !== '' && content.includes(token));
  if (sought.length === 0) return [];
  const { scalars } = scalarsOf(file, content);
  // What holds text is dyed in that text.
  const holders = new Set(scalars.flatMap(({ address }) => (address.within ? [holderOf(address)] : [])));
  return scalars.flatMap(scalar => {
    const { address, line } = scalar;
    const isHolder = holders.has(JSON.stringify(address));
    if (reach === 'plain' && NAMES.includes(String(keyOfPlace({ address })))) return [];
    const own = isHolder ? sought.filter(token => token === scalar.value) : sought;
    return own.flatMap(token =>
      spansOf(scalar, token, reach).map(from => ({
        place: { file, address, line, from, to: from + token.length },
        token,
      })),
    );
  });
}

/** The scalar in whose text another one stands. */
function holderOf(address: Address): string {
  const without = ({ within, ...at }: Address): Address =>
    within?.within ? { ...at, within: without(within) } : at;
  return JSON.stringify(without(address));
}

/** Offsets at which a token stands in a scalar. */
function spansOf({ value, reads }: FileScalar, token: string, reach: Reach): readonly number[] {
  if (reads !== 'string') return value === token ? [0] : [];
  const offsets: number[] = [];
  for (let at = value.indexOf(token); at >= 0; at = value.indexOf(token, at + token.length)) {
    const before = value[at - 1] ?? '';
    const after = value[at + token.length] ?? '';
    const isPlain = /^[:@=]?$/.test(before) && (after === '' || (after === '@' && before !== '@'));
    const isWord = !/[\w.-]/.test(before) && !/[\w-]/.test(after);
    if (reach === 'plain' ? isPlain : isWord) offsets.push(at);
  }
  return offsets;
}

export function dyesFor(places: readonly Omit<Dye, 'value'>[], first = 0): readonly Dye[] {
  return places.map((each, index) => ({ ...each, value: dyeLike(each.token, first + index) }));
}

function dyeLike(token: string, index: number): string | number {
  if (/^sha256:[0-9a-f]{64}$/.test(token)) return `sha256:d7e${String(index).padStart(61, '0')}`;
  if (/^-?\d+(?:\.\d+)?$/.test(token)) return FIRST_NUMBER + index;
  return `dye${String(index).padStart(5, '0')}dye`;
}

/** A file with dyes in it. */
export function dyedText(file: string, content: string, dyes: readonly Dye[]): string {
  const all = scalarsOf(file, content);
  const values = new Map(all.scalars.map(({ address, value }) => [JSON.stringify(address), value]));
  const byScalar = Map.groupBy(dyes, ({ place }) => JSON.stringify(place.address));
  return all.replaced(
    [...byScalar].flatMap(([key, [first, ...others]]) =>
      first
        ? [
            {
              address: first.place.address,
              value: spliced(values.get(key) ?? '', [first, ...others]),
              as: 'like-before',
            },
          ]
        : [],
    ),
  );
}

function spliced(text: string, dyes: readonly Dye[]): string {
  return dyes
    .toSorted((one, other) => other.place.from - one.place.from)
    .reduce((now, { place, value }) => `${now.slice(0, place.from)}${value}${now.slice(place.to)}`, text);
}

/** Every field of what was built in which a dye is seen. */
export function arrivalsOf(
  objects: readonly { readonly data: unknown }[],
  dyes: readonly Dye[],
): readonly Arrival[] {
  const byText = new Map(dyes.map(dye => [String(dye.value), dye]));
  const found: Arrival[] = [];
  for (const [object, { data }] of objects.entries()) {
    const isSecret = record(data)['kind'] === 'Secret';
    walk(data, [], (value, path) => {
      for (const word of dyesIn(value, isSecret && path[0] === 'data')) {
        const dye = byText.get(word);
        if (dye) found.push({ dye, object, path });
      }
    });
  }
  return found;
}

const DYES = /dye\d{5}dye|sha256:d7e\d{61}|73\d{7}/g;

function dyesIn(value: unknown, encoded: boolean): readonly string[] {
  if (typeof value !== 'string' && typeof value !== 'number') return [];
  const plain = encoded ? Buffer.from(String(value), 'base64').toString() : String(value);
  return plain.match(DYES) ?? [];
}

function walk(
  value: unknown,
  path: readonly (string | number)[],
  visit: (value: unknown, path: readonly (string | number)[]) => void,
): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, [...path, index], visit);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) walk(item, [...path, key], visit);
  } else {
    visit(value, path);
  }
}

/** The scalar of a place, as one key. */
export function keyOf({ file, address }: Pick<Place, 'file' | 'address'>): string {
  return JSON.stringify([file, address]);
}
