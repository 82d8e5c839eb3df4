import { canary, deployment, HEADER, NAMESPACE } from './podinfo.ts';
import { servePage } from './page/page-server.ts';
import { FLEET, Sandbox, SOURCE } from './sandbox.ts';

/**
 * `npm run demo`: three releases of podinfo by the built action, on an embedded GitHub and an embedded cluster.
 * Time runs faster than real there (rate), so that an analysis of a minute takes seconds. With `-- --stay` it runs slower,
 * to be watched on its page, which stays until Ctrl-C.
 */
const STAY = process.argv.includes('--stay');
const RATE = STAY ? 5 : 15;

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`;
const dim = (text: string) => `\u001b[2m${text}\u001b[0m`;
const say = (text = '') => process.stdout.write(`${text}\n`);

const HEADER_BASED = `gitops: {repository: ${FLEET}}
target: [${NAMESPACE}/podinfo]
change: [{image: ghcr.io/stefanprodan/podinfo}]
`;

const WEIGHT_BASED = `${HEADER_BASED}canary:
  ${NAMESPACE}/podinfo:
    provider: linkerd
    analysis: {stepWeight: 25, maxWeight: 50}
`;

async function main(): Promise<void> {
  const began = Date.now();
  say(bold('Gated Rollout on the sandbox'));
  say(
    dim(`An embedded GitHub and an embedded cluster with Flux and Flagger; time runs ${RATE} times faster.`),
  );
  const sandbox = await Sandbox.start({
    rate: RATE,
    rollout: HEADER_BASED,
    files: { 'apps/deployment.yaml': deployment(), 'apps/canary.yaml': canary({ analysis: HEADER }) },
  });
  const page = await servePage(sandbox);
  say(dim(`The pull requests, as GitHub would show them: ${page.url}`));
  if (!STAY) say(dim('(npm run demo -- --stay leaves time to look at it)'));
  try {
    const ends = [
      await release(sandbox, {
        title: '(a) header-based, NGINX: users with x-canary: insider see 6.14.1 first',
        tag: '6.14.1',
      }),
      await release(sandbox, {
        title: '(b) the same Canary, now weight-based with Linkerd: only rollout.yaml was edited',
        tag: '6.14.2',
        rollout: WEIGHT_BASED,
      }),
      await release(sandbox, {
        title: '(c) a bad release: its success rate is 90 %, where 99 % is asked for',
        tag: '6.14.3',
        before: () => sandbox.cluster.setMetric(`${NAMESPACE}/podinfo`, 'success', 90),
      }),
    ];
    await showGit(sandbox);
    say();
    say(dim(`${ends.join(', ')} in ${Math.round((Date.now() - began) / 1000)} s.`));
    if (ends.join() !== 'promoted,promoted,rolled-back') process.exitCode = 1;
    if (STAY) await untilInterrupted(page.url);
  } finally {
    await page.close();
    await sandbox.close();
  }
}

async function untilInterrupted(url: string): Promise<void> {
  say(`The page stays at ${url} until Ctrl-C.`);
  const waiting = setInterval(() => {}, 60_000);
  await new Promise<void>(resolve => process.once('SIGINT', () => resolve()));
  clearInterval(waiting);
}

async function release(
  sandbox: Sandbox,
  on: {
    readonly title: string;
    readonly tag: string;
    readonly rollout?: string;
    readonly before?: () => void;
  },
): Promise<string> {
  say();
  say(bold(on.title));
  on.before?.();
  if (on.rollout !== undefined) {
    sandbox.rollout = on.rollout;
    say(dim(on.rollout.trimEnd()));
  }
  const branch = `release-${on.tag}`;
  const pull = await sandbox.github.proposeChange(SOURCE, {
    branch,
    files: { VERSION: `${on.tag}\n` },
    title: `Release ${on.tag}`,
  });
  const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
  const running = await sandbox.start({
    sha,
    inputs: { set: `image=${on.tag}` },
    onLine: ({ kind, text }) => {
      if (kind !== 'debug' && kind !== 'endgroup') say(`  ${text}`);
    },
  });
  const { outputs } = await running.done;
  await running.post();
  showPullRequest(sandbox, pull, sha);
  return outputs['verdict'] ?? 'no verdict';
}

function showPullRequest(sandbox: Sandbox, pull: number, sha: string): void {
  say();
  say(dim(`What pull request ${pull} shows:`));
  for (const check of sandbox.github.checkRuns(SOURCE, sha)) {
    say(`  check ${bold(check.name)}: ${check.conclusion ?? check.status} – ${check.output.title ?? ''}`);
  }
  for (const comment of sandbox.github.comments(SOURCE, pull)) {
    const lines = comment.body.split('\n').filter(line => !line.startsWith('<!--'));
    for (const line of lines) say(`  │ ${line}`);
  }
}

async function showGit(sandbox: Sandbox): Promise<void> {
  say();
  say(bold(`git log of ${FLEET}`));
  for (const commit of await sandbox.github.log(FLEET)) {
    const signed = commit.verified ? 'verified' : '        ';
    say(`  ${commit.sha.slice(0, 7)} ${dim(signed)} ${commit.title}`);
  }
}

await main();
