import * as core from '@actions/core';
import { z } from 'zod';
import type { CauseVerdict } from '../rollout/state.ts';
import { REASONS, type Reason } from '../rollout/verdict.ts';

/**
 * What main leaves for the post step: names only. Each saved value becomes an environment variable of post, and one of
 * 128 KiB keeps it from starting (E2BIG). Everything else is in the commit's trailers.
 */
export interface SavedState {
  /** Rollout id; also names the abort marker. */
  readonly id: string;
  /** The GitOps repository, `owner/repo`. */
  readonly repository?: string;
  /** Our commit; saved before it is pushed, so it may not be on the branch. */
  readonly commit?: string;
  readonly parent?: string;
  /** Why it was being reverted when main stopped. */
  readonly cause?: {
    readonly verdict: CauseVerdict;
    readonly reason: Reason;
    readonly detail: string;
    readonly errored: boolean;
  };
  /** The revert commit; saved before it is pushed, too. */
  readonly revert?: string;
  readonly checkRunId?: number;
  readonly commentIds?: readonly number[];
  /** Where main was when it last saved; `done`: nothing is left to be done. */
  readonly phase: 'preparing' | 'committing' | 'following' | 'reverting' | 'verifyingRevert' | 'done';
}

const KEY = 'rollout';
const LONGEST_DETAIL = 500;

const reason = z.string().refine((text): text is Reason => Object.hasOwn(REASONS, text), 'not a reason');

const savedStateSchema: z.ZodType<SavedState> = z.object({
  id: z.string().min(1),
  repository: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  parent: z.string().exactOptional(),
  cause: z
    .object({
      verdict: z.enum(['rolled-back', 'not-applied', 'not-started', 'promotion-failed', 'cancelled', 'timed-out']),
      reason,
      detail: z.string(),
      errored: z.boolean(),
    })
    .exactOptional(),
  revert: z.string().exactOptional(),
  checkRunId: z.number().exactOptional(),
  commentIds: z.array(z.number()).exactOptional(),
  phase: z.enum(['preparing', 'committing', 'following', 'reverting', 'verifyingRevert', 'done']),
});

/** Keeps the state for post; the last one saved counts. The runner reads it even when main is killed. */
export function saveState(state: SavedState): void {
  const { cause } = state;
  const short = cause ? { cause: { ...cause, detail: clip(cause.detail) } } : {};
  core.saveState(KEY, JSON.stringify({ ...state, ...short }));
}

/** What main left; undefined when it left nothing, or nothing that can be read. */
export function readSavedState(env: Readonly<Record<string, string | undefined>>): SavedState | undefined {
  const text = env[`STATE_${KEY}`];
  if (text === undefined || text === '') return undefined;
  const parsed = savedStateSchema.safeParse(json(text));
  return parsed.success ? parsed.data : undefined;
}

function clip(text: string): string {
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL - 1).toWellFormed()}…` : text;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
