import { setTimeout as sleep } from 'node:timers/promises';
import { Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';

/** Runs a scenario on a sandbox of its own, and takes it down whatever happens. */
export async function withSandbox<T>(
  options: SandboxOptions,
  scenario: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const sandbox = await Sandbox.start(options);
  try {
    return await scenario(sandbox);
  } finally {
    await sandbox.close();
  }
}

/**
 * In the middle of the analysis: Flagger makes no further step until the returned function is called, so that what is
 * done to the rollout meanwhile is done there, however slow the machine is.
 */
export async function midAnalysis(sandbox: Sandbox, name?: string): Promise<() => void> {
  await sandbox.waitForPhase('Progressing', name);
  sandbox.cluster.faults.pauseFlagger(true);
  return () => sandbox.cluster.faults.pauseFlagger(false);
}

/** Until it holds; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

/** Until a revert is on the branch of the GitOps repository. */
export async function revertPushed(sandbox: Sandbox): Promise<void> {
  await until(async () => (await sandbox.titles()).some(title => title.startsWith('Revert')));
}
