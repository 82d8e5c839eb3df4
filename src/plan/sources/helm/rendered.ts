import type { Path } from '../../../build/json.ts';
import type { BuiltObject } from '../../../build/tree-builder.ts';
import type { Change } from '../../../config/settings.ts';
import type { TargetRef } from '../../../rollout/target.ts';
import type { Apart, Ground } from '../../changes/wanted.ts';
import { identity } from '../../differences.ts';
import type { Applied } from '../../tree/applied.ts';

/** A target that a HelmRelease renders. */
export interface Rendered {
  readonly target: TargetRef;
  readonly of: Applied;
  /** As built. */
  readonly release: BuiltObject;
  /** `HelmRelease prod/shop` */
  readonly name: string;
  /** Where the HelmRelease is written, for people. */
  readonly where: string;
  /** The live pod template: what Helm made of it. */
  readonly template: unknown;
  readonly objects: readonly BuiltObject[];
  /** HelmReleases of the change's targets. */
  readonly released: readonly string[];
  /** Ways to set values of the HelmRelease for this environment alone. */
  readonly apart: (
    values: readonly SetInRelease[],
    ground: Ground,
    change: Change,
  ) => Promise<readonly Apart[]>;
}

export interface SetInRelease {
  /** In the HelmRelease. */
  readonly path: Path;
  readonly value: string;
}

export function releaseIn(
  objects: readonly BuiltObject[],
  { release }: Pick<Rendered, 'release'>,
): BuiltObject | undefined {
  return objects.find(object => identity(object) === identity(release));
}

export function isHelmRelease({ kind, apiVersion }: BuiltObject): boolean {
  return kind === 'HelmRelease' && apiVersion.startsWith('helm.toolkit.fluxcd.io/');
}
