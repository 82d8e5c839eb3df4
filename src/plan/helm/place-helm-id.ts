import {
  ID_PATCH_HEADER,
  ROLLOUT_ID_ANNOTATION,
  SOURCE_SHA_ANNOTATION,
  type TargetRef,
  targetKey,
} from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Edits } from '../../edit/edits.ts';
import { join } from '../kustomize-walk.ts';
import { isShared } from '../locate.ts';
import type { IdPlacement } from '../plan.ts';
import type { ValuePlace } from '../value-setter.ts';
import { type YamlPath, YamlText } from '../../edit/yaml-text.ts';
import { effectiveObject } from './effective-object.ts';
import type { HelmSite } from './helm-site.ts';
import { rendererOf, withIdPatch } from './id-patch.ts';
import { at } from './tracked.ts';

const RENDERERS: YamlPath = ['spec', 'postRenderers'];

interface Placing {
  readonly target: TargetRef;
  readonly helm: HelmSite;
  readonly id: string;
  /** Left as it is where a revert stamps. */
  readonly sourceSha?: string;
  readonly write: 'overlay' | 'base' | undefined;
  /** Path in the values that the chart puts on its pods as annotations. */
  readonly idPath: YamlPath | undefined;
}

/**
 * Writes the rollout's id on the pod template that Helm renders: by a value, where the chart has one for annotations of
 * its pods, else by a postRenderer, which every chart can have. Where the HelmRelease is shared with other environments
 * it goes into a small patch of this one.
 */
export function placeHelmId(edits: Edits, on: Placing): IdPlacement {
  const { helm, target } = on;
  const key = targetKey(target);
  const annotations = {
    [ROLLOUT_ID_ANNOTATION]: on.id,
    ...(on.sourceSha === undefined ? {} : { [SOURCE_SHA_ANNOTATION]: on.sourceSha }),
  };
  if (on.idPath) return inValues(edits, { ...on, idPath: on.idPath, annotations });

  const patchPath = overlayPatch(helm);
  const list = at(effectiveObject(helm.site, patchPath === undefined ? {} : { withoutPatchOf: patchPath }), [
    'spec',
    'postRenderers',
  ]);
  const place = list?.at ?? {
    file: helm.site.file,
    document: helm.site.document,
    path: [...helm.site.root, ...RENDERERS],
    shared: isShared(helm.site),
  };
  const workload = { kind: target.kind, name: target.name };
  if (place.shared && on.write !== 'base' && patchPath !== undefined) {
    writeOverlay(edits, { ...on, path: patchPath, isListed: list !== undefined, annotations });
    return { kind: 'in-post-renderers', target: key, path: patchPath, document: 0, list: [], workload };
  }
  if (place.inline) throw patchWithinPatch(helm, place);
  const { document, path } = place;
  edits.update(place.file, file => withIdPatch(file, { document, list: path, workload, annotations }));
  return { kind: 'in-post-renderers', target: key, path: place.file.path, document, list: path, workload };
}

type Annotated = Placing & { readonly annotations: Readonly<Record<string, string>> };

function inValues(edits: Edits, on: Annotated & { readonly idPath: YamlPath }): IdPlacement {
  const { helm, target, idPath } = on;
  const { file, document } = helm.site;
  if (isShared(helm.site) && on.write !== 'base') {
    throw new Refusal(
      'shared-line',
      `${helm.name} is written in ${file.path}, outside of the folder that Flux applies; id-path would put the rollout’s id into every environment that builds upon it.`,
      {
        remedy: 'Leave id-path out (a postRenderer is added for this environment alone), or say write: base.',
      },
    );
  }
  const path = [...helm.site.root, 'spec', 'values', ...idPath];
  edits.update(file, start =>
    Object.entries(on.annotations).reduce(
      (now, [key, value]) => now.set(document, [...path, key], value),
      start,
    ),
  );
  return { kind: 'annotations', target: targetKey(target), path: file.path, document, annotations: path };
}

/** Of the outermost kustomization, which is this environment's own. */
function overlayPatch({ site }: HelmSite): string | undefined {
  const layer = site.layers.find(({ kustomization }) => kustomization !== undefined);
  return layer && join(layer.folder, `${site.name}-rollout.yaml`);
}

/** Operations, because a merge would replace the list of postRenderers. */
function writeOverlay(
  edits: Edits,
  on: Annotated & { readonly path: string; readonly isListed: boolean },
): void {
  const { helm, target, path } = on;
  const workload = { kind: target.kind, name: target.name };
  const written = edits.current(new YamlText(path, ''));
  if (written.text.includes(on.id)) {
    // Another target of the same HelmRelease was first.
    edits.update(written, file =>
      withIdPatch(file, { document: 0, list: [], workload, annotations: on.annotations }),
    );
    return;
  }
  const value = rendererOf(workload, on.annotations);
  const operations = [
    ...(on.isListed ? [] : [{ op: 'add', path: '/spec/postRenderers', value: [] }]),
    { op: 'add', path: '/spec/postRenderers/-', value },
  ];
  edits.write(path, new YamlText(path, ID_PATCH_HEADER).withFirstDocument(operations).text);
  const layer = helm.site.layers.find(({ kustomization }) => kustomization !== undefined);
  const kustomization = layer?.kustomization;
  if (!layer || !kustomization) return;
  const isListed = layer.patches.some(each => each.at.kind === 'file' && each.at.file.path === path);
  if (isListed) return;
  const entry = {
    path: path.slice(path.lastIndexOf('/') + 1),
    target: { kind: 'HelmRelease', name: helm.site.name },
  };
  edits.update(kustomization, file => file.append(0, ['patches'], entry));
}

function patchWithinPatch(helm: HelmSite, place: ValuePlace): Refusal {
  return new Refusal(
    'unsupported-file',
    `The postRenderers of ${helm.name} are set in a patch that ${place.file.path} holds as text; the rollout’s id cannot be added there.`,
    { remedy: 'Move the patch into a file of its own, or say id-path in rollout.yaml.' },
  );
}
