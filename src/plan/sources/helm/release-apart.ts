import { posix } from 'node:path';
import { items, record, text } from '../../../build/json.ts';
import type { Change } from '../../../config/settings.ts';
import { YamlText } from '../../../edit/yaml-text.ts';
import { VALUE_PATCH_HEADER } from '../../../rollout/target.ts';
import { Refusal } from '../../../rollout/verdict.ts';
import type { Apart, Ground, PatchedWorkload } from '../../changes/wanted.ts';
import type { Layer } from '../../tree/layers.ts';
import type { SetInRelease } from './rendered.ts';
import { dotted } from './value-images.ts';

/**
 * Sets values by a small patch of a kustomization that only this environment uses. A HelmRelease's own values win over
 * those that it takes from elsewhere, so that one patch does for both.
 * @throws Refusal when a value is in a list, which a patch would replace.
 */
export async function releaseApart(
  values: readonly SetInRelease[],
  on: {
    readonly change: Change;
    /** The HelmRelease as it is written. */
    readonly release: PatchedWorkload;
    readonly layers: readonly Layer[];
    readonly ground: Ground;
  },
): Promise<readonly Apart[]> {
  const { change, release, layers, ground } = on;
  const inList = values.find(({ path }) => path.some(key => typeof key === 'number'));
  if (inList) {
    throw new Refusal(
      'shared-line',
      `${change.position.file}:${change.position.line}: ${dotted(inList.path)} of HelmRelease ${release.name} is in a list, which a patch of this environment would replace as a whole.`,
      { remedy: 'Say write: base, or write the list into the values of this environment first.' },
    );
  }
  const { apiVersion, kind, name, namespace } = release;
  const fileName = `${name}-values.yaml`;
  return await Promise.all(
    layers.map(async ({ file: kustomization, folder }) => {
      const path = posix.join(folder, fileName);
      // Made by an earlier release, for another value of the same HelmRelease.
      const before = (await ground.tree.text(path)) ?? '';
      return {
        path: kustomization.path,
        line: kustomization.lineOf(0, kustomization.node(0, ['patches']) ? ['patches'] : []),
        words: `patches in ${kustomization.path}`,
        byManifest: false,
        write: edits => {
          const written = edits.current(new YamlText(path, before));
          const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
          const start =
            written.text === ''
              ? new YamlText(path, VALUE_PATCH_HEADER).withFirstDocument({ apiVersion, kind, metadata })
              : written;
          const patch = values.reduce((file, each) => file.set(0, each.path, each.value), start);
          edits.write(path, patch.text);
          edits.update(kustomization, file =>
            items(record(file.data(0))['patches']).some(each => text(record(each)['path']) === fileName)
              ? file
              : file.append(0, ['patches'], { path: fileName }),
          );
        },
      } satisfies Apart;
    }),
  );
}
