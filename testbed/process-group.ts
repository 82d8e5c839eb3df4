import { fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SupervisorOrder, supervisorEvent } from './supervisor-protocol.ts';
import { TestbedError } from './testbed-error.ts';

/** A program to run. */
export interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Processes that live no longer than this one, see supervisor.ts. */
export interface ProcessGroup {
  /** Starts a program and gives its process id. */
  start(command: Command): Promise<number>;
  /** Kills a program (SIGKILL) and resolves when it is gone. */
  kill(name: string): Promise<void>;
  /** Kills a program and starts it again as it was; gives the new process id. */
  restart(name: string): Promise<number>;
  /** Resolves when a program has ended by itself: with a signal's name, or `exit code N`. */
  ended(name: string): Promise<string>;
  /** Process ids by name, the supervisor's included. */
  pids(): ReadonlyMap<string, number>;
  /** Throws a TestbedError with the end of the log when a program ended that nobody killed. */
  check(): Promise<void>;
  /** Kills all, removes the data folder, resolves when nothing is left. */
  end(): Promise<void>;
}

interface Folders {
  /** Removed at the end. */
  readonly data: string;
  readonly logs: string;
}

/** Starts the supervisor. Its programs see PATH and what their command sets, nothing else of this environment. */
export function startProcessGroup(folders: Folders): ProcessGroup {
  const supervisor = fork(fileURLToPath(new URL('./supervisor.ts', import.meta.url)), [folders.data], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', openSync(join(folders.logs, 'supervisor.log'), 'a'), 'ipc'],
  });
  const commands = new Map<string, Command>();
  const pids = new Map<string, number>([['supervisor', supervisor.pid ?? 0]]);
  const waiting = new Map<string, (event: { readonly pid?: number; readonly how?: string }) => void>();
  const ended = new Map<string, string>();
  const endings = new Map<string, (how: string) => void>();
  const gone = new Promise<void>(resolve => supervisor.on('exit', () => resolve()));

  supervisor.on('message', (message: unknown) => {
    const event = supervisorEvent.parse(message);
    if (event.type === 'started') pids.set(event.name, event.pid);
    else {
      pids.delete(event.name);
      ended.set(event.name, event.how);
      endings.get(event.name)?.(event.how);
      endings.delete(event.name);
    }
    waiting.get(event.name)?.(event);
    waiting.delete(event.name);
  });

  const send = (order: SupervisorOrder): Promise<{ readonly pid?: number; readonly how?: string }> =>
    new Promise((resolve, reject) => {
      waiting.set(order.name, resolve);
      supervisor.send(order, error => {
        if (error !== null) reject(new TestbedError('The supervisor is gone.', { cause: error }));
      });
    });

  const group: ProcessGroup = {
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
    async ended(name) {
      return ended.get(name) ?? (await new Promise(resolve => endings.set(name, resolve)));
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

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '(no log)');
  return text.trimEnd().split('\n').slice(-15).join('\n');
}
