import type { BuiltObject } from '../../build/tree-builder.ts';
import type { Edits } from '../../edit/edits.ts';
import type { YamlText } from '../../edit/yaml-text.ts';
import type { Change } from '../../config/settings.ts';
import type { TargetRef } from '../../rollout/target.ts';
import type { Ground, WantedField } from '../changes/wanted.ts';
import type { IdPlacement } from '../plan.ts';
import type { Applied } from '../tree/applied.ts';
import type { BuiltTree } from '../tree/flux-tree.ts';

/**
 * Where a target comes from: a manifest of this repository, a workload of another one behind a Kustomization of ours, or
 * a HelmRelease. The planner asks no more than this of any of them.
 */
export interface TargetSource {
  readonly target: TargetRef;
  /** The Kustomization in whose build the target is looked up, or what brings it. */
  readonly of: Applied;
  /** What a release changes there: the target itself, or the HelmRelease that renders it. */
  readonly object: BuiltObject;
  /** The Kustomization by which its Canary comes from this repository. */
  readonly beside: Applied;
  /** The target is in the build itself, so that what is built of its pod template can be compared. */
  readonly isBuilt: boolean;
  /** The pod template: as it is built, or as it is live where nothing here builds it. */
  readonly template: unknown;
  /** The fields that a change asks other values for. @throws Refusal. */
  fieldsOf(change: TemplateChange, ground: Ground): Promise<readonly WantedField[]>;
  /** Ways to put annotations on the pod template, the best first. */
  idWays(on: IdOn): AsyncIterable<IdWay>;
  /** The rollout's id, as a build brings it to the target. */
  hasId(built: BuiltTree, id: string): boolean;
  /** Where a Canary goes that is added. */
  home(ground: Ground): Promise<CanaryHome>;
  /** Whether the target is made of another object's content: values of Helm. */
  takesFrom(object: { readonly kind: string; readonly name: string }): boolean;
  /** What a release may change of `object` beside the values asked for. */
  mayChange(path: readonly string[]): boolean;
}

export type TemplateChange = Extract<Change, { kind: 'image' | 'env' | 'arg' | 'chart' }>;

export interface IdOn {
  readonly ground: Ground;
  readonly annotations: Readonly<Record<string, string>>;
  /** Values of the release are set in the manifest of the Kustomization: the id must be in it, too. */
  readonly byManifest: boolean;
}

export interface IdWay {
  readonly write: (edits: Edits) => IdPlacement;
}

export interface CanaryHome {
  /** A file in whose folder it goes. */
  readonly beside: string;
  /** The kustomization that must list it; undefined where Flux takes every file. */
  readonly kustomization: { readonly file: YamlText; readonly folder: string } | undefined;
  /** The target's name and namespace, as they are written there. */
  readonly name: string;
  readonly namespace?: string;
}
