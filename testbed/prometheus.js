import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TestbedError } from './testbed-error.js';
/** @throws TestbedError saying how to install it, when there is no `prometheus` on PATH. */
export async function checkPrometheus() {
  await promisify(execFile)('prometheus', ['--version']).catch(cause => {
    throw new TestbedError(
      'There is no `prometheus` on PATH. On Debian and Ubuntu: apt-get install --no-install-recommends prometheus ' +
        '(the service that the package brings need not run).',
      { cause },
    );
  });
}
