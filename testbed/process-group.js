import { fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { supervisorEvent } from './supervisor-protocol.js';
import { TestbedError } from './testbed-error.js';
/** Starts the supervisor. Its programs see PATH and what their command sets, nothing else of this environment. */
export function startProcessGroup(folders) {
  const supervisor = fork(fileURLToPath(new URL('./supervisor.ts', import.meta.url)), [folders.data], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', openSync(join(folders.logs, 'supervisor.log'), 'a'), 'ipc'],
  });
  const commands = new Map();
  const pids = new Map([['supervisor', supervisor.pid ?? 0]]);
  const waiting = new Map();
  const ended = new Map();
  const gone = new Promise(resolve => supervisor.on('exit', () => resolve()));
  supervisor.on('message', message => {
    const event = supervisorEvent.parse(message);
    if (event.type === 'started') pids.set(event.name, event.pid);
    else {
      pids.delete(event.name);
      ended.set(event.name, event.how);
    }
    waiting.get(event.name)?.(event);
    waiting.delete(event.name);
  });
  const send = order =>
    new Promise((resolve, reject) => {
      waiting.set(order.name, resolve);
      supervisor.send(order, error => {
        if (error !== null) reject(new TestbedError('The supervisor is gone.', { cause: error }));
      });
    });
  const group = {
    async start(command) {
      commands.set(command.name, command);
      ended.delete(command.name);
      const { pid } = await send({
        type: 'start',
        name: command.name,
        command: command.command,
        args: [...command.args],
        env: { PATH: process.env.PATH ?? '', HOME: folders.data, TMPDIR: folders.data, ...command.env },
        log: join(folders.logs, `${command.name}.log`),
      });
      if (pid === undefined) await group.check();
      return pid ?? 0;
    },
    async kill(name) {
      await send({ type: 'kill', name });
      ended.delete(name);
    },
    async restart(name) {
      const command = commands.get(name);
      if (command === undefined) throw new TestbedError(`Nothing named ${name} was started.`);
      await group.kill(name);
      return group.start(command);
    },
    pids: () => pids,
    async check() {
      for (const [name, how] of ended) {
        const tail = await lastLines(join(folders.logs, `${name}.log`));
        throw new TestbedError(`${name} ended by itself (${how}). The end of its log:\n${tail}`);
      }
    },
    async end() {
      if (supervisor.connected) supervisor.disconnect();
      await gone;
    },
  };
  return group;
}
async function lastLines(file) {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}
