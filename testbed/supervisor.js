/**
 * The process that owns all others. It is started by process-group.ts, takes orders over Node's IPC channel, and when
 * that channel closes, whatever the reason (its parent ended, crashed, or was killed with SIGKILL), it kills every
 * process that it started and removes the data folder. So nothing outlives a test run, and no signal has to be caught.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { supervisorOrder } from './supervisor-protocol.js';
const [dataFolder] = process.argv.slice(2);
const running = new Map();
let ending = false;
function tell(event) {
  if (process.connected) process.send?.(event);
}
function start(order) {
  const log = openSync(order.log, 'a');
  // A process group of its own, so that what a child starts (the load tester runs shell commands) dies with it.
  const child = spawn(order.command, order.args, {
    env: order.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  running.set(order.name, child);
  child.on('spawn', () => tell({ type: 'started', name: order.name, pid: child.pid ?? 0 }));
  child.on('error', error => {
    running.delete(order.name);
    tell({ type: 'exited', name: order.name, how: error.message });
  });
  child.on('exit', (code, signal) => {
    running.delete(order.name);
    tell({ type: 'exited', name: order.name, how: signal ?? `exit code ${code}` });
  });
}
/** SIGKILL at once: all their state is thrown away, and a polite end takes some of them half a minute. */
function kill(child) {
  return new Promise(resolve => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.on('exit', () => resolve());
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  });
}
async function end() {
  if (ending) return;
  ending = true;
  await Promise.all([...running.values()].map(kill));
  if (dataFolder !== undefined) await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
  process.exit(0);
}
process.on('message', message => {
  const order = supervisorOrder.parse(message);
  if (ending) return;
  if (order.type === 'start') start(order);
  else {
    const child = running.get(order.name);
    if (child === undefined) tell({ type: 'exited', name: order.name, how: 'not running' });
    else void kill(child);
  }
});
process.on('disconnect', () => void end());
// Its parent decides when it ends, also when a terminal or a CI runner signals everybody.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end());
