import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { RunnerLog } from './runner-log.js';
const SIGTERM_AFTER_MS = 7_500;
const SIGKILL_AFTER_MS = 10_000;
const actionSchema = z.object({
  inputs: z.record(
    z.string(),
    z.object({ default: z.union([z.string(), z.boolean(), z.number()]).optional() }),
  ),
});
/** Starts a step as GitHub's runner does: a fresh process, inputs and context in variables, answers through files. */
export async function startAction(step) {
  const folder = await mkdtemp(join(tmpdir(), 'runner-'));
  const environment = await prepare(step, folder);
  const main = await launch(step, { folder, name: 'main', environment });
  const children = new Set([main.child]);
  let cancelled = false;
  return {
    log: main.log,
    done: main.done,
    cancel: () => {
      if (cancelled) return;
      cancelled = true;
      if (step.deaf !== true) signalInTurn(main.child, step.rate ?? 1);
    },
    kill: () => main.child.kill('SIGKILL'),
    post: async () => {
      const state = await readPairs(join(folder, 'main-state'));
      const saved = Object.fromEntries(
        Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]),
      );
      const post = await launch(step, { folder, name: 'post', environment: { ...environment, ...saved } });
      children.add(post.child);
      return await post.done;
    },
    dispose: async () => {
      for (const child of children) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
/** Starts main, waits for it, and runs post after it, as a job that nobody disturbs. */
export async function runAction(step) {
  const running = await startAction(step);
  try {
    const main = await running.done;
    return { main, post: await running.post() };
  } finally {
    await running.dispose();
  }
}
async function prepare(step, folder) {
  const workspace = join(folder, 'workspace');
  const temp = join(folder, 'temp');
  await mkdir(workspace, { recursive: true });
  await mkdir(temp);
  for (const [path, content] of Object.entries(step.workspace)) {
    const file = join(workspace, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
  }
  const eventPath = join(folder, 'event.json');
  await writeFile(eventPath, JSON.stringify(step.event.payload ?? {}));
  const ref = step.ref ?? 'refs/heads/main';
  return {
    ...(await inputVariables(step)),
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTOR: 'mona',
    GITHUB_API_URL: step.apiUrl,
    GITHUB_GRAPHQL_URL: `${step.apiUrl.replace(/\/v3$/, '')}/graphql`,
    GITHUB_SERVER_URL: step.serverUrl,
    GITHUB_EVENT_NAME: step.event.name,
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_JOB: 'release',
    GITHUB_REF: ref,
    GITHUB_REF_NAME: ref.replace(/^refs\/(?:heads|tags)\//, ''),
    GITHUB_REPOSITORY: step.repository,
    GITHUB_REPOSITORY_OWNER: step.repository.split('/')[0] ?? '',
    GITHUB_RUN_ATTEMPT: String(step.attempt ?? 1),
    GITHUB_RUN_ID: String(step.runId ?? 1000),
    GITHUB_RUN_NUMBER: '1',
    GITHUB_SHA: step.sha,
    GITHUB_WORKFLOW: 'release',
    GITHUB_WORKSPACE: workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_NAME: 'sandbox',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temp,
    ...step.env,
  };
}
/** INPUT_ and the name in capitals, blanks as underscores, dashes as they are (runner ActionRunner.cs). */
async function inputVariables(step) {
  const { inputs } = actionSchema.parse(parse(await readFile(step.action, 'utf8')));
  const given = {
    ...Object.fromEntries(
      Object.entries(inputs).map(([name, { default: value }]) => [name, String(value ?? '')]),
    ),
    ...step.inputs,
  };
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      value.replace(/\$\{\{\s*github\.token\s*\}\}/, step.token),
    ]),
  );
}
async function launch(step, on) {
  const file = kind => join(on.folder, `${on.name}-${kind}`);
  const files = {
    OUTPUT: file('output'),
    STATE: file('state'),
    STEP_SUMMARY: file('summary'),
    ENV: file('env'),
    PATH: file('path'),
  };
  for (const path of Object.values(files)) await writeFile(path, '');
  const variables = Object.fromEntries(Object.entries(files).map(([name, path]) => [`GITHUB_${name}`, path]));
  const child = spawn(process.execPath, [step.entry], {
    env: { ...on.environment, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: join(on.folder, 'workspace'),
  });
  const log = new RunnerLog(step.onLine);
  const done = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout.on('data', data => log.write('stdout', data));
    child.stderr.on('data', data => log.write('stderr', data));
    child.once('close', (exitCode, signal) => {
      log.end();
      const ended = async () => ({
        exitCode,
        signal,
        log,
        outputs: await readPairs(files.OUTPUT),
        state: await readPairs(files.STATE),
        summary: await readFile(files.STEP_SUMMARY, 'utf8'),
      });
      ended().then(resolve, reject);
    });
  });
  return { child, log, done };
}
function signalInTurn(child, rate) {
  child.kill('SIGINT');
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), SIGTERM_AFTER_MS / rate),
    setTimeout(() => child.kill('SIGKILL'), SIGKILL_AFTER_MS / rate),
  ];
  child.once('close', () => {
    for (const timer of timers) clearTimeout(timer);
  });
}
/** `name=value` lines, and `name<<DELIMITER` for values of several lines (runner FileCommandManager.cs). */
async function readPairs(path) {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const pairs = {};
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    if (heredoc) {
      const [, name = '', delimiter = ''] = heredoc;
      const end = lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new Error(`${path} has no line ${delimiter}`);
      pairs[name] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (line.includes('=')) {
      const equals = line.indexOf('=');
      pairs[line.slice(0, equals)] = line.slice(equals + 1);
    }
  }
  return pairs;
}
