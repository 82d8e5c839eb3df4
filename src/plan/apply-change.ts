import { isAlias } from 'yaml';
import type { Change, RolloutFile } from '../config/settings.ts';
import type { Expectation } from '../rollout/expectation.ts';
import type { ObjectRef, TargetKey, TargetRef } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { type ContainerSite, containersOf } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import { findInContainer } from './env-and-arg.ts';
import {
  type ImageInBuild,
  imageInBuild,
  imageReference,
  isSharedSetter,
  whereOf,
  writeImage,
} from './image-places.ts';
import { objectsIn, type Site } from './locate.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { FoundValue } from './plan.ts';
import { setInOverlay } from './overlay-image.ts';
import { setValueInOverlay } from './overlay-value.ts';
import { type PatchInstead, patchInstead } from './patch-instead.ts';
import { items, record, text } from './patch-reach.ts';
import { refuseOthers } from './shared-place.ts';
import { lineOfPlace, type ValuePlace, writePlace } from './value-setter.ts';
import { YamlText } from '../edit/yaml-text.ts';

export interface AppliedChange {
  readonly found: FoundValue;
  /** Absent where a value must not be read or shown. */
  readonly expectation?: Expectation;
  /** The generated object that changes with it. */
  readonly subject?: ObjectRef;
}

export interface ChangeOn {
  readonly edits: Edits;
  readonly target: TargetKey;
  readonly site: Site;
  /** Everything that the same folder builds. */
  readonly objects: readonly Site[];
  /** All targets of the rollout. */
  readonly sites: readonly { readonly target: TargetRef; readonly site: Site }[];
  readonly settings: Pick<RolloutFile, 'write' | 'imageAutomation'>;
}

/** Makes one change of a target's pod template where the build takes it from. @throws Refusal. */
export function applyToTemplate(
  change: Extract<Change, { kind: 'image' | 'env' | 'arg' | 'chart' }>,
  on: ChangeOn,
): readonly AppliedChange[] {
  switch (change.kind) {
    case 'image':
      return applyImage(change, on);
    case 'env':
    case 'arg':
      return [applyValue(change, on)];
    case 'chart':
      throw notFound(change, on, 'no HelmRelease brings it, so that it has no chart');
  }
}

function applyImage(change: Extract<Change, { kind: 'image' }>, on: ChangeOn): readonly AppliedChange[] {
  const images = containersOf(on.site)
    .map(imageInBuild)
    .filter(image => image !== undefined);
  const wanted = images.filter(image =>
    change.container === undefined
      ? image.names.includes(change.repository)
      : image.container.name === change.container && image.names.includes(change.repository),
  );
  if (wanted.length === 0) {
    const seen = images.map(
      ({ container, repository, version }) => `${container.name}: ${repository}:${version}`,
    );
    throw notFound(
      change,
      on,
      `no container has the image ${change.repository}; it has ${seen.join(', ') || 'none'}`,
    );
  }
  // What is written out before what is an alias of it.
  const ordered = wanted.toSorted((one, other) => Number(isAliased(one)) - Number(isAliased(other)));
  return ordered.map(image => {
    const repository = change.newRepository ?? image.repository;
    const instead = imagePatch(change, image, on);
    const where = instead ? { ...instead, text: '' } : whereOf(image.versionBy);
    const shared = isSharedSetter(image.versionBy);
    if (instead) {
      if (image.version !== change.version || image.repository !== repository) instead.write(on.edits);
    } else if (shared && on.settings.write === 'overlay' && change.newRepository === undefined) {
      if (image.version !== change.version) setInOverlay(change, image, on);
    } else {
      guardLine(change, on, { ...where, shared });
      if (image.version !== change.version) refuseOthers(change, image.versionBy, on);
      if (change.newRepository !== undefined) refuseOthers(change, image.repositoryBy, on);
      writeImage(on.edits, image, { version: change.version, repository: change.newRepository });
    }
    const expectation = { kind: 'image', target: on.target, ...named(image.container) } as const;
    return {
      found: {
        change: `image ${image.repository}`,
        target: on.target,
        path: where.path,
        line: where.line,
        current: image.version,
        requested: change.newRepository === undefined ? change.version : `${repository}:${change.version}`,
        currentExpectation: { ...expectation, repository: image.repository, version: image.version },
      },
      expectation: { ...expectation, repository, version: change.version },
    };
  });
}

function isAliased({ versionBy }: ImageInBuild): boolean {
  if (versionBy.kind !== 'reference') return false;
  const { file, document, path, inline } = versionBy.place;
  return inline === undefined && isAlias(file.node(document, path));
}

function imagePatch(
  change: Extract<Change, { kind: 'image' }>,
  image: ImageInBuild,
  on: ChangeOn,
): PatchInstead | undefined {
  const { versionBy, container } = image;
  if (versionBy.kind !== 'reference') return undefined;
  const placesIn = (site: Site): readonly ValuePlace[] =>
    containersOf(site)
      .map(imageInBuild)
      .flatMap(each => (each?.versionBy.kind === 'reference' ? [each.versionBy.place] : []));
  return patchInstead({
    ...on,
    change,
    container,
    place: versionBy.place,
    wanted: imageReference(change.newRepository ?? image.repository, change.version),
    write: on.settings.write,
    placesIn,
  });
}

function applyValue(change: Extract<Change, { kind: 'env' | 'arg' }>, on: ChangeOn): AppliedChange {
  const container = chosenContainer(change, on);
  const found = findInContainer(container, change);
  const name = change.kind === 'env' ? change.env : change.arg;
  if (found === undefined) {
    const entries =
      change.kind === 'env'
        ? items(container.data['env']).map(entry => text(record(entry)['name']))
        : items(container.data['args']).map(text);
    throw notFound(
      change,
      on,
      `container ${container.name} has no ${change.kind} ${name}; it has ${entries.join(', ') || 'none'}`,
    );
  }
  const instead = patchInstead({
    ...on,
    change,
    container,
    place: found.place,
    wanted: `${found.before}${change.value}`,
    entry: found.entry,
    write: on.settings.write,
    placesIn: site => containersOf(site).flatMap(each => findInContainer(each, change)?.place ?? []),
  });
  const { path, line } = instead ?? { path: found.place.file.path, line: lineOfPlace(found.place) };
  if (found.indirect !== undefined) {
    throw notFound(change, on, `${name} comes from ${found.indirect} (${path}:${line}), not from a value`);
  }
  if (instead) {
    if (found.value !== change.value) instead.write(on.edits);
  } else if (found.place.shared && on.settings.write === 'overlay') {
    if (found.value !== change.value) setValueInOverlay(change, found, on);
  } else {
    guardLine(change, on, {
      path,
      line,
      text: found.place.file.text.split('\n')[line - 1] ?? '',
      shared: found.place.shared,
    });
    if (found.value !== change.value) {
      refuseOthers(change, { kind: 'reference', place: found.place }, on);
      writePlace(on.edits, found.place, `${found.before}${change.value}`);
    }
  }
  const expectation = { kind: change.kind, target: on.target, ...named(container), name } as const;
  return {
    found: {
      change: `${change.kind} ${name}`,
      target: on.target,
      path,
      line,
      current: found.value,
      requested: change.value,
      currentExpectation: { ...expectation, value: found.value },
    },
    expectation: { ...expectation, value: change.value },
  };
}

/** The only container of a Knative Service needs no name; Knative gives it one in the cluster. */
function named({ name }: ContainerSite): { readonly container?: string } {
  return name === '' ? {} : { container: name };
}

function chosenContainer(change: Extract<Change, { kind: 'env' | 'arg' }>, on: ChangeOn): ContainerSite {
  const all = containersOf(on.site).filter(({ list }) => list === 'containers');
  const names = all.map(({ name }) => name).join(', ');
  if (change.container !== undefined) {
    const named = containersOf(on.site).find(({ name }) => name === change.container);
    if (named) return named;
    throw notFound(change, on, `there is no container ${change.container}; there are ${names}`);
  }
  const [only] = all;
  if (all.length === 1 && only) return only;
  const having = all.filter(container => findInContainer(container, change) !== undefined);
  const [one] = having;
  if (having.length === 1 && one) return one;
  throw new Refusal(
    'change-ambiguous',
    `${on.target} has the containers ${names}; which one is meant by ${change.name}?`,
    {
      remedy: `Say container: in ${change.position.file}:${change.position.line}.`,
    },
  );
}

/** A field of any object: the file and the object are named, so that nothing is searched for. */
export async function applyToField(
  change: Extract<Change, { kind: 'field' }>,
  on: { readonly edits: Edits; readonly files: RepositoryFiles; readonly settings: ChangeOn['settings'] },
): Promise<readonly AppliedChange[]> {
  const blob = await on.files.read(change.file);
  const where = `${change.position.file}:${change.position.line}`;
  if (!blob) {
    throw new Refusal(
      'change-not-found',
      `${change.file}, which ${where} names, does not exist in the GitOps repository.`,
      {
        remedy: 'Name the file by its path from the root of that repository.',
      },
    );
  }
  const file = on.edits.current(new YamlText(change.file, blob.text));
  const { kind, name, namespace } = change.object;
  const objects = objectsIn(file).map(each => ({ ...each, data: record(each.data) }));
  const site = objects.find(({ data }) => {
    const metadata = record(data['metadata']);
    const ofNamespace =
      namespace === undefined || metadata['namespace'] === undefined || metadata['namespace'] === namespace;
    return data['kind'] === kind && metadata['name'] === name && ofNamespace;
  });
  if (!site) {
    const seen = objects.map(({ data }) => `${text(data['kind'])}/${text(record(data['metadata'])['name'])}`);
    throw new Refusal(
      'change-not-found',
      `${change.file} has no ${kind}/${name} (${where}); it has ${seen.join(', ')}.`,
      {
        remedy: 'Check the object’s kind and name as they are written in the file.',
      },
    );
  }
  const path = [...site.root, ...change.path];
  const value = file.scalar(site.document, path)?.value;
  const current = value === undefined || value === null ? undefined : String(value);
  if (current === undefined) {
    throw new Refusal(
      'change-not-found',
      `${change.file}: ${kind}/${name} has no single value at ${change.path.join('.')} (${where}).`,
      {
        remedy: 'Check the path; keys that have dots stand in brackets: data["app.properties"].',
      },
    );
  }
  const line = file.lineOf(site.document, path);
  guardImagePolicy(on.settings, { path: change.file, line, text: file.lineText(site.document, path) });
  if (current !== change.value) on.edits.update(file, at => at.setScalar(site.document, path, change.value));
  return change.in.map(target => {
    const expectation = { kind: 'field', target, object: change.object, path: change.path } as const;
    return {
      found: {
        change: `${kind}/${name} ${change.path.join('.')}`,
        target,
        path: change.file,
        line,
        current,
        requested: change.value,
        currentExpectation: { ...expectation, value: current },
      },
      expectation: { ...expectation, value: change.value },
    };
  });
}

interface Line {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export function guardLine(change: Change, on: ChangeOn, at: Line & { readonly shared: boolean }): void {
  guardImagePolicy(on.settings, at);
  if (!at.shared || on.settings.write === 'base') return;
  throw new Refusal(
    'shared-line',
    `${change.name} of ${on.target} is set in ${at.path}:${at.line}, outside of the folder that Flux applies (${on.site.layers[0]?.folder ?? ''}); other environments may build upon it.`,
    {
      remedy:
        'Say write: overlay in rollout.yaml to set it for this environment alone (an images entry or a patch of its own), or write: base to change it for all of them.',
    },
  );
}

function guardImagePolicy(settings: ChangeOn['settings'], at: Line): void {
  if (settings.imageAutomation !== 'refuse' || !at.text.includes('$imagepolicy')) return;
  throw new Refusal(
    'image-automation',
    `${at.path}:${at.line} is written by Flux image automation ($imagepolicy), which would undo a revert.`,
    {
      remedy:
        'Say image-automation: suspend in rollout.yaml to have it suspended while we release, or image-automation: follow to follow its commit.',
    },
  );
}

export function notFound(change: Change, on: ChangeOn, what: string): Refusal {
  const { file, line } = change.position;
  return new Refusal(
    'change-not-found',
    `The change at ${file}:${line} matches nothing in ${on.target} (${on.site.file.path}): ${what}.`,
    { remedy: 'Name what the manifests have, or add it to them first.' },
  );
}
