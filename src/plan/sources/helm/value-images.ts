import { type Path, record, text } from '../../../build/json.ts';
import { splitImage } from '../../../rollout/live-value.ts';

/** A part of an image: what it says, and where. */
export interface Part {
  readonly value: string;
  /** In the values. */
  readonly path: Path;
}

/** An image as the values of a chart write it. */
export type ValueImage =
  /** `ghcr.io/acme/shop:1.2.3` in one string. */
  | { readonly form: 'reference'; readonly path: Path; readonly reference: Part }
  /** Repository, tag and digest apart; whatever is missing is the chart's own. */
  | {
      readonly form: 'split';
      /** In the values, of the map that holds them. */
      readonly path: Path;
      readonly registry?: Part;
      readonly repository?: Part;
      readonly tag?: Part;
      readonly digest?: Part;
    };

const REPOSITORY_KEYS = ['repository', 'image', 'name'];

/** Every image that the values write in a form that charts use, with its path in the values. */
export function valueImages(values: unknown, path: Path = []): readonly ValueImage[] {
  if (Array.isArray(values)) {
    return values.flatMap((item: unknown, index) => valueImages(item, [...path, index]));
  }
  const map = record(values);
  const below = Object.entries(map).flatMap(([key, value]) => valueImages(value, [...path, key]));
  return [...imagesOfMap(map, path), ...below];
}

function imagesOfMap(map: Readonly<Record<string, unknown>>, path: Path): readonly ValueImage[] {
  const part = (key: string): Part | undefined => {
    const value = map[key];
    const isScalar = typeof value === 'string' || typeof value === 'number';
    return isScalar ? { value: text(value), path: [...path, key] } : undefined;
  };
  const references: ValueImage[] = Object.keys(map).flatMap(key => {
    const reference = part(key);
    return reference && isReference(reference.value)
      ? [{ form: 'reference' as const, path: [...path, key], reference }]
      : [];
  });
  const repositoryKey = REPOSITORY_KEYS.find(key => {
    const value = part(key)?.value;
    return value !== undefined && value !== '' && !isReference(value);
  });
  const own = split(path, {
    registry: part('registry'),
    repository: repositoryKey === undefined ? undefined : part(repositoryKey),
    tag: part('tag'),
    digest: part('digest'),
  });
  // image: ghcr.io/acme/shop beside imageTag: 1.2.3
  const beside = Object.keys(map).flatMap(key => {
    const tag = part(`${key}Tag`);
    return tag && part(key) ? [split([...path, key], { repository: part(key), tag })] : [];
  });
  return [...references, ...[own, ...beside].filter(image => image !== undefined)];
}

function split(
  path: Path,
  parts: Readonly<Partial<Record<'registry' | 'repository' | 'tag' | 'digest', Part | undefined>>>,
): ValueImage | undefined {
  const { registry, repository, tag, digest } = parts;
  // A repository alone is only an image when a registry stands beside it, or it looks like one.
  const named = repository !== undefined && (registry !== undefined || repository.value.includes('/'));
  if (!named && tag === undefined && (digest === undefined || digest.value === '')) return undefined;
  return {
    form: 'split',
    path,
    ...(registry === undefined || registry.value === '' ? {} : { registry }),
    ...(repository === undefined ? {} : { repository }),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** With a version, and with a path or a registry, so that `10:30` or `key: a:b` are none. */
function isReference(value: string): boolean {
  if (!/^[\w.\-/:@]+$/.test(value) || value.includes('://')) return false;
  const { repository, version } = splitImage(value);
  return version !== '' && repository.includes('/');
}

/** Repository without version; undefined when only the chart knows it. */
export function repositoryOf(image: ValueImage): string | undefined {
  if (image.form === 'reference') return splitImage(image.reference.value).repository;
  if (image.repository === undefined) return undefined;
  return [image.registry?.value, image.repository.value].filter(part => part !== undefined).join('/');
}

/** Tag, digest, or both; '' when the chart's own is used. */
export function versionOf(image: ValueImage): string {
  if (image.form === 'reference') return splitImage(image.reference.value).version;
  return [image.tag?.value, image.digest?.value].filter(part => part !== undefined && part !== '').join('@');
}

/** `containers[0].image`, as Helm writes it. */
export function dotted(path: Path): string {
  return path.reduce<string>((words, key) => {
    if (typeof key === 'number') return `${words}[${key}]`;
    if (!/^[\w-]+$/.test(key)) return `${words}["${key}"]`;
    return words === '' ? key : `${words}.${key}`;
  }, '');
}
