import { posix } from 'node:path';
import { pathsOf } from '../../build/flux-objects.ts';
import { items, text } from '../../build/json.ts';
import { scalarsOf } from '../../edit/scalar-file.ts';
import { type Applied, folderIn } from './applied.ts';
import type { FluxTree } from './flux-tree.ts';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** No path is longer; texts in kustomizations are. */
const LONGEST_PATH = 300;

/**
 * What may be built from where, by what kustomizations name in whatever field: more than what is built, and cheap. Whom it
 * may concern is then built.
 */
export class Reach {
  private readonly tree: FluxTree;
  private readonly found = new Map<string, Promise<ReadonlySet<string>>>();
  private all: Promise<ReadonlySet<string>> | undefined;

  constructor(tree: FluxTree) {
    this.tree = tree;
  }

  /** Every file of the repository. */
  paths(): Promise<ReadonlySet<string>> {
    this.all ??= pathsOf(this.tree.files).then(paths => new Set(paths));
    return this.all;
  }

  /** Every file that a Kustomization may be built from, its components among them. */
  async of({ spec }: Applied): Promise<ReadonlySet<string>> {
    const folder = folderIn(spec);
    const components = items(spec['components']).map(each => plain(posix.join(folder || '.', text(each))));
    const all = await Promise.all([folder, ...components].map(each => this.from(each)));
    return new Set(all.flatMap(each => [...each]));
  }

  /** Every file that a folder may be built from. */
  from(folder: string): Promise<ReadonlySet<string>> {
    const known = this.found.get(folder) ?? this.findFrom(folder);
    this.found.set(folder, known);
    return known;
  }

  private async findFrom(root: string): Promise<ReadonlySet<string>> {
    const paths = await this.paths();
    const found = new Set<string>();
    const seen = new Set<string>();
    const pending = [root];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (seen.has(folder)) continue;
      seen.add(folder);
      const file = kustomizationIn(folder, paths);
      if (file === undefined) {
        // Flux takes every file below.
        const below = [...paths].filter(path => isBelow(path, folder ?? ''));
        for (const path of below) found.add(path);
        pending.push(...below.filter(isKustomization).map(folderOf));
        continue;
      }
      found.add(file);
      for (const { value } of scalarsOf(file, (await this.tree.text(file)) ?? '').scalars) {
        if (value.length > LONGEST_PATH) continue;
        const named = plain(posix.join(folder || '.', value.slice(value.indexOf('=') + 1)));
        if (paths.has(named)) found.add(named);
        else if (kustomizationIn(named, paths) !== undefined) pending.push(named);
      }
    }
    return found;
  }
}

function kustomizationIn(folder: string, paths: ReadonlySet<string>): string | undefined {
  return KUSTOMIZATION_NAMES.map(name => posix.join(folder, name)).find(path => paths.has(path));
}

function plain(path: string): string {
  const named = path.replace(/\/$/, '');
  return named === '.' ? '' : named;
}

export function isKustomization(path: string): boolean {
  return KUSTOMIZATION_NAMES.includes(posix.basename(path));
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path.startsWith(`${folder}/`);
}

export function folderOf(path: string): string {
  return plain(posix.dirname(path));
}
