import { isShared, type Site } from '../locate.ts';
import { patchesFor, record, text } from '../patch-reach.ts';
import { merge, operate, type Placing, type Tracked, track } from './tracked.ts';

/** An object as the build has it after all patches, each part with the place that set it. */
export function effectiveObject(site: Site, on: { readonly withoutPatchOf?: string } = {}): Tracked {
  const shared = isShared(site);
  const own: Placing = path => ({
    file: site.file,
    document: site.document,
    path: [...site.root, ...path],
    shared,
  });
  let tree = track(site.data, own);
  for (const layer of site.layers.toReversed()) {
    for (const patch of patchesFor(layer, site)) {
      if (patch.place([]).file.path === on.withoutPatchOf) continue;
      if (Array.isArray(patch.content)) tree = withOperations(tree, patch.content, patch.place);
      else tree = merge(tree, track(patch.content, patch.place), { nullRemoves: true }) ?? tree;
    }
  }
  return tree;
}

function withOperations(tree: Tracked, content: readonly unknown[], place: Placing): Tracked {
  return content.reduce<Tracked>((current, item, index) => {
    const operation = record(item);
    const op = text(operation['op']);
    if (op !== 'add' && op !== 'replace' && op !== 'remove') return current;
    const [, ...pointer] = text(operation['path'])
      .split('/')
      .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const value =
      op === 'remove' ? undefined : track(operation['value'], path => place([index, 'value', ...path]));
    return operate(current, pointer, { op, value });
  }, tree);
}
