import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { withGenerated } from './generators.ts';
import { type Fields, fieldsAt, isFields, listAt, textAt, valueAt } from './kube-object.ts';
import type { Wanted } from './object-store.ts';

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The part of kustomize that the sandbox's repositories use. @throws Error with words like kustomize's. */
export function kustomizeBuild(folder: string): readonly Wanted[] {
  const file = NAMES.map(name => join(folder, name)).find(existsSync);
  if (file === undefined) return generated(folder);
  const [kustomization] = documents(file);
  const named = [
    ...listAt(kustomization, 'resources'),
    ...listAt(kustomization, 'bases'),
    ...listAt(kustomization, 'components'),
  ];
  const objects = named.map(String).flatMap(resource => {
    const path = normalize(join(folder, resource));
    if (!existsSync(path))
      throw new Error(
        `accumulating resources: accumulation err='accumulating resources from '${resource}': no such file or directory'`,
      );
    return statSync(path).isDirectory() ? kustomizeBuild(path) : documents(path).map(asWanted);
  });
  const patched = listAt(kustomization, 'patches').reduce<readonly Wanted[]>(
    (all, patch) => applyPatch(all, patch, folder),
    objects,
  );
  const whole = withGenerated(patched, kustomization, folder);
  const renamed = whole.map(object => transformed(object, kustomization));
  const names = renamed.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`may not add resource with an already registered id: ${twice}`);
  return renamed;
}

/** What a Flux Kustomization adds around its folder: patches, then names, then images (fluxcd/pkg kustomize). */
export function fluxBuild(folder: string, spec: unknown): readonly Wanted[] {
  return listAt(spec, 'patches')
    .reduce<readonly Wanted[]>((all, patch) => applyPatch(all, patch, folder), kustomizeBuild(folder))
    .map(object => transformed(object, spec));
}

/** Flux: without a kustomization all YAML files are resources. */
function generated(folder: string): readonly Wanted[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return kustomizeBuild(path);
      return /\.ya?ml$/.test(entry.name) ? documents(path).map(asWanted) : [];
    });
}

function documents(path: string): readonly unknown[] {
  return parse(readFileSync(path, 'utf8'), path);
}

function parse(text: string, path: string): readonly unknown[] {
  const parsed = parseAllDocuments(text);
  const all = Array.isArray(parsed) ? parsed : [];
  const error = all.flatMap(document => document.errors)[0];
  if (error)
    throw new Error(`yaml: ${path.split('/').at(-1) ?? path}: ${error.message.split('\n')[0] ?? ''}`);
  return all.map((document): unknown => document.toJS()).filter(data => data !== null);
}

function asWanted(value: unknown): Wanted {
  const metadata = fieldsAt(value, 'metadata');
  const { apiVersion, kind } = fieldsAt({ value }, 'value');
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof metadata['name'] !== 'string') {
    throw new Error('missing metadata.name in object');
  }
  return {
    ...fieldsAt({ value }, 'value'),
    apiVersion,
    kind,
    metadata: { ...metadata, name: metadata['name'] },
  };
}

function transformed(object: Wanted, kustomization: unknown): Wanted {
  const namespace = textAt(kustomization, 'namespace');
  const prefix = textAt(kustomization, 'namePrefix');
  const suffix = textAt(kustomization, 'nameSuffix');
  const name =
    object.kind === 'Namespace' ? object.metadata.name : `${prefix}${object.metadata.name}${suffix}`;
  const metadata = { ...object.metadata, name, ...(namespace === '' ? {} : { namespace }) };
  const template = valueAt(object, 'spec', 'template');
  if (!isFields(template)) return { ...object, metadata };
  const images = listAt(kustomization, 'images');
  const pod = fieldsAt(template, 'spec');
  const withImages = (list: string) =>
    list in pod ? { [list]: listAt(pod, list).map(container => withImage(container, images)) } : {};
  const spec = {
    ...fieldsAt(object, 'spec'),
    template: { ...template, spec: { ...pod, ...withImages('containers'), ...withImages('initContainers') } },
  };
  return { ...object, metadata, spec };
}

function withImage(container: unknown, images: readonly unknown[]): unknown {
  const image = textAt(container, 'image');
  const [, repository = image, rest = ''] = /^(.+?)((?::[^/@]+)?(?:@.+)?)$/.exec(image) ?? [];
  const entry = images.find(each => textAt(each, 'name') === repository);
  if (!entry || !isFields(container)) return container;
  const tag = valueAt(entry, 'newTag');
  const digest = textAt(entry, 'digest');
  const version = `${tag === undefined ? '' : `:${String(tag)}`}${digest === '' ? '' : `@${digest}`}`;
  return { ...container, image: `${textAt(entry, 'newName') || repository}${version || rest}` };
}

function applyPatch(objects: readonly Wanted[], patch: unknown, folder: string): readonly Wanted[] {
  const text = textAt(patch, 'patch');
  const path = textAt(patch, 'path');
  const contents = text === '' ? documents(join(folder, path)) : parse(text, 'patch');
  const target = valueAt(patch, 'target');
  return contents.reduce<readonly Wanted[]>((all, content) => {
    let hits = 0;
    const next = all.map(object => {
      const [kind, name] = [textAt(content, 'kind'), textAt(content, 'metadata', 'name')];
      if (
        target === undefined
          ? kind !== object.kind || name !== object.metadata.name
          : !selects(target, object)
      )
        return object;
      hits += 1;
      if (Array.isArray(content)) return asWanted(operated(object, content));
      const merged = asWanted(strategic(object, content));
      const { name: kept, namespace } = object.metadata;
      return {
        ...merged,
        metadata: { ...merged.metadata, name: kept, ...(namespace === undefined ? {} : { namespace }) },
      };
    });
    // A target that selects nothing is no mistake to kustomize.
    if (hits === 0 && target === undefined)
      throw new Error(
        `no matches for Id ${textAt(content, 'kind')}/${textAt(content, 'metadata', 'name')}; failed to find unique target for patch`,
      );
    return next;
  }, objects);
}

/** kustomize: kind and name of a target are regular expressions, anchored at both ends. */
function selects(target: unknown, object: Wanted): boolean {
  const holds = (key: string, value: string): boolean => {
    const pattern = textAt(target, key);
    return pattern === '' || new RegExp(`^(?:${pattern})$`).test(value);
  };
  return holds('kind', object.kind) && holds('name', object.metadata.name);
}

/** Strategic merge: maps merge, lists of named things merge by name, other lists are replaced. */
function strategic(old: unknown, patch: unknown): unknown {
  if (Array.isArray(patch) && Array.isArray(old)) {
    const named =
      patch.every(item => textAt(item, 'name') !== '') && old.every(item => textAt(item, 'name') !== '');
    if (!named) return patch;
    const kept = old.map(item => {
      const change = patch.find(each => textAt(each, 'name') === textAt(item, 'name'));
      return change === undefined ? item : strategic(item, change);
    });
    const added = patch.filter(each => !old.some(item => textAt(item, 'name') === textAt(each, 'name')));
    return [...kept, ...added];
  }
  if (!isFields(patch)) return patch;
  const result: Record<string, unknown> = isFields(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = strategic(result[key], value);
  }
  return result;
}

function operated(object: Wanted, operations: readonly unknown[]): unknown {
  return operations.reduce((at, operation) => {
    const path = textAt(operation, 'path')
      .split('/')
      .slice(1)
      .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const op = textAt(operation, 'op');
    if (op === 'test') {
      const found = path.reduce((value, key) => {
        const item: unknown = Array.isArray(value) ? value[Number(key)] : valueAt(value, key);
        return item;
      }, at);
      if (found === valueAt(operation, 'value')) return at;
      throw new Error(`testing value ${path.join('/')} failed: test failed`);
    }
    return setAt(at, path, op === 'remove' ? undefined : valueAt(operation, 'value'));
  }, object as unknown);
}

function setAt(value: unknown, path: readonly string[], next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  if (Array.isArray(value)) {
    const index = key === '-' ? value.length : Number(key);
    if (rest.length === 0 && next === undefined) return value.filter((_, at) => at !== index);
    const list: unknown[] = [...value];
    list[index] = setAt(list[index], rest, next);
    return list;
  }
  const fields: Fields = isFields(value) ? value : {};
  if (rest.length === 0 && next === undefined) {
    return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
  }
  return { ...fields, [key]: setAt(fields[key], rest, next) };
}
