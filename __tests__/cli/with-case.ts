import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { ApiServer } from '../../sandbox/cluster/api-server.ts';
import { ObjectStore } from '../../sandbox/cluster/object-store.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type Answer, CLI } from '../acceptance/with-clone.ts';

const run = promisify(execFile);
const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));
const TOKEN = 'admin';

export interface Case {
  /** Runs the built command line on the tree, with the case's rollout.yaml. */
  readonly gated: (...args: readonly string[]) => Promise<Answer>;
  /** Holds `tree`, `rollout.yaml` and what else the case brings. */
  readonly folder: string;
  readonly store: ObjectStore;
  /** Commits what is in the tree now, and has Flux say that it applied it. */
  readonly commit: () => Promise<void>;
}

/**
 * A case of fixtures: its tree as a clone of acme/fleet, and the objects of live.yaml, if there is one, on an API server
 * without controllers.
 */
export async function withCase(name: string, work: (on: Case) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gated-rollout-case-'));
  const store = new ObjectStore(systemClock);
  const api = new ApiServer({
    store,
    users: new Map([[TOKEN, { name: 'admin' }]]),
    gates: new Map(),
    metrics: () => '',
  });
  try {
    await cp(join(FIXTURES, name), folder, { recursive: true });
    const tree = join(folder, 'tree');
    const git = (...args: readonly string[]) => run('git', ['-C', tree, ...args]);
    await git('init', '-q', '-b', 'main');
    await git('config', 'user.email', 'team@example.com');
    await git('config', 'user.name', 'team');
    await git('remote', 'add', 'origin', 'https://github.com/acme/fleet.git');
    const live = await readFile(join(folder, 'live.yaml'), 'utf8').catch(() => '');
    const commit = async (): Promise<void> => {
      await git('add', '-A', '-f');
      await git('commit', '-q', '--allow-empty', '-m', 'tree');
      load(store, live, (await git('rev-parse', 'HEAD')).stdout.trim());
    };
    await commit();
    await writeFile(join(folder, 'kubeconfig'), kubeconfigOf(await api.listen()));
    const common = ['--folder', tree, '--kubeconfig', join(folder, 'kubeconfig')];
    const config = ['--config', join(folder, 'rollout.yaml')];
    const gated = (...args: readonly string[]): Promise<Answer> => {
      const given = ['--folder', '--config'].filter(flag => args.includes(flag));
      const rest = [...(given.includes('--folder') ? common.slice(2) : common)];
      const file = args[0] === 'init' || given.includes('--config') ? [] : config;
      return answerOf([CLI, ...args, ...rest, ...file]);
    };
    await work({ gated, folder, store, commit });
  } finally {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const failure = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** Whatever token this machine has for GitHub is none of the tests' business. */
async function answerOf(args: readonly string[]): Promise<Answer> {
  const { GH_TOKEN: _gh, GITHUB_TOKEN: _github, ...env } = process.env;
  try {
    const { stdout, stderr } = await run(process.execPath, [...args], { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = failure.parse(error);
    return { code, out: stdout, err: stderr };
  }
}

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string() })).optional(),
  }),
});

/** As `kubectl apply` and a status of somebody's making; revisions become the commit. */
function load(store: ObjectStore, yaml: string, head: string): void {
  const text = yaml.replace(/((?:main|dev|master)@sha1:)[0-9a-f]{40}/g, `$1${head}`);
  for (const document of parseAllDocuments(text)) {
    const parsed = objectSchema.safeParse(document.toJS());
    if (!parsed.success) continue;
    const { metadata, ...object } = parsed.data;
    const { ownerReferences = [], ...others } = metadata;
    const owners = ownerReferences.map(each => ({
      ...each,
      uid: store.get(each.kind, metadata.namespace, each.name)?.metadata.uid ?? '',
    }));
    const applied = { ...others, ...(owners.length > 0 ? { ownerReferences: owners } : {}) };
    store.apply({ ...object, metadata: applied }, 'kubectl');
  }
}

function kubeconfigOf(server: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'case', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'case', user: { token: TOKEN } }],
    contexts: [{ name: 'case', context: { cluster: 'case', user: 'case' } }],
    'current-context': 'case',
  });
}
