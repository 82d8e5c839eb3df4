import type { Expectation } from './expectation.ts';
import { type HelmLink, liveChart } from './live-chart.ts';
import type { Observation, TargetView } from './observation.ts';
import { fieldInText } from './text-field.ts';

/** What is live where a value was asked for. */
export interface LiveValue {
  /** As text; undefined = nothing is there. */
  readonly found: string | undefined;
  readonly holds: boolean;
}

/** Where in an observation an expectation is looked up. */
export function sourceOf(
  expectation: Expectation,
  on: { readonly view: TargetView | undefined; readonly objects: Observation['objects'] },
): unknown {
  if (expectation.kind === 'field') return on.objects[objectKey(expectation.object)];
  if (expectation.kind === 'secret') {
    return expectation.written && on.objects[objectKey(expectation.written.object)];
  }
  if (expectation.kind !== 'chart') return on.view?.target?.template;
  return helmLinkOf(on.view, expectation.release);
}

function isHelmLink(source: unknown): source is HelmLink {
  return recordOf(source)?.['kind'] === 'HelmRelease';
}

/** The HelmRelease that brings a target. */
export function helmLinkOf(
  view: TargetView | undefined,
  release: { readonly namespace: string; readonly name: string },
): HelmLink | undefined {
  return view?.flux?.links.find(
    (link): link is HelmLink =>
      link.kind === 'HelmRelease' &&
      link.view.namespace === release.namespace &&
      link.view.name === release.name,
  );
}

/** The key of an object in Observation.objects. */
export function objectKey(object: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  return `${object.kind} ${object.namespace ?? ''}/${object.name}`;
}

/**
 * Looks an expectation up in a pod template (image, env, arg), in a whole object (field), as the API server shows
 * them, or in what is known of a HelmRelease (chart) or a Secret. Numbers and booleans compare by their text.
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
    case 'chart':
      return liveChart(expectation.version, isHelmLink(source) ? source : undefined);
    case 'secret':
      return liveSecret(expectation, source);
  }
}

/** Whether it was written since: of a Secret no more is known than its version. */
function liveSecret({ written }: Extract<Expectation, { kind: 'secret' }>, secret: unknown): LiveValue {
  if (!written) return { found: undefined, holds: true };
  const found = textOf(recordOf(secret)?.['version']);
  return { found, holds: found !== undefined && found !== written.since };
}

interface Container {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The images of a pod template. */
export function imagesIn(template: unknown, container?: string): readonly string[] {
  return containersOf(template)
    .filter(({ name }) => container === undefined || name === container)
    .map(({ fields }) => textOf(fields['image']))
    .filter(image => image !== undefined);
}

function liveImage(expectation: Extract<Expectation, { kind: 'image' }>, template: unknown): LiveValue {
  const images = imagesIn(template, expectation.container);
  const candidates = images.map(splitImage).filter(image => image.repository === expectation.repository);
  if (candidates.length === 0) return { found: images[0], holds: false };
  const wrong = candidates.find(image => !sameVersion(image.version, expectation.version));
  const shown = wrong ?? candidates[0];
  return { found: shown && join(shown), holds: wrong === undefined };
}

/** A digest says which image it is; what tag stands beside it is decoration, which charts leave out. */
function sameVersion(one: string, other: string): boolean {
  const digest = digestIn(one);
  return one === other || (digest !== '' && digest === digestIn(other));
}

function digestIn(version: string): string {
  const at = version.indexOf('sha256:');
  return at < 0 ? '' : version.slice(at);
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
