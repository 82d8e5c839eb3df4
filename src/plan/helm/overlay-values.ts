import type { Change } from '../../config/settings.ts';
import { VALUE_PATCH_HEADER } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Edits } from '../../edit/edits.ts';
import { join } from '../kustomize-walk.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import type { HelmSite } from './helm-site.ts';
import type { ValueEdit } from './value-edits.ts';
import { dotted } from './value-images.ts';

/**
 * Sets values that are written outside of this environment's folder by a small patch of the folder itself
 * (write: overlay). A HelmRelease's own values win over those that it takes from elsewhere, so that one patch does for both.
 * @throws Refusal when the folder has no kustomization, or the value is in a list, which a patch would replace.
 */
export function overlayValues(
  change: Change,
  values: readonly ValueEdit[],
  on: { readonly edits: Edits; readonly helm: HelmSite },
): void {
  const { edits, helm } = on;
  const { site } = helm;
  const where = `${change.position.file}:${change.position.line}`;
  const layer = site.layers.find(({ kustomization }) => kustomization !== undefined);
  if (!layer?.kustomization) {
    throw new Refusal(
      'shared-line',
      `${where}: the folder that Flux applies has no kustomization to hold a patch.`,
      { remedy: 'Give it a kustomization.yaml, or say write: base.' },
    );
  }
  const inList = values.find(({ part }) => part.path.some(key => typeof key === 'number'));
  if (inList) {
    throw new Refusal(
      'shared-line',
      `${where}: ${dotted(inList.part.path)} of ${helm.name} is in a list, which a patch of this environment would replace as a whole.`,
      { remedy: 'Say write: base, or write the list into the values of this environment first.' },
    );
  }
  const name = `${site.name}-values.yaml`;
  const path = join(layer.folder, name);
  // Made by an earlier release, for another value of the same HelmRelease.
  const listed = layer.patches.flatMap(({ at }) =>
    at.kind === 'file' && at.file.path === path ? [at.file] : [],
  );
  const written = edits.current(listed[0] ?? new YamlText(path, ''));
  const isNew = written.text === '';
  const { apiVersion, kind } = site.data;
  const metadata = {
    name: site.name,
    ...(site.namespace === undefined ? {} : { namespace: site.namespace }),
  };
  const start = isNew
    ? new YamlText(path, VALUE_PATCH_HEADER).withFirstDocument({ apiVersion, kind, metadata })
    : written;
  const patch = values.reduce(
    (file, { part, value }) => file.set(0, ['spec', 'values', ...part.path], value),
    start,
  );
  edits.write(path, patch.text);
  if (isNew) edits.update(layer.kustomization, file => file.append(0, ['patches'], { path: name }));
}
