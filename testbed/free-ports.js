import { createServer } from 'node:net';
import { TestbedError } from './testbed-error.js';
/**
 * A source of ports that nobody listens on, each given once. They lie below Linux's ephemeral range (32768 and up):
 * there, an outgoing connection of a neighbour could take a port between this check and the program's start.
 */
export function freePorts() {
  const given = new Set();
  return async () => {
    for (let tries = 0; tries < 1000; tries += 1) {
      const port = 20_000 + Math.floor(Math.random() * 12_000);
      if (given.has(port) || !(await isFree(port))) continue;
      given.add(port);
      return port;
    }
    throw new TestbedError('No free port between 20000 and 32000.');
  };
}
function isFree(port) {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    // All interfaces, because Flagger and its load tester listen on all.
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
