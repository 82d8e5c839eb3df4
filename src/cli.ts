#!/usr/bin/env node
import { readArguments, USAGE, UsageError } from './cli/arguments.ts';
import { runCommand } from './cli/commands.ts';
import { ClusterForbidden, ClusterUnavailable } from './rollout/ports.ts';
import { Refusal } from './rollout/verdict.ts';

/** `gated-rollout plan|check|init`. Exit codes: 0; 1 the cluster could not be asked; 2 wrong usage; 3 refused. */
async function main(): Promise<number> {
  try {
    const given = readArguments(process.argv.slice(2));
    const lines = given ? await runCommand(given, process.env) : [USAGE];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    if (error instanceof Refusal) {
      const remedy = error.remedy === undefined ? '' : `\nWhat to do: ${error.remedy}`;
      process.stderr.write(`refused (${error.reason}): ${error.message}${remedy}\n`);
      return 3;
    }
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      return 2;
    }
    if (error instanceof ClusterForbidden || error instanceof ClusterUnavailable) {
      process.stderr.write(`The cluster could not be asked: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 70;
  },
);
