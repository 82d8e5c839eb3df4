import type { Change, RolloutFile } from '../config/settings.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { ContainerSite } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import { refuseKnativeMerge } from './knative-target.ts';
import type { LayerOwner } from './layer.ts';
import { builtName, type Site } from './locate.ts';
import { mergeOf, patchesAround, type PatchedObject, withPatch } from './patch-list.ts';
import { reaches, text } from './patch-reach.ts';
import { lineOfPlace, readPlace, type ValuePlace } from './value-setter.ts';
import type { YamlPath } from '../edit/yaml-text.ts';

/** A patch of this environment's own that sets a value, because the place where it stands now cannot be edited. */
export interface PatchInstead {
  readonly path: string;
  readonly line: number;
  write(edits: Edits): void;
}

export interface PatchInsteadOn {
  readonly change: Exclude<Change, { kind: 'field' }>;
  readonly target: string;
  readonly container: ContainerSite;
  /** Where the value is set now. */
  readonly place: ValuePlace;
  /** The whole string that shall stand there: `--ui-logo=b.png`, `ghcr.io/acme/shop:2`. */
  readonly wanted: string;
  /** Of an argument: where it is in the built container, `['args', 2]`. */
  readonly entry?: YamlPath | undefined;
  readonly write: RolloutFile['write'];
  readonly sites: readonly { readonly target: TargetRef; readonly site: Site }[];
  /** Where the same change would be written for another target. */
  readonly placesIn: (site: Site) => readonly ValuePlace[];
}

/**
 * Undefined where the value can be written in its place. A value that comes from elsewhere, or from a patch that reaches
 * others, too, is set by a patch of its own where rollout.yaml says write: overlay.
 * @throws Refusal where it does not say so.
 */
export function patchInstead(on: PatchInsteadOn): PatchInstead | undefined {
  const { change, place, target } = on;
  const { site } = on.container;
  if (place.foreign !== undefined) {
    const owner = ownerFor(on, `${change.name} of ${target} is set in ${place.foreign}, and by nothing here`);
    return written(on, owner);
  }
  const others = site.live ? othersReached(on, site.live.neighbours) : [];
  if (others.length === 0) return undefined;
  const where = `${place.file.path}:${lineOfPlace(place)}`;
  const what = `${change.name} of ${target} is set by a patch (${where}) that reaches ${others.join(', ')}, too`;
  return written(on, ownerFor(on, what));
}

function ownerFor(on: PatchInsteadOn, what: string): LayerOwner {
  const { site } = on.container;
  const owner = patchesAround(site);
  const list = owner && [...owner.path, 'patches'].join('.');
  const root = site.layers[0]?.folder ?? '';
  const isElsewhere = !owner?.own && root !== '' && !owner?.file.path.startsWith(`${root}/`);
  if (!owner || isElsewhere) {
    throw new Refusal('shared-line', `${what}; ${owner?.file.path ?? 'nothing here'} is shared, too.`, {
      remedy: 'Give this environment a kustomization of its own, and the value in it.',
    });
  }
  if (on.write === 'overlay') return owner;
  throw new Refusal('shared-line', `${what}.`, {
    remedy: `Say write: overlay in rollout.yaml: then a patch for ${text(site.data['kind'])} ${site.name} alone is added to ${list} in ${owner.file.path}. Or add one yourself.`,
  });
}

function written(on: PatchInsteadOn, owner: LayerOwner): PatchInstead {
  const { site } = on.container;
  const object = { kind: text(site.data['kind']), name: site.name };
  const path = [...owner.path, 'patches'];
  const { file, document } = owner;
  const content = contentOf(on, object);
  return {
    path: file.path,
    line: file.lineOf(document, file.node(document, path) ? path : owner.path),
    write: edits => edits.update(file, at => withPatch(at, { document, path }, { object, content })),
  };
}

/** Lists of arguments cannot be merged: theirs is a place in the list, as the live object has it. */
function contentOf(on: PatchInsteadOn, object: PatchedObject): unknown {
  const { change, container, wanted, entry } = on;
  if (change.kind === 'arg') {
    const { list, index } = container;
    if (!entry) {
      throw new Refusal(
        'change-not-found',
        `${change.arg} is appended by a patch in ${on.place.file.path}, so that its place in the list cannot be told.`,
        { remedy: 'Give the workload a patch of its own that sets it.' },
      );
    }
    const path = ['', 'spec', 'template', 'spec', list, index, ...entry].join('/');
    const replace = { op: 'replace', path, value: wanted };
    // Rather than that another argument is replaced, the build shall break when theirs has moved.
    return on.place.foreign === undefined
      ? [replace]
      : [{ op: 'test', path, value: readPlace(on.place) }, replace];
  }
  refuseKnativeMerge(container.site, change.name);
  const set = change.kind === 'env' ? { env: [{ name: change.env, value: wanted }] } : { image: wanted };
  return mergeOf(object, { spec: { [container.list]: [{ name: container.name, ...set }] } });
}

/** What else the patch would change in which the change is not asked for at that very place. */
function othersReached(on: PatchInsteadOn, neighbours: readonly Site[]): readonly string[] {
  const { place, change } = on;
  const { patch } = place;
  if (!patch?.patch.target) return [];
  // An inventory says nothing of labels: what they may select, they select.
  const { labelSelector: _labels, annotationSelector: _annotations, ...target } = patch.patch.target;
  const widest = { ...patch, patch: { ...patch.patch, target } };
  return neighbours
    .filter(other => reaches(widest, other))
    .filter(other => {
      const found = on.sites.find(each => isSame(each.site, other));
      if (!found || !change.in.includes(targetKey(found.target))) return true;
      return !on.placesIn(found.site).some(each => samePlace(each, place));
    })
    .map(other => `${text(other.data['kind'])} ${builtName(other)}`);
}

function isSame(one: Site, other: Site): boolean {
  return (
    text(one.data['kind']) === text(other.data['kind']) &&
    one.name === other.name &&
    (one.namespace === undefined || other.namespace === undefined || one.namespace === other.namespace)
  );
}

function samePlace(one: ValuePlace, other: ValuePlace): boolean {
  return (
    one.file.path === other.file.path &&
    one.document === other.document &&
    JSON.stringify([one.path, one.inline]) === JSON.stringify([other.path, other.inline])
  );
}
