import { parseDocument } from 'yaml';
import { z } from 'zod';
import { chosen, imageEntries, kustomizationSchema } from './kustomize-walk.ts';
import type { Layer, Patch } from './layer.ts';
import type { YamlText } from '../edit/yaml-text.ts';

/** What a Flux Kustomization adds around the folder that it applies (its spec.images, spec.patches and names). */
export function fluxLayer(
  definition: { readonly file: YamlText; readonly document: number; readonly own?: boolean },
  built: Pick<Layer, 'folder'> | Layer,
): Layer {
  const { file, document } = definition;
  const spec = z.looseObject({ spec: kustomizationSchema }).safeParse(file.data(document)).data?.spec ?? {};
  const patches = (spec.patches ?? []).flatMap(({ patch, target }, index): readonly Patch[] => {
    if (patch === undefined) return [];
    const content: unknown = parseDocument(patch).toJS();
    return [
      {
        at: { kind: 'inline', path: ['patches', index, 'patch'] },
        content,
        ...(target ? { target: chosen(target) } : {}),
      },
    ];
  });
  return {
    folder: built.folder,
    flux: { file, document, own: definition.own ?? true },
    namePrefix: spec.namePrefix ?? '',
    nameSuffix: spec.nameSuffix ?? '',
    images: imageEntries(spec.images),
    patches,
    resources: [],
    children: 'children' in built ? [built] : [],
  };
}
