import { posix } from 'node:path';

/**
 * A folder of a repository by its path from the root, without `./` and trailing slash; '' is the root. A path that leads
 * out ends at the root, as Flux has it (kustomize-controller: securejoin.SecureJoin).
 */
export function folderOf(path: string): string {
  return posix.join('/', path).replace(/^\/+|\/+$/g, '');
}
