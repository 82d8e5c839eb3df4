import * as core from '@actions/core';
import { z } from 'zod';
import { REASONS, type Reason } from '../rollout/verdict.ts';
import type { Memory } from '../run/memory.ts';

const KEY = 'rollout';
const POST_KEY = 'isPost';
const TOKENS_KEY = 'tokens';
const LONGEST_DETAIL = 500;

const reason = z.string().refine((text): text is Reason => Object.hasOwn(REASONS, text), 'not a reason');

const memorySchema: z.ZodType<Memory> = z.object({
  id: z.string().min(1),
  branch: z.string(),
  commit: z.string().exactOptional(),
  followed: z
    .object({
      trailers: z.array(z.tuple([z.string(), z.string()])),
      files: z.array(z.object({ path: z.string(), before: z.string() })),
    })
    .exactOptional(),
  seen: z
    .object({
      startedAt: z.number(),
      committed: z.number().exactOptional(),
      applied: z.number().exactOptional(),
      canaries: z.record(
        z.string(),
        z.object({
          delivered: z.number().exactOptional(),
          analysed: z.number().exactOptional(),
          promoted: z.number().exactOptional(),
          traffic: z.number().exactOptional(),
        }),
      ),
      changes: z.array(
        z.object({
          what: z.string(),
          target: z.string(),
          from: z.string(),
          to: z.string(),
          path: z.string(),
          line: z.number(),
        }),
      ),
    })
    .exactOptional(),
  ended: z.boolean(),
  cause: z
    .object({
      verdict: z.enum([
        'rolled-back',
        'not-applied',
        'not-started',
        'promotion-failed',
        'cancelled',
        'timed-out',
      ]),
      reason,
      detail: z.string(),
      errored: z.boolean(),
    })
    .exactOptional(),
  revert: z.string().exactOptional(),
});

type Env = Readonly<Record<string, string | undefined>>;

/** Tells the post step, which starts the same file, that it is the post step. */
export function markMain(): void {
  core.saveState(POST_KEY, 'true');
}

export function isPost(env: Env): boolean {
  return env[`STATE_${POST_KEY}`] === 'true';
}

/**
 * Keeps what the post step needs; the last one saved counts. The runner reads it even when main is killed. Each value
 * becomes an environment variable of post, and one of 128 KiB keeps it from starting (E2BIG).
 */
export function saveMemory(memory: Memory): void {
  const { cause } = memory;
  const short = cause ? { cause: { ...cause, detail: clip(cause.detail) } } : {};
  core.saveState(KEY, JSON.stringify({ ...memory, ...short }));
}

/** Keeps tokens for the post step to revoke, which must have been sealed: anybody in the job can read it. */
export function saveTokens(sealed: string): void {
  core.saveState(TOKENS_KEY, sealed);
}

/** Tokens that main could not revoke itself, sealed. */
export function readTokens(env: Env): string | undefined {
  const sealed = env[`STATE_${TOKENS_KEY}`];
  return sealed === '' ? undefined : sealed;
}

/** What main left; undefined when it left nothing, or nothing that can be read. */
export function readMemory(env: Env): Memory | undefined {
  const text = env[`STATE_${KEY}`];
  if (text === undefined || text === '') return undefined;
  return memorySchema.safeParse(json(text)).data;
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
