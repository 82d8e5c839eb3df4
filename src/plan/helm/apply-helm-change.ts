import type { Change } from '../../config/settings.ts';
import type { AppliedChange, ChangeOn } from '../apply-change.ts';
import { notFound } from '../apply-change.ts';
import type { Site } from '../locate.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import { applyHelmChart } from './helm-chart.ts';
import { applyHelmImage } from './helm-image.ts';
import type { HelmSite } from './helm-site.ts';
import { helmValues } from './helm-values.ts';

/** Makes one change of a target that Helm renders. @throws Refusal. */
export async function applyToHelm(
  change: Extract<Change, { kind: 'image' | 'env' | 'arg' | 'chart' }>,
  on: ChangeOn & {
    readonly helm: HelmSite;
    readonly files: RepositoryFiles;
    /** HelmReleases of the change's targets. */
    readonly released: readonly Site[];
  },
): Promise<AppliedChange> {
  const { helm, objects, files } = on;
  const values = await helmValues(helm.object, { site: helm.site, objects, files });
  switch (change.kind) {
    case 'image':
      return await applyHelmImage(change, { ...on, values });
    case 'chart':
      return applyHelmChart(change, { ...on, values });
    case 'env':
    case 'arg':
      throw notFound(
        change,
        on,
        `${on.target} is rendered by Helm, and which value of ${helm.name} becomes its ${change.kind} ${change.name} is the chart’s to know; name it with at: {file: ${helm.site.file.path}, object: HelmRelease/${helm.site.name}, path: spec.values.…}`,
      );
  }
}
