import { Sandbox } from '../../sandbox/sandbox.js';
/** Runs a scenario on a sandbox of its own, and takes it down whatever happens. */
export async function withSandbox(options, scenario) {
  const sandbox = await Sandbox.start(options);
  try {
    return await scenario(sandbox);
  } finally {
    await sandbox.close();
  }
}
