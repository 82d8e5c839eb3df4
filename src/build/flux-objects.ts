import { YamlText } from '../edit/yaml-text.ts';
import { type Fields, record, text } from './json.ts';
import type { RepositoryFiles } from './repository-files.ts';

/** An object of Flux as a file of the repository has it, whether or not anything applies it. */
export interface FluxObject {
  readonly path: string;
  readonly document: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly data: Fields;
}

/** Every file of the repository. */
export async function pathsOf(files: RepositoryFiles): Promise<readonly string[]> {
  await files.prefetch?.('');
  const found: string[] = [];
  let pending = [''];
  while (pending.length > 0) {
    const listed = await Promise.all(
      pending.map(async folder => ({ folder, entries: await files.list(folder) })),
    );
    pending = [];
    for (const { folder, entries } of listed) {
      for (const { name, kind } of entries ?? []) {
        const path = folder === '' ? name : `${folder}/${name}`;
        if (kind === 'folder' && name !== 'node_modules' && name !== '.git') pending.push(path);
        if (kind === 'file') found.push(path);
      }
    }
  }
  return found.toSorted();
}

/** Kustomizations and sources of Flux in a file. Templates and encrypted files are no YAML that could hold one. */
export function fluxObjectsIn(path: string, content: string): readonly FluxObject[] {
  if (!content.includes('.toolkit.fluxcd.io/')) return [];
  return documentsOf(path, content).flatMap((each, document) => {
    const data = record(each);
    const isFlux = /^(?:kustomize|source)\.toolkit\.fluxcd\.io\//.test(text(data['apiVersion']));
    const metadata = record(data['metadata']);
    const name = text(metadata['name']);
    if (!isFlux || name === '') return [];
    const namespace = text(metadata['namespace']) || 'flux-system';
    return [{ path, document, kind: text(data['kind']), namespace, name, data }];
  });
}

function documentsOf(path: string, content: string): readonly unknown[] {
  try {
    const file = new YamlText(path, content);
    return file.documents.map((_, document) => file.data(document));
  } catch {
    return [];
  }
}
