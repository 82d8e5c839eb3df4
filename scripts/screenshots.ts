import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import puppeteer, { type Browser } from 'puppeteer-core';
import { servePage } from '../sandbox/page/page-server.ts';
import { canary } from '../sandbox/podinfo.ts';
import { Sandbox, SOURCE } from '../sandbox/sandbox.ts';

/**
 * `npm run screenshots`: docs/screenshots from the sandbox's page and an HTML report, in headless Chromium
 * (CHROMIUM names it, default /usr/bin/chromium).
 */
const FOLDER = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const THEMES = ['light', 'dark'] as const;
const WIDTHS = { desktop: 1200, phone: 390 } as const;

type Theme = (typeof THEMES)[number];
type Width = keyof typeof WIDTHS;

/** The metric's value from a share of traffic on. */
const WORSE: readonly (readonly [share: number, value: number])[] = [
  [10, 99.9],
  [20, 99.8],
  [30, 99.3],
  [40, 93.1],
];

const everywhere: readonly (readonly [Theme, Width])[] = THEMES.flatMap(theme => [
  [theme, 'desktop'] as const,
  [theme, 'phone'] as const,
]);

async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const scratch = await mkdtemp(join(tmpdir(), 'gated-rollout-screenshots-'));
  const browser = await puppeteer.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--hide-scrollbars'],
  });
  const sandbox = await Sandbox.start({
    rate: 4,
    files: { 'apps/canary.yaml': canary({ analysis: '    stepWeight: 10\n    maxWeight: 60\n' }) },
  });
  const page = await servePage(sandbox);
  try {
    const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
    await sandbox.cluster.waitUntil('50 % of traffic', () => weight(sandbox) === 50, 60_000);
    await shownInCheck(sandbox, '50 % of traffic');
    await takePage(browser, { url: page.url, name: 'analysing', open: 'Check run' }, [['light', 'desktop']]);
    await running.done;
    await running.post();

    // It gets worse on the way: good at first, bad from 40 % on.
    const report = join(scratch, 'report.html');
    const bad = await sandbox.start({ inputs: { set: 'image=6.14.2', 'report-file': report } });
    for (const [share, value] of WORSE) {
      await sandbox.cluster.waitUntil(`${share} %`, () => weight(sandbox) === share, 60_000);
      sandbox.cluster.setMetric('prod/podinfo', 'success', value);
    }
    await bad.done;
    await bad.post();
    await takePage(browser, { url: page.url, name: 'rolled-back', open: 'How it went' }, everywhere);
    await takePage(browser, { url: pathToFileURL(report).href, name: 'report' }, everywhere);
  } finally {
    await page.close();
    await sandbox.close();
    await browser.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function shownInCheck(sandbox: Sandbox, words: string): Promise<void> {
  while (sandbox.github.checkRuns(SOURCE).at(-1)?.output.title?.includes(words) !== true) await sleep(50);
}

function weight(sandbox: Sandbox): unknown {
  const status = sandbox.cluster.get('Canary', 'prod', 'podinfo')?.['status'];
  return typeof status === 'object' && status !== null && 'canaryWeight' in status
    ? status.canaryWeight
    : undefined;
}

async function takePage(
  browser: Browser,
  what: { readonly url: string; readonly name: string; readonly open?: string },
  looks: readonly (readonly [Theme, Width])[],
): Promise<void> {
  for (const [theme, width] of looks) {
    const tab = await browser.newPage();
    await tab.setViewport({ width: WIDTHS[width], height: 900, deviceScaleFactor: 1 });
    await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    await tab.goto(what.url);
    if (what.url.startsWith('http')) {
      await tab.waitForSelector('body[data-shown]');
      // Charts are folded away in a comment; here they are to be seen. (A text, because it is the tab's own code.)
      await tab.evaluate(
        `for (const each of document.querySelectorAll('details'))
           if (each.textContent.trim().startsWith(${JSON.stringify(what.open ?? '')})) each.open = true;`,
      );
    }
    await tab.screenshot({ path: `${FOLDER}${what.name}-${theme}-${width}.png` });
    await tab.close();
  }
}

await main();
