import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type ExpectStatic, it } from 'vitest';
import { stringify } from 'yaml';
import type { FinishedProcess } from '../../sandbox/runner/run-action.ts';
import { FLEET, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import {
  CLUSTER_SECRET,
  FILES,
  HOSTILE_WORDS,
  NEVER_SAID,
  ROLLOUT,
  secretOf,
  setOf,
} from './secret-places.ts';
import { withClone } from './with-clone.ts';
import { midAnalysis, revertPushed, until, withSandbox } from './with-sandbox.ts';

/** A sandbox full of secrets, and everything that was said on it. */
interface Stage {
  readonly sandbox: Sandbox;
  readonly inputs: Readonly<Record<string, string>>;
  readonly start: (inputs?: Readonly<Record<string, string>>) => ReturnType<Sandbox['start']>;
  readonly release: (inputs?: Readonly<Record<string, string>>) => Promise<FinishedProcess>;
  /** What a process left, to be looked through. */
  readonly heard: (finished: FinishedProcess) => FinishedProcess;
}

/** Runs a scenario, then looks through all that left the runs: nothing of it may hold what the tree or the cluster hides. */
async function tellsNothing(
  expect: ExpectStatic,
  scenario: (stage: Stage) => Promise<void>,
  files: Parameters<typeof withSandbox>[0]['files'] = FILES,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'said-'));
  try {
    await withSandbox({ files, rollout: ROLLOUT }, async sandbox => {
      sandbox.cluster.apply(CLUSTER_SECRET);
      const finished: FinishedProcess[] = [];
      const inputs = {
        set: setOf('6.14.1'),
        'result-file': join(folder, 'result.json'),
        'report-file': join(folder, 'report.html'),
      };
      const heard = (process: FinishedProcess) => {
        finished.push(process);
        return process;
      };
      const start = (more = {}) => sandbox.start({ inputs: { ...inputs, ...more } });
      const release = async (more = {}) => {
        const running = await start(more);
        const main = heard(await running.done);
        heard(await running.post());
        return main;
      };
      await scenario({ sandbox, inputs, start, release, heard });
      const said = {
        processes: finished.map(({ outputs, state, summary, log }) => ({
          outputs,
          state,
          summary,
          lines: log.lines,
        })),
        files: await Promise.all((await readdir(folder)).map(name => readFile(join(folder, name), 'utf8'))),
        asked: sandbox.github.requests.filter(isSaid).map(({ url, body }) => ({ url, body })),
        commits: (await sandbox.github.log(FLEET)).filter(({ message }) => !message.startsWith('Theirs')),
        checks: sandbox.github.checkRuns(SOURCE),
        pulls: [FLEET, SOURCE].map(name => sandbox.github.pullRequests(name)),
        cluster: sandbox.cluster.requests.map(({ path }) => path),
      };
      for (const [place, words] of Object.entries(said)) {
        const text = JSON.stringify(words);
        expect(
          NEVER_SAID.filter(secret => text.includes(secret)),
          place,
        ).toEqual([]);
      }
      expect(JSON.stringify(said)).toContain('podinfo');
      const ofSecrets = sandbox.cluster.requests.filter(({ path }) => /\/secrets(?:\/|\?|$)/.test(path));
      expect(
        ofSecrets.filter(({ accept }) => !/^application\/json;as=PartialObjectMetadata;/.test(accept)),
      ).toEqual([]);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The content of the GitOps repository's own files goes there, and nowhere else. */
function isSaid({
  method,
  path,
  kind,
}: {
  readonly method: string;
  readonly path: string;
  readonly kind: string;
}) {
  const isContent = path.startsWith(`/repos/${FLEET}/git/`) && /\/git\/(?:blobs|trees)$/.test(path);
  return kind === 'api' && method !== 'GET' && !isContent;
}

/** Somebody's words about the Canary, as an event. */
function say(sandbox: Sandbox, message: string): void {
  for (const { metadata } of sandbox.cluster.list('Canary')) {
    const { name, namespace = '', uid = '' } = metadata;
    const time = new Date(sandbox.cluster.clock.now()).toISOString();
    sandbox.cluster.apply(
      stringify({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${name}.said`, namespace },
        type: 'Warning',
        reason: 'Synced',
        message,
        count: 1,
        firstTimestamp: time,
        lastTimestamp: time,
        source: { component: 'flagger' },
        involvedObject: { kind: 'Canary', namespace, name, uid },
      }),
    );
  }
}

/** A server whose refusals say too much. */
async function talkative<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((_, response) =>
    response
      .writeHead(500)
      .end(`no: http://user:${secretOf('webhook-answer')}@db/?token=${secretOf('webhook-answer')}`),
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    return await work(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function webhook(url: string, type: string): string {
  return `${FILES['apps/canary.yaml']}    webhooks:\n    - {name: check, type: ${type}, url: "${url}"}\n`;
}

const APPS = { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' };

describe.concurrent('a secret of the tree, of the cluster or of an address is in nothing that is said', () => {
  it('promoted, unchanged, and what was there all the same', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, release, heard }) => {
      const running = await start();
      const goOn = await midAnalysis(sandbox);
      say(sandbox, HOSTILE_WORDS);
      await until(() => running.log.text.includes('checked http://prom:9090/x'));
      goOn();
      const main = heard(await running.done);
      heard(await running.post());
      expect(main.outputs).toMatchObject({ verdict: 'promoted' });
      // Else nothing would have been there to be hidden.
      expect(await sandbox.file('apps/creds.yaml')).toContain(secretOf('set-object'));
      expect(await sandbox.file('apps/secrets.env')).toContain(secretOf('set-env'));
      expect(await sandbox.file('apps/kustomization.yaml')).toContain(secretOf('set-literal'));
      expect(await sandbox.file('apps/db.sops.yaml')).toContain(secretOf('set-sops'));
      const { message } = (await sandbox.github.log(FLEET))[0] ?? { message: '' };
      expect(message).toContain('a secret → another one');
      expect(main.outputs['result']).toContain('not compared, because no Secret is read');
      expect((await release()).outputs).toMatchObject({ verdict: 'unchanged' });
    });
  });

  it('plan: of a changed secret only that it changes', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, release }) => {
      sandbox.rollout = `${ROLLOUT}canary:\n  prod/podinfo:\n    alerts: [{type: slack, name: alerts, secretRef: alerts, severity: error}]\n`;
      const { outputs, summary } = await release({ mode: 'plan' });
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'planned' });
      expect(summary).toContain('+        image: "ghcr.io/stefanprodan/podinfo:6.14.1" # the version');
      expect(summary).toContain('`apps/secrets.env` changes; its content is not shown.');
      expect(summary).toContain('(secret: not shown)');
      const asked = sandbox.cluster.requests.filter(({ path }) => path.endsWith('/secrets/alerts'));
      expect(asked.length).toBeGreaterThan(0);
    });
  });

  it('plan: what the build copies out of a Secret', async ({ expect }) => {
    const copy = `replacements:
- source: {kind: Secret, name: creds, fieldPath: stringData.password}
  targets:
  - select: {kind: Deployment, name: podinfo}
    fieldPaths: [spec.template.spec.containers.0.env.0.value]
`;
    const files = { ...FILES, 'apps/kustomization.yaml': `${FILES['apps/kustomization.yaml']}${copy}` };
    await tellsNothing(
      expect,
      async ({ sandbox, release }) => {
        sandbox.rollout = ROLLOUT.replace('- {env: ERROR_FRACTION}\n', '');
        const set = setOf('6.14.1').replace(/^ERROR_FRACTION.*\n/m, '');
        const { outputs, summary } = await release({ mode: 'plan', set });
        expect(outputs).toMatchObject({ reason: 'planned' });
        expect(summary).toContain('In the build: Deployment prod/podinfo');
        expect(summary).toContain('value: ***');
      },
      files,
    );
  });

  it('plan of a fork', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, inputs, heard }) => {
      const sha = 'f'.repeat(40);
      const permissions = { contents: 'read', metadata: 'read' } as const;
      const running = await sandbox.start({
        sha,
        event: {
          name: 'pull_request',
          payload: { pull_request: { number: 7, head: { sha, repo: { full_name: 'mallory/shop' } } } },
        },
        token: sandbox.github.addToken({ kind: 'actions', repository: SOURCE, permissions }),
        inputs: { ...inputs, 'gitops-token': '', kubeconfig: '' },
        workspace: {
          'rollout.yaml': ROLLOUT.replace(/^gitops.*\n/, ''),
          ...FILES,
          'clusters/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}
`,
        },
      });
      const { outputs, summary } = heard(await running.done);
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'planned' });
      expect(summary).toContain('(secret: not shown)');
    });
  });

  it('the command line', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox }) => {
      const set = setOf('6.14.1')
        .split('\n')
        .flatMap(each => ['--set', each]);
      await withClone(sandbox, async gated => {
        for (const answer of [
          await gated('plan', ...set),
          await gated('plan', '--offline', ...set),
          await gated('check'),
        ]) {
          const text = answer.out + answer.err;
          expect(NEVER_SAID.filter(secret => text.includes(secret))).toEqual([]);
          expect(text).toMatch(/podinfo|Flux Kustomization/);
        }
        expect((await gated('plan', ...set)).out).toContain('(secret: not shown)');
      });
    });
  });

  it('rolled-back: a webhook that tells what it knows', async ({ expect }) => {
    await talkative(async url => {
      const files = { ...FILES, 'apps/canary.yaml': webhook(url, 'rollout') };
      await tellsNothing(
        expect,
        async ({ sandbox, release }) => {
          const { outputs, log } = await release();
          expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'webhook-refused' });
          expect(log.text).toContain('no: http://db/');
          expect(await sandbox.file('apps/creds.yaml')).toBe(FILES['apps/creds.yaml']);
        },
        files,
      );
    });
  });

  it('rolled-back: a webhook that cannot be reached, by its address', async ({ expect }) => {
    const url = `http://user:${secretOf('event-url')}@127.0.0.1:1/?token=${secretOf('event-query')}`;
    const files = { ...FILES, 'apps/canary.yaml': webhook(url, 'rollout') };
    await tellsNothing(
      expect,
      async ({ release }) => {
        const { outputs } = await release();
        expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'webhook-unreachable' });
      },
      files,
    );
  });

  it('timed-out: a gate with a token in its address', async ({ expect }) => {
    const files = (cluster: Sandbox['cluster']) => {
      const { url } = cluster.gate('confirm');
      return {
        ...FILES,
        'apps/canary.yaml': webhook(`${url}?token=${secretOf('event-query')}`, 'confirm-promotion'),
      };
    };
    await tellsNothing(
      expect,
      async ({ release }) => {
        const { outputs } = await release({ 'approval-timeout': '30s' });
        expect(outputs).toMatchObject({ verdict: 'timed-out', reason: 'approval-timeout' });
      },
      files,
    );
  });

  it('refused: a value of a Secret that something else sets', async ({ expect }) => {
    const patch = `    stringData: {patched: ${secretOf('inline-patch')}, password: ${secretOf('object')}}\n`;
    const files = {
      ...FILES,
      'apps/kustomization.yaml': FILES['apps/kustomization.yaml'].replace(
        /^ {4}stringData: \{patched.*\n/m,
        patch,
      ),
    };
    await tellsNothing(
      expect,
      async ({ release }) => {
        const { outputs } = await release();
        expect(outputs).toMatchObject({ verdict: 'refused', reason: 'change-not-found' });
      },
      files,
    );
  });

  it('revert-blocked, with a pull request that asks', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await start();
      await sandbox.waitForPhase('Progressing');
      const ours = (await sandbox.file('apps/creds.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/creds.yaml': ours.replace(secretOf('set-object'), 'theirs') },
        message: 'Theirs',
      });
      expect(heard(await running.done).outputs).toMatchObject({ verdict: 'revert-blocked' });
      expect(sandbox.github.pullRequests(FLEET)).toHaveLength(1);
    });
  });

  it('revert-unverified', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await start({ 'back-timeout': '1m' });
      await sandbox.waitForPhase('Progressing');
      sandbox.cluster.patch(APPS, { spec: { suspend: true } });
      expect(heard(await running.done).outputs).toMatchObject({ verdict: 'revert-unverified' });
    });
  });

  it('not-applied: what cannot be built is quoted', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, release }) => {
      let broken = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (broken || method !== 'POST' || !path.endsWith('/git/trees')) return;
        broken = true;
        const missing = `http://user:${secretOf('condition')}@host/x?token=${secretOf('literal')}`;
        const resources = FILES['apps/kustomization.yaml'].replace(
          'resources: [',
          `resources: ["${missing}", `,
        );
        await sandbox.github.push(FLEET, {
          files: { 'apps/other.yaml': 'a: b\n', 'apps/kustomization.yaml': resources },
          message: 'Theirs',
        });
      });
      const { outputs } = await release();
      expect(['not-applied', 'refused']).toContain(outputs['verdict']);
    });
  });

  it('not-started', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, release }) => {
      sandbox.cluster.faults.pauseFlagger(true);
      expect((await release()).outputs).toMatchObject({ verdict: 'not-started' });
    });
  });

  it('promotion-failed', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, release }) => {
      sandbox.cluster.neverReady('ghcr.io/stefanprodan/podinfo:6.14.1', 'podinfo-primary');
      const slow = FILES['apps/deployment.yaml'].replace(
        'spec:\n  selector',
        'spec:\n  progressDeadlineSeconds: 30\n  selector',
      );
      await sandbox.github.push(FLEET, { files: { 'apps/deployment.yaml': slow }, message: 'Theirs' });
      expect((await release()).outputs).toMatchObject({ verdict: 'promotion-failed' });
    });
  });

  it('superseded', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      const running = await start();
      const goOn = await midAnalysis(sandbox);
      const other = FILES['apps/deployment.yaml'].replace('6.14.0', '6.14.9');
      await sandbox.github.push(FLEET, { files: { 'apps/deployment.yaml': other }, message: 'Theirs' });
      await until(() => sandbox.template('podinfo').tag === '6.14.9');
      goOn();
      expect(heard(await running.done).outputs).toMatchObject({ verdict: 'superseded' });
    });
  });

  it('unknown', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      const running = await start();
      await sandbox.waitForPhase('Progressing');
      sandbox.cluster.delete('Canary', 'prod', 'podinfo');
      expect(heard(await running.done).outputs).toMatchObject({ verdict: 'unknown' });
    });
  });

  it('cancelled, with the post step', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      const running = await start();
      const goOn = await midAnalysis(sandbox);
      say(sandbox, HOSTILE_WORDS);
      running.cancel();
      heard(await running.done);
      goOn();
      expect(heard(await running.post()).log.text).toContain('cancelled (job-cancelled)');
    });
  });

  it('killed: the post step reverts', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      const running = await start();
      const goOn = await midAnalysis(sandbox);
      running.kill();
      heard(await running.done);
      const post = running.post();
      await revertPushed(sandbox);
      goOn();
      heard(await post);
      expect(await sandbox.file('apps/creds.yaml')).toBe(FILES['apps/creds.yaml']);
    });
  });

  it('handed over, and taken up by a sweep', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, start, heard }) => {
      const running = await start({ 'on-cancel': 'hand-over' });
      const goOn = await midAnalysis(sandbox);
      running.cancel();
      expect(heard(await running.done).outputs).toMatchObject({ verdict: 'pending' });
      const sweep = await start({ mode: 'sweep' });
      await until(() => sweep.log.text.includes('% of traffic'));
      goOn();
      expect(heard(await sweep.done).outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('refused: a tree that is no YAML, a literal that is none, a suspension', async ({ expect }) => {
    await tellsNothing(expect, async ({ sandbox, release }) => {
      const broken = [
        { 'apps/creds.yaml': `${FILES['apps/creds.yaml']}  ] bad: [ ${secretOf('object')}\n` },
        {
          'apps/creds.yaml': FILES['apps/creds.yaml'],
          'apps/kustomization.yaml': FILES['apps/kustomization.yaml'].replace('- KEY=', '- '),
        },
        {
          'apps/kustomization.yaml': FILES['apps/kustomization.yaml'],
          'apps/secrets.env': `${secretOf('env-value')} = no\n=\n`,
        },
      ];
      for (const files of broken) {
        await sandbox.github.push(FLEET, { files, message: 'Theirs' });
        expect((await release({ 'apply-timeout': '30s' })).outputs).toMatchObject({ verdict: 'refused' });
      }
      sandbox.cluster.patch(APPS, { spec: { suspend: true } });
      expect((await release()).outputs).toMatchObject({ verdict: 'refused' });
    });
  });
});
