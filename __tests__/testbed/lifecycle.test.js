import { spawn } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestbed } from '../../testbed/start.js';
/** The command writes its folder below this one. */
let folder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gated-rollout-lifecycle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
/** Starts `npm run testbed`'s program and resolves when it has printed where everything is. */
async function startCommand() {
  const command = fileURLToPath(new URL('../../testbed/cli.ts', import.meta.url));
  const child = spawn(process.execPath, [command], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    if (/METRICS_URL=.*\n/.test(output)) break;
  }
  return { child, output };
}
/** Processes whose command line mentions the folder: every program but the load tester, which has no file of its own. */
async function processes() {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map(id => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter(line => line.includes(folder));
}
async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
async function until(isTrue) {
  while (!(await isTrue())) await sleep(50);
}
const variable = (output, name) => RegExp(`export ${name}=(.*)`).exec(output)?.[1] ?? '';
test('leaves nothing behind when its owner is killed', async () => {
  const { child, output } = await startCommand();
  const root = join(variable(output, 'KUBECONFIG'), '..', '..');
  const loadtester = variable(output, 'LOADTESTER_URL');
  expect((await processes()).length).toBeGreaterThan(8);
  expect((await fetch(`${loadtester}/healthz`)).status).toBe(200);
  child.kill('SIGKILL');
  await until(async () => (await processes()).length === 0);
  await until(async () => !(await exists(join(root, 'data'))));
  await expect(fetch(`${loadtester}/healthz`)).rejects.toThrow();
  // The logs may tell why the owner was killed.
  expect(await readdir(join(root, 'logs'))).toContain('flagger.log');
});
test('stops on SIGINT with nothing left', async () => {
  const { child, output } = await startCommand();
  expect(variable(output, 'KUBECONFIG')).toContain(folder);
  const ended = new Promise(resolve => child.on('exit', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(await processes()).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});
test('restarts a program, and says which one died', async () => {
  const testbed = await startTestbed();
  try {
    const before = testbed.processes.pids().get('flagger');
    const after = await testbed.processes.restart('flagger');
    expect(after).not.toBe(before);
    await expect(testbed.processes.check()).resolves.toBeUndefined();
    process.kill(testbed.processes.pids().get('kwok') ?? 0, 'SIGKILL');
    await until(async () => !testbed.processes.pids().has('kwok'));
    await expect(testbed.processes.check()).rejects.toThrow(/^kwok ended by itself \(SIGKILL\)/);
  } finally {
    await testbed.stop();
  }
});
