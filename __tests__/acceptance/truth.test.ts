import { describe, it } from 'vitest';
import { deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { midAnalysis, revertPushed, until, withSandbox } from './with-sandbox.ts';

/** The links of the chain as the last report of a rollout shows them: `✅ Applied`. */
function chainIn(text: string): readonly string[] {
  return [...text.matchAll(/^- (✅|❌|⚪|⏳) \*\*(\w+):\*\*/gm)].map(([, mark, name]) => `${mark} ${name}`);
}

function checkOf(sandbox: Sandbox): { readonly title: string; readonly summary: string } {
  const output = sandbox.github.checkRuns(SOURCE).at(-1)?.output;
  return { title: output?.title ?? '', summary: output?.summary ?? '' };
}

/** What differs between two runs of the same. */
function settled(text: string): string {
  return text
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'https://sandbox.example')
    .replaceAll(/\b[0-9a-f]{40}\b/g, 'SHA')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{7}\b/g, 'SHORT')
    .replaceAll(/podinfo-SHORT-[\w.-]+/g, 'ID')
    .replaceAll(/\*\*Build\*\* .* built it/g, '**Build** BUILDER built it')
    .replaceAll(/actions\/runs\/\d+(\/attempts\/\d+)?/g, 'actions/runs/RUN')
    .replaceAll(/^ *\d+(?:\.\d+)? (?:m \d+ )?s {2}/gm, 'TIME  ');
}

describe.concurrent('what a plan says', () => {
  it('in comment, check and log, as recorded', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
      const head = (await sandbox.github.head(SOURCE, 'b')) ?? '';
      const payload = { pull_request: { number: pull, head: { sha: head, repo: { full_name: SOURCE } } } };
      const event = { name: 'pull_request', payload };
      const { log } = await sandbox.release('6.14.1', { sha: head, event });
      const title = 'podinfo 6.14.1: plan: 1 file, weights 25, 50, promoted after 30–60 s';
      const [comment] = sandbox.github.comments(SOURCE, pull);
      expect(log.text).toContain(title);
      expect(checkOf(sandbox).title).toContain(title);
      const text = `=== comment\n\n${comment?.body}\n\n=== check run\n\ntitle: ${checkOf(sandbox).title}\n`;
      expect(text).not.toMatch(/nothing to do|was changed/);
      await expect(settled(text)).toMatchFileSnapshot('../report/golden/plan.md');

      const again = await sandbox.release('6.14.0', { sha: head, event });
      expect(again.log.text).toContain('podinfo 6.14.0: plan: nothing to change');
      expect(again.log.text).not.toContain('nothing to do');
    });
  });
});

describe.concurrent('what was proven stays so in the last report', () => {
  it('cancelled: the post step keeps version and proof of a main that was killed', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await until(() => running.log.text.includes('25 % of traffic'));
      sandbox.cluster.faults.pauseFlagger(true);
      running.kill();
      await running.done;
      const posting = running.post();
      await revertPushed(sandbox);
      sandbox.cluster.faults.pauseFlagger(false);
      const post = await posting;
      expect(post.log.text).toContain('cancelled (job-cancelled)');
      const { title, summary } = checkOf(sandbox);
      expect(title).toBe('podinfo 6.14.1: cancelled');
      expect(chainIn(summary)).toEqual([
        '✅ Committed',
        '✅ Applied',
        '✅ Delivered',
        '⚪ Analysed',
        '⚪ Promoted',
        '✅ Reverted',
        '✅ Back',
      ]);
      expect(summary).toContain('`6.14.0` → `6.14.1`');
      expect(summary).toContain('reached 25 % of traffic');
      expect(summary).not.toMatch(/got no traffic|its post step ends it/);
    });
  });

  it('not-applied: what Flux only attempted is not called applied', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      let broken = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (broken || method !== 'POST' || !path.endsWith('/git/trees')) return;
        broken = true;
        await sandbox.github.push(FLEET, {
          files: { 'apps/kustomization.yaml': `${KUSTOMIZATION}- missing.yaml\n` },
          message: 'Break the build',
        });
      });
      await sandbox.release('6.14.1');
      const { summary } = checkOf(sandbox);
      expect(chainIn(summary).slice(0, 3)).toEqual(['✅ Committed', '❌ Applied', '⚪ Delivered']);
      expect(summary).toContain('got no traffic');
    });
  });

  it('promotion-failed: analysed all the same, and who serves is said', async ({ expect }) => {
    const slow = deployment().replace(
      'spec:\n  selector',
      'spec:\n  progressDeadlineSeconds: 30\n  selector',
    );
    await withSandbox({ files: { 'apps/deployment.yaml': slow } }, async sandbox => {
      sandbox.cluster.neverReady('ghcr.io/stefanprodan/podinfo:6.14.3', 'podinfo-primary');
      await sandbox.release('6.14.3');
      const { summary } = checkOf(sandbox);
      expect(chainIn(summary)).toContain('✅ Analysed');
      expect(chainIn(summary)).toContain('❌ Promoted');
      expect(summary).toContain('all traffic is on the pods of podinfo, which run 6.14.0');
    });
  });

  it('unknown: a canary that was replaced is not called one that got no traffic', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      await until(() => running.log.text.includes('% of traffic'));
      sandbox.cluster.delete('Canary', 'prod', 'podinfo');
      goOn();
      await running.done;
      const { summary } = checkOf(sandbox);
      expect(chainIn(summary)).toContain('⚪ Analysed');
      expect(summary).not.toMatch(/got no traffic|❌/);
    });
  });

  it('revert-unverified: what serves, and the command that lets it go on', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2', 'back-timeout': '1m' } });
      await sandbox.waitForPhase('Progressing');
      const apps = { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' };
      sandbox.cluster.patch(apps, { spec: { suspend: true } });
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-unverified' });
      const { summary } = checkOf(sandbox);
      expect(summary).toMatch(/podinfo-primary serves 6\.14\.0; no traffic is on 6\.14\.2/);
      expect(summary).toContain('flux resume kustomization apps -n flux-system');
    });
  });
});
