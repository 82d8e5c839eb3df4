import type { Expectation } from './expectation.ts';
import { fieldInText } from './text-field.ts';

/** What is live where a value was asked for. */
export interface LiveValue {
  /** As text; undefined = nothing is there. */
  readonly found: string | undefined;
  readonly holds: boolean;
}

/**
 * Looks an expectation up in a pod template (image, env, arg) or in a whole object (field), as the API server shows
 * them. Numbers and booleans compare by their text.
 */
export function liveValue(expectation: Expectation, source: unknown): LiveValue {
  switch (expectation.kind) {
    case 'image':
      return liveImage(expectation, source);
    case 'env':
      return liveEnv(expectation, source);
    case 'arg':
      return liveArg(expectation, source);
    case 'field': {
      const value = valueAt(source, expectation.path);
      const { within } = expectation;
      const meant = within && typeof value === 'string' ? fieldInText(value, within) : value;
      return compare(textOf(meant), expectation.value);
    }
  }
}

interface Container {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function liveImage(expectation: Extract<Expectation, { kind: 'image' }>, template: unknown): LiveValue {
  const images = containersOf(template)
    .filter(container => expectation.container === undefined || container.name === expectation.container)
    .map(container => textOf(container.fields['image']))
    .filter(image => image !== undefined);
  const candidates = images.map(splitImage).filter(image => image.repository === expectation.repository);
  if (candidates.length === 0) return { found: images[0], holds: false };
  const wrong = candidates.find(image => image.version !== expectation.version);
  const shown = wrong ?? candidates[0];
  return { found: shown && join(shown), holds: wrong === undefined };
}

function liveEnv(expectation: Extract<Expectation, { kind: 'env' }>, template: unknown): LiveValue {
  const values = chosen(expectation.container, template)
    .flatMap(container => listOf(container.fields['env']))
    .filter(entry => entry['name'] === expectation.name)
    .map(entry => textOf(entry['value']) ?? '');
  return compare(values.at(-1), expectation.value);
}

function liveArg(expectation: Extract<Expectation, { kind: 'arg' }>, template: unknown): LiveValue {
  const lists = chosen(expectation.container, template).flatMap(container => [
    strings(container.fields['args']),
    strings(container.fields['command']),
  ]);
  for (const list of lists) {
    const found = argIn(list, expectation.name);
    if (found !== undefined) return compare(found, expectation.value);
  }
  return { found: undefined, holds: false };
}

/** `--x=v`, or `--x` followed by `v`; the last one wins, as it does for nearly every flag parser. */
function argIn(list: readonly string[], name: string): string | undefined {
  const values = list.flatMap((item, index) => {
    if (item.startsWith(`${name}=`)) return [item.slice(name.length + 1)];
    const next = list[index + 1];
    return item === name && next !== undefined ? [next] : [];
  });
  return values.at(-1);
}

function compare(found: string | undefined, wanted: string): LiveValue {
  return { found, holds: found === wanted };
}

function chosen(name: string | undefined, template: unknown): readonly Container[] {
  return containersOf(template).filter(container => name === undefined || container.name === name);
}

function containersOf(template: unknown): readonly Container[] {
  const spec = recordOf(recordOf(template)?.['spec']);
  return [...listOf(spec?.['initContainers']), ...listOf(spec?.['containers'])].map(fields => ({
    name: textOf(fields['name']) ?? '',
    fields,
  }));
}

/** Repository and version (`tag`, `sha256:…`, or `tag@sha256:…`) of an image reference. */
export function splitImage(image: string): { readonly repository: string; readonly version: string } {
  const at = image.indexOf('@');
  const named = at < 0 ? image : image.slice(0, at);
  const digest = at < 0 ? '' : image.slice(at + 1);
  // A colon after the last slash separates a tag; before it, a registry's port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? '' : named.slice(colon + 1);
  return { repository, version: [tag, digest].filter(part => part !== '').join('@') };
}

function join(image: { readonly repository: string; readonly version: string }): string {
  if (image.version === '') return image.repository;
  return `${image.repository}${/^[a-z0-9]+:[0-9a-f]{32,}$/.test(image.version) ? '@' : ':'}${image.version}`;
}

function valueAt(source: unknown, path: readonly (string | number)[]): unknown {
  let value = source;
  for (const key of path) {
    if (typeof key === 'number') value = Array.isArray(value) ? value[key] : undefined;
    else value = recordOf(value)?.[key];
  }
  return value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(item => textOf(item) ?? '') : [];
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(recordOf).filter(item => item !== undefined) : [];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
