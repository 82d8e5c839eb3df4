import type { Change, RolloutFile } from '../../config/settings.ts';
import type { Path } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { Edits } from '../../edit/edits.ts';
import type { Expectation } from '../../rollout/expectation.ts';
import type { TargetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Applied } from '../tree/applied.ts';
import type { FluxTree } from '../tree/flux-tree.ts';
import type { ArrivedAt, Followed, Origin } from '../tree/origins.ts';
import type { Sharers } from '../tree/sharers.ts';

/** What a plan is made in. */
export interface Ground {
  readonly tree: FluxTree;
  readonly sharers: Sharers;
  readonly edits: Edits;
  readonly settings: Pick<RolloutFile, 'write' | 'imageAutomation'>;
}

/** A field of what is built, and the value that it shall have. */
export interface Proven {
  readonly of: Applied;
  readonly read: (objects: readonly BuiltObject[]) => unknown;
  readonly wanted: string;
}

/** A field of what is built that a change asks another value for. */
export interface WantedField extends Followed, Proven {
  readonly change: Change;
  readonly target: TargetKey;
  /** Where it is in the build. */
  readonly object: BuiltObject;
  readonly path: Path;
  /** For people: `image ghcr.io/acme/shop`, `6.1.0`, `6.2.0`. */
  readonly words: { readonly change: string; readonly current: string; readonly requested: string };
  readonly isThere: boolean;
  readonly expectation: Expectation;
  readonly currentExpectation: Expectation;
  /** Writes it where it stands. */
  readonly inPlace: (ground: Ground, origin: Origin) => Promise<void>;
  /** Ways to set it for this environment alone, the best first. */
  readonly apart: (ground: Ground) => Promise<readonly Apart[]>;
  /** Where nothing of this repository sets it. */
  readonly elsewhere?: string;
  /** Whether a place in the build where its value arrives, too, belongs to what is asked for. */
  readonly isMeant?: (arrived: ArrivedAt) => boolean;
  /** What else is made of it, and is in no build. */
  readonly alsoIn?: (origin: Origin) => readonly string[];
}

/** A way to set a value for this environment alone. */
export interface Apart {
  readonly path: string;
  readonly line: number;
  /** `spec.patches in clusters/apps.yaml` */
  readonly words: string;
  /** It is in the manifest of the Kustomization. */
  readonly byManifest: boolean;
  readonly write: (edits: Edits) => void;
}

/** What a patch of ours is of. */
export interface PatchedWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  /** As written, before prefixes. */
  readonly name: string;
  readonly namespace?: string;
  /** How an entry of a list of patches selects it, where its own names do not. */
  readonly selected?: { readonly target: { readonly kind: string; readonly name: string } };
}

export function notFound(
  change: Change,
  on: { readonly target: TargetKey; readonly where: string },
  what: string,
): Refusal {
  const { file, line } = change.position;
  return new Refusal(
    'change-not-found',
    `The change at ${file}:${line} matches nothing in ${on.target} (${on.where}): ${what}.`,
    { remedy: 'Name what the manifests have, or add it to them first.' },
  );
}
