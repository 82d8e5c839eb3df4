import type { Change } from '../config/settings.ts';
import { VALUE_PATCH_HEADER } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { containersOf } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import type { FoundPlace } from './env-and-arg.ts';
import { refuseKnativeMerge } from './knative-target.ts';
import { join } from './kustomize-walk.ts';
import type { Site } from './locate.ts';
import { YamlText } from '../edit/yaml-text.ts';

/**
 * Sets a variable or an argument that is written outside of this environment's folder by a small patch of the folder
 * itself (write: overlay): other environments keep theirs.
 * @throws Refusal when the folder has no kustomization to list a patch, or the argument's place cannot be told.
 */
export function setValueInOverlay(
  change: Extract<Change, { kind: 'env' | 'arg' }>,
  found: FoundPlace,
  on: { readonly edits: Edits; readonly site: Site },
): void {
  const { site, edits } = on;
  const where = `${change.position.file}:${change.position.line}`;
  const layer = site.layers.find(({ kustomization }) => kustomization !== undefined);
  if (!layer?.kustomization) {
    throw new Refusal(
      'shared-line',
      `${where}: the folder that Flux applies has no kustomization to hold a patch.`,
      { remedy: 'Give it a kustomization.yaml, or say write: base.' },
    );
  }
  const name = `${site.name}-${slugOf(change, found, site)}.yaml`;
  const path = join(layer.folder, name);
  const start = new YamlText(path, VALUE_PATCH_HEADER);
  const patch = change.kind === 'env' ? merging(change, found, site) : replacing(change, found, where);
  edits.write(path, start.withFirstDocument(patch).text);
  const target = {
    kind: site.data['kind'],
    name: site.name,
    ...(site.namespace === undefined ? {} : { namespace: site.namespace }),
  };
  edits.update(layer.kustomization, file =>
    file.append(0, ['patches'], change.kind === 'env' ? { path: name } : { path: name, target }),
  );
}

/** `env-error-fraction`, with the container's name where there are several. */
function slugOf(change: Extract<Change, { kind: 'env' | 'arg' }>, found: FoundPlace, site: Site): string {
  const name = (change.kind === 'env' ? change.env : change.arg)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const container = containersOf(site).length > 1 ? `${found.container.name}-` : '';
  return `${container}${change.kind}-${name}`;
}

/** Variables are merged by their names. */
function merging(change: Extract<Change, { kind: 'env' }>, { container }: FoundPlace, site: Site) {
  refuseKnativeMerge(site, change.env);
  const { apiVersion, kind } = site.data;
  return {
    apiVersion,
    kind,
    metadata: {
      name: site.name,
      ...(site.namespace === undefined ? {} : { namespace: site.namespace }),
    },
    spec: {
      template: {
        spec: {
          [container.list]: [{ name: container.name, env: [{ name: change.env, value: change.value }] }],
        },
      },
    },
  };
}

/**
 * A list of strings is replaced whole by a strategic merge, and would hide what the base changes in it later; an
 * operation changes the one string, and the test before it breaks the build when the base has moved it.
 */
function replacing(change: Extract<Change, { kind: 'arg' }>, found: FoundPlace, where: string) {
  const { container, entry, before, value } = found;
  if (!entry) {
    throw new Refusal(
      'shared-line',
      `${where}: ${change.arg} is appended by a patch in ${found.place.file.path}, so that its place in the list cannot be told.`,
      { remedy: 'Say write: base, or set the argument in this environment’s folder.' },
    );
  }
  const path = ['', 'spec', 'template', 'spec', container.list, container.index, ...entry].join('/');
  return [
    { op: 'test', path, value: `${before}${value}` },
    { op: 'replace', path, value: `${before}${change.value}` },
  ];
}
