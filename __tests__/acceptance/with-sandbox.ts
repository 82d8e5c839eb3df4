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
