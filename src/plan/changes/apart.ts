import { posix } from 'node:path';
import { items, record } from '../../build/json.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { VALUE_PATCH_HEADER } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { mergeOf, withPatch } from '../patch-list.ts';
import type { Layer } from '../tree/layers.ts';
import type { Manifest } from '../tree/manifests.ts';
import { splitImage } from '../../rollout/live-value.ts';
import { pathOf } from './containers.ts';
import { setInEntry, versionKeys } from './images.ts';
import type { Apart, PatchedWorkload } from './wanted.ts';
import type { ApartOn } from './workload-fields.ts';

/** By an images entry or a patch of a kustomization that only this environment uses. */
export function apartInLayer(layer: Layer, workload: PatchedWorkload, on: ApartOn): Apart {
  const { path } = layer.file;
  const own = {
    path,
    words: `patches in ${path}`,
    line: lineOf(layer.file, ['patches'], []),
    byManifest: false,
  };
  if (on.change.kind === 'image') return { ...own, ...entryOf(layer.file, [], on) };
  const name = `${workload.name}-${slugOf(on)}.yaml`;
  const content = on.change.kind === 'env' ? merging(workload, on) : replacing(on);
  const target = {
    kind: workload.kind,
    name: workload.name,
    ...(workload.namespace === undefined ? {} : { namespace: workload.namespace }),
  };
  return {
    ...own,
    write: edits => {
      const file = posix.join(layer.folder, name);
      edits.write(file, new YamlText(file, VALUE_PATCH_HEADER).withFirstDocument(content).text);
      edits.update(layer.file, kustomization =>
        kustomization.append(
          0,
          ['patches'],
          on.change.kind === 'env' ? { path: name } : { path: name, target },
        ),
      );
    },
  };
}

/** By a patch of the Kustomization itself, or an images entry of it. */
export function apartInManifest(definition: Manifest, workload: PatchedWorkload, on: ApartOn): Apart {
  const { file, document, root } = definition;
  const { kind, name } = workload;
  const list = { document, path: [...root, 'spec', 'patches'] };
  const content =
    on.change.kind === 'arg'
      ? replacing(on)
      : mergeOf(workload, { spec: { [on.container.list]: [containerWith(on)] } });
  return {
    path: file.path,
    words: `spec.patches in ${file.path}`,
    line: lineOf(file, list.path, [...root, 'spec'], document),
    byManifest: true,
    write: edits => {
      refuseKnativeMerge(workload, on);
      edits.update(file, at => withPatch(at, list, { object: { kind, name }, content }));
    },
  };
}

function lineOf(
  file: YamlText,
  path: readonly (string | number)[],
  above: readonly (string | number)[],
  document = 0,
): number {
  return file.lineOf(document, file.node(document, path) ? path : above);
}

/** The entry that has the image already, else a new one. */
function entryOf(
  file: YamlText,
  path: readonly (string | number)[],
  on: ApartOn,
): Pick<Apart, 'write' | 'words'> {
  const { repository } = splitImage(on.current);
  const wanted = splitImage(on.wanted);
  const keys = {
    ...versionKeys(wanted.version),
    ...(wanted.repository === repository ? {} : { newName: wanted.repository }),
  };
  return {
    words: `images in ${file.path}`,
    write: edits => {
      const now = edits.current(file);
      const entries = items(record(now.data(0))['images']).map(record);
      const index = entries.findLastIndex(
        ({ name, newName }) => name === repository || newName === repository,
      );
      if (index >= 0) {
        const address = { document: 0, path: [...path, 'images', index, 'name'] };
        setInEntry(edits, { file: file.path, content: now.text, address }, keys);
        return;
      }
      const given = Object.entries(keys).filter(([, value]) => value !== undefined);
      edits.update(now, at =>
        at.append(0, [...path, 'images'], { name: repository, ...Object.fromEntries(given) }),
      );
    },
  };
}

/** `env-error-fraction`, with the container's name where there are several. */
function slugOf({ change, container, isOnly }: ApartOn): string {
  const name = change.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${isOnly ? '' : `${container.name}-`}${change.kind}-${name}`;
}

/** Variables are merged by their names. */
function merging(workload: PatchedWorkload, on: ApartOn) {
  refuseKnativeMerge(workload, on);
  const { apiVersion, kind, name, namespace } = workload;
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { template: { spec: { [on.container.list]: [containerWith(on)] } } },
  };
}

function containerWith({ change, container, wanted }: ApartOn) {
  return change.kind === 'image'
    ? { name: container.name, image: wanted }
    : { name: container.name, env: [{ name: change.name, value: wanted }] };
}

/**
 * A list of strings is replaced whole by a strategic merge, and would hide what the base changes in it later; an
 * operation changes the one string, and the test before it breaks the build when the base has moved it.
 */
function replacing({ container, field, current, wanted }: ApartOn) {
  const path = ['', ...pathOf(container), ...field].join('/');
  return [
    { op: 'test', path, value: current },
    { op: 'replace', path, value: wanted },
  ];
}

/**
 * Kustomize knows no keys of lists in objects of other groups: a patch with one container would replace them all
 * (kyaml/yaml/merge2: InferAssociativeLists is off, and the schema of the object is not known).
 * @throws Refusal `shared-line`
 */
function refuseKnativeMerge({ apiVersion }: PatchedWorkload, { change }: ApartOn): void {
  if (!apiVersion.startsWith('serving.knative.dev/') || change.kind === 'arg') return;
  throw new Refusal(
    'shared-line',
    `${change.name} would be set by a patch of this environment, and a patch with a container replaces all containers of a Knative Service.`,
    { remedy: 'Say write: base, or write the container out in this environment’s own patch.' },
  );
}
