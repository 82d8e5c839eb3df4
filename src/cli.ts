#!/usr/bin/env node
import { readArguments, USAGE, UsageError } from './cli/arguments.ts';
import { runCommand } from './cli/commands.ts';
import { ClusterForbidden, ClusterUnavailable } from './rollout/ports.ts';
import { Refusal } from './rollout/verdict.ts';

/** `gated-rollout plan|check|init`. Exit codes: 0; 1 the cluster could not be asked; 2 wrong usage; 3 refused. */
async function main(): Promise<number> {
  const notes: string[] = [];
  try {
    const given = readArguments(process.argv.slice(2));
    const note = (words: string): number => notes.push(`warning: ${words}`);
    const lines = given ? await runCommand(given, { env: process.env, note }) : [USAGE];
    print(process.stdout, [...notes, ...(notes.length > 0 ? [''] : []), ...lines]);
    return 0;
  } catch (error) {
    print(process.stderr, [...notes, ...wordsOf(error)]);
    return exitCodeOf(error);
  }
}

function wordsOf(error: unknown): readonly string[] {
  if (error instanceof Refusal) {
    return [
      `refused (${error.reason}): ${error.message}`,
      ...(error.remedy === undefined ? [] : [`What to do: ${error.remedy}`]),
    ];
  }
  if (error instanceof UsageError) return [error.message];
  if (isOfCluster(error)) return [`The cluster could not be asked: ${error.message}`];
  return [
    `gated-rollout itself failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  ];
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Refusal) return 3;
  if (error instanceof UsageError) return 2;
  return isOfCluster(error) ? 1 : 70;
}

function isOfCluster(error: unknown): error is Error {
  return error instanceof ClusterForbidden || error instanceof ClusterUnavailable;
}

function print(to: NodeJS.WriteStream, lines: readonly string[]): void {
  if (lines.length > 0) to.write(`${lines.join('\n')}\n`);
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 70;
  },
);
