import { type Layer, ownerOf, type Patch } from './layer.ts';
import type { Site } from './locate.ts';
import type { ValuePlace } from './value-setter.ts';
import type { YamlPath } from '../edit/yaml-text.ts';

/** A patch that reaches an object, and how its content is addressed. */
export interface ReachingPatch {
  readonly content: unknown;
  /** The place of a path within the patch's content. */
  readonly place: (path: YamlPath) => ValuePlace;
}

/** The patches of one kustomization that change an object, in the order in which kustomize applies them. */
export function patchesFor(layer: Layer, site: Site): readonly ReachingPatch[] {
  return layer.patches.flatMap(patch => {
    if (!reaches({ layer, patch }, site)) return [];
    const owner = ownerOf(layer);
    const file = patch.at.kind === 'file' ? patch.at.file : owner?.file;
    if (!file || !owner) return [];
    const root = site.layers[0]?.folder ?? '';
    const shared = !owner.own && root !== '' && !file.path.startsWith(`${root}/`);
    const { at } = patch;
    const common = { file, shared, patch: { layer, patch } };
    return [
      {
        content: patch.content,
        place: (path: YamlPath): ValuePlace =>
          at.kind === 'file'
            ? { ...common, document: at.document, path }
            : {
                ...common,
                document: owner.document,
                path: [...owner.path, ...at.path],
                inline: { path },
              },
      },
    ];
  });
}

/** Kustomize matches by the name at that stage or by any earlier one, and target names are regular expressions. */
export function reaches(
  { layer, patch }: { readonly layer: Layer; readonly patch: Patch },
  site: Site,
): boolean {
  const at = site.layers.indexOf(layer);
  if (at < 0) return false;
  const names = namesOf(site, at);
  const kind = text(site.data['kind']);
  const { target } = patch;
  if (!target) {
    const content = record(patch.content);
    const { name, namespace } = record(content['metadata']);
    const elsewhere = namespace !== undefined && !namespacesOf(site, at).includes(text(namespace));
    const sameGroup =
      content['apiVersion'] === undefined ||
      groupOf(content['apiVersion']) === groupOf(site.data['apiVersion']);
    return text(content['kind']) === kind && sameGroup && names.includes(text(name)) && !elsewhere;
  }
  const [version = '', group = ''] = text(site.data['apiVersion']).split('/').toReversed();
  const metadata = record(site.data['metadata']);
  return (
    matches(target.group, [group]) &&
    matches(target.version, [version]) &&
    matches(target.kind, [kind]) &&
    matches(target.name, names) &&
    matches(target.namespace, namespacesOf(site, at)) &&
    selects(target.labelSelector, { ...record(metadata['labels']), ...labelsAdded(site, at) }) &&
    selects(target.annotationSelector, record(metadata['annotations']))
  );
}

/** A core Service and a Knative one may share their name. */
function groupOf(apiVersion: unknown): string {
  return text(apiVersion).replace(/\/?[^/]*$/, '');
}

/** As written, and as the kustomizations within this one have made it. */
function namesOf(site: Site, at: number): readonly string[] {
  const names = [site.name];
  for (const { namePrefix, nameSuffix } of site.layers.slice(at).toReversed()) {
    names.push(`${namePrefix}${names.at(-1) ?? ''}${nameSuffix}`);
  }
  return names;
}

function namespacesOf(site: Site, at: number): readonly string[] {
  const given = [site.namespace, ...site.layers.slice(at).map(({ namespace }) => namespace)];
  const all = given.filter(namespace => namespace !== undefined);
  return all.length > 0 ? all : ['default', ''];
}

/** What the kustomizations within this one have added: their own labels come after their patches. */
function labelsAdded(site: Site, at: number): Readonly<Record<string, unknown>> {
  return Object.assign(
    {},
    ...site.layers.slice(at + 1).flatMap(({ kustomization }) => {
      const data = record(kustomization?.data(0));
      return [
        record(data['commonLabels']),
        ...items(data['labels']).map(each => record(record(each)['pairs'])),
      ];
    }),
  );
}

function matches(pattern: string | undefined, values: readonly string[]): boolean {
  if (pattern === undefined || pattern === '') return true;
  try {
    const anchored = new RegExp(`^(?:${pattern})$`);
    return values.some(value => anchored.test(value));
  } catch {
    return values.includes(pattern);
  }
}

/** A selector of kubectl: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`; all must hold. */
function selects(selector: string | undefined, values: Readonly<Record<string, unknown>>): boolean {
  if (selector === undefined) return true;
  const terms = selector.split(/,(?![^(]*\))/).map(term => term.trim());
  return terms.every(term => {
    const [, key = '', not, list = ''] = /^(\S+)\s+(not)?in\s*\(([^)]*)\)$/.exec(term) ?? [];
    if (key !== '') {
      const among = list.split(',').map(each => each.trim());
      return among.includes(text(values[key])) !== (not !== undefined);
    }
    const [, name = '', sign, value = ''] = /^([^!=\s]+)\s*(!=|==?)\s*(.*)$/.exec(term) ?? [];
    if (sign !== undefined) return (text(values[name]) === value) !== (sign === '!=');
    return term.startsWith('!') ? !(term.slice(1).trim() in values) : term === '' || term in values;
  });
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
