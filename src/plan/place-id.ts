import {
  ID_PATCH_HEADER,
  ROLLOUT_ID_ANNOTATION,
  SOURCE_SHA_ANNOTATION,
  type TargetKey,
} from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { Edits } from '../edit/edits.ts';
import { join } from './kustomize-walk.ts';
import type { Layer, LayerOwner } from './layer.ts';
import { isShared, type Site } from './locate.ts';
import { patchesFor, record, text } from './patch-reach.ts';
import type { IdPlacement } from './plan.ts';
import { patchesAround, TEMPLATE_ANNOTATIONS, withAnnotations } from './patch-list.ts';
import { type YamlPath, YamlText } from '../edit/yaml-text.ts';

/**
 * Writes the rollout's id and source commit on the pod template: into the target's manifest, or, where that is shared
 * with other environments, into a small patch of this one.
 */
export function placeId(
  edits: Edits,
  on: {
    readonly target: TargetKey;
    readonly site: Site;
    readonly id: string;
    /** Absent: what a revert restores is not of our source commit. */
    readonly sourceSha?: string;
    readonly write: 'overlay' | 'base' | undefined;
  },
): IdPlacement {
  const { site, target } = on;
  const values = {
    [ROLLOUT_ID_ANNOTATION]: on.id,
    ...(on.sourceSha === undefined ? {} : { [SOURCE_SHA_ANNOTATION]: on.sourceSha }),
  };
  const owner = site.live && patchesAround(site);
  if (owner?.path.length) return inPatchList(edits, { ...on, owner, annotations: values });
  const dropping = site.layers.find(layer =>
    patchesFor(layer, site).some(({ content }) => dropsAnnotations(content)),
  );
  if (dropping?.flux) throw dropped(target, dropping.flux.file.path);
  const overlay =
    dropping || site.live || (isShared(site) && on.write !== 'base') ? overlayOf(site) : undefined;
  if (overlay?.kustomization) {
    return inPatch(edits, { target, site, values, layer: overlay, kustomization: overlay.kustomization });
  }
  const annotations = [...site.root, ...TEMPLATE_ANNOTATIONS];
  edits.update(site.file, file =>
    Object.entries(values).reduce(
      (at, [key, value]) => at.set(site.document, [...annotations, key], value),
      file,
    ),
  );
  return { kind: 'annotations', target, path: site.file.path, document: site.document, annotations };
}

const TEMPLATE_METADATA = ['spec', 'template', 'metadata'] as const;

/**
 * A patch that takes the pod template's annotations away or replaces them all: what stands in the manifest does not
 * arrive. Ours come after it, by a patch of their own; written into that patch they would bring the base's back.
 */
function dropsAnnotations(content: unknown): boolean {
  if (Array.isArray(content)) {
    return content.some(item => {
      const { op, path } = record(item);
      const whole = ['/spec/template/metadata/annotations', '/spec/template/metadata', '/spec/template'];
      return whole.includes(text(path)) && ['add', 'replace', 'remove'].includes(text(op));
    });
  }
  let at = content;
  for (const key of [...TEMPLATE_METADATA, 'annotations']) {
    const map = record(at);
    if (map['$patch'] === 'replace' || map['$patch'] === 'delete') return true;
    if (map[key] === null && key !== 'spec') return true;
    at = map[key];
  }
  return record(at)['$patch'] === 'replace' || record(at)['$patch'] === 'delete';
}

function dropped(target: TargetKey, path: string): Refusal {
  return new Refusal(
    'chain-broken',
    `A patch in ${path} takes all annotations of the pod template of ${target} away, and with them the id by which a delivery is proven.`,
    { remedy: 'Let the patch remove the annotations by their names, each set to null.' },
  );
}

/** Into a patch of the Flux Kustomization itself: the target's manifest is in another repository. */
function inPatchList(
  edits: Edits,
  on: {
    readonly target: TargetKey;
    readonly site: Site;
    readonly write: 'overlay' | 'base' | undefined;
    readonly owner: LayerOwner;
    readonly annotations: Readonly<Record<string, string>>;
  },
): IdPlacement {
  const { site, owner, target, annotations } = on;
  const { document } = owner;
  if (!owner.own && on.write !== 'base') {
    throw new Refusal(
      'shared-line',
      `${owner.file.path}, whose patches reach ${target}, is outside of the folder that Flux applies (${site.layers[0]?.folder ?? ''}); other environments may build upon it, and the rollout’s id is of this one alone.`,
      { remedy: 'Keep the Kustomization in this environment’s folder, or say write: base.' },
    );
  }
  const object = { kind: text(site.data['kind']), name: site.name };
  const path = [...owner.path, 'patches'];
  edits.update(owner.file, file => withAnnotations(file, { document, path }, { object, annotations }));
  return { kind: 'in-patches', target, path: owner.file.path, document, list: path, object };
}

function overlayOf(site: Site): Layer | undefined {
  return site.layers.find(layer => layer.kustomization !== undefined);
}

function inPatch(
  edits: Edits,
  on: {
    readonly target: TargetKey;
    readonly site: Site;
    readonly values: Readonly<Record<string, string>>;
    readonly layer: Layer;
    readonly kustomization: YamlText;
  },
): IdPlacement {
  const { site, layer } = on;
  const name = `${site.name}-rollout.yaml`;
  const path = join(layer.folder, name);
  const { apiVersion, kind } = site.data;
  const patch = {
    apiVersion,
    kind,
    metadata: { name: site.name, ...(site.namespace === undefined ? {} : { namespace: site.namespace }) },
    spec: { template: { metadata: { annotations: on.values } } },
  };
  edits.write(path, new YamlText(path, ID_PATCH_HEADER).withFirstDocument(patch).text);
  const patches: YamlPath = ['patches'];
  edits.update(on.kustomization, file => {
    const listed = layer.patches.some(each => each.at.kind === 'file' && each.at.file.path === path);
    // Where the manifest is elsewhere, so is its namespace, by which kustomize would look for it without a target.
    const selected = site.live ? { target: { kind, name: site.name } } : {};
    return listed ? file : file.append(0, patches, { path: name, ...selected });
  });
  return { kind: 'annotations', target: on.target, path, document: 0, annotations: TEMPLATE_ANNOTATIONS };
}
