import { splitImage } from '../rollout/live-value.ts';

/** What a value says of an image: a version alone, or a whole reference. */
export type ImageVersion =
  | { readonly kind: 'version'; readonly version: string }
  /** Another repository than the one that rollout.yaml names. */
  | { readonly kind: 'elsewhere'; readonly version: string; readonly repository: string }
  | { readonly kind: 'nothing'; readonly words: string };

/** Distribution reference: tag and digest. */
const VERSION = /^(?:\w[\w.-]{0,127})?(?:(?:^|@)sha256:[0-9a-f]{64})?$/;

export function imageVersion(repository: string, value: string): ImageVersion {
  if (value !== '' && VERSION.test(value)) return { kind: 'version', version: value };
  const written = splitImage(value);
  if (/(?:^|@)sha256:/.test(value) && !/(?:^|@)sha256:[0-9a-f]{64}$/.test(value)) {
    return {
      kind: 'nothing',
      words: `“${value}” has no whole digest: sha256: and 64 digits of 0-9 and a-f.`,
    };
  }
  if (/[:@]$/.test(value)) {
    return { kind: 'nothing', words: `There is nothing after “${value}”: did an expression give nothing?` };
  }
  if (written.version === '' || !VERSION.test(written.version) || !isReference(written.repository)) {
    return { kind: 'nothing', words: `“${value}” is no version of an image.` };
  }
  if (inFull(written.repository) === inFull(repository)) return { kind: 'version', version: written.version };
  return { kind: 'elsewhere', version: written.version, repository: written.repository };
}

export function isSameRepository(one: string, other: string): boolean {
  return inFull(one) === inFull(other);
}

function isReference(repository: string): boolean {
  return /^[A-Za-z0-9](?:[\w.:/-]*[A-Za-z0-9])?$/.test(repository);
}

/** As containers resolve it: Docker Hub where no registry is named, its library where nobody is. */
function inFull(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  const registry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (registry && first !== 'docker.io' && first !== 'index.docker.io') return repository;
  const path = registry ? rest : [first, ...rest];
  return `docker.io/${path.length === 1 ? 'library/' : ''}${path.join('/')}`;
}
