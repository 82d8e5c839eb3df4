import type { Verdict } from './verdict.ts';

/**
 * How an image automation of Flux is held while we release, as it stands in the cluster: there is no other memory, and
 * several rollouts may hold the same one. Ids are of rollouts.
 */
export interface AutomationHold {
  readonly suspended: boolean;
  /** Rollouts under way that need it still; it goes on when the last of them has ended well. */
  readonly heldFor: readonly string[];
  /** Rollouts that were taken back: it would write the rejected version again, so that a person has to resume it. */
  readonly keptFor: readonly string[];
}

/** Suspended, and not by us. */
export function suspendedByAPerson({ suspended, heldFor, keptFor }: AutomationHold): boolean {
  return suspended && heldFor.length === 0 && keptFor.length === 0;
}

/** A rollout begins. What a person suspended is left alone; marks of ours on one that a person resumed mean nothing. */
export function heldBy(hold: AutomationHold, id: string): AutomationHold {
  if (suspendedByAPerson(hold)) return hold;
  if (!hold.suspended) return { suspended: true, heldFor: [id], keptFor: [] };
  return hold.heldFor.includes(id) ? hold : { ...hold, heldFor: [...hold.heldFor, id] };
}

/** A rollout is taken back: from here on only a person may resume. */
export function keptBy(hold: AutomationHold, id: string): AutomationHold {
  if (suspendedByAPerson(hold)) return hold;
  if (!hold.suspended) return { suspended: true, heldFor: [], keptFor: [id] };
  const keptFor = hold.keptFor.includes(id) ? hold.keptFor : [...hold.keptFor, id];
  return { suspended: true, heldFor: hold.heldFor.filter(each => each !== id), keptFor };
}

/** A rollout ended well, or never began. */
export function releasedBy(hold: AutomationHold, id: string): AutomationHold {
  if (!hold.heldFor.includes(id)) return hold;
  const heldFor = hold.heldFor.filter(each => each !== id);
  if (!hold.suspended) return { suspended: false, heldFor: [], keptFor: [] };
  return { ...hold, heldFor, suspended: heldFor.length > 0 || hold.keptFor.length > 0 };
}

const ENDS: Readonly<Record<Verdict, 'release' | 'keep' | 'leave'>> = {
  promoted: 'release',
  initialized: 'release',
  unchanged: 'release',
  refused: 'release',
  // Git holds what a newer commit wants, and nothing of ours was taken back.
  superseded: 'release',
  // A later run goes on with it.
  pending: 'leave',
  'rolled-back': 'keep',
  'not-applied': 'keep',
  'not-started': 'keep',
  'revert-blocked': 'keep',
  'revert-unverified': 'keep',
  'promotion-failed': 'keep',
  // A person has to look, and may take the release back by hand.
  unknown: 'keep',
  cancelled: 'keep',
  'timed-out': 'keep',
};

/** What an end of a rollout means for the automations that it holds. */
export function holdAfter(verdict: Verdict): 'release' | 'keep' | 'leave' {
  return ENDS[verdict];
}
