import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import puppeteer, { type Browser } from 'puppeteer-core';
import { servePage } from '../sandbox/page/page-server.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

/**
 * `npm run screenshots`: docs/screenshots from the sandbox's page and an HTML report, in headless Chromium
 * (CHROMIUM names it, default /usr/bin/chromium).
 */
const FOLDER = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const THEMES = ['light', 'dark'] as const;
const WIDTHS = { desktop: 1200, phone: 390 } as const;

type Theme = (typeof THEMES)[number];
type Width = keyof typeof WIDTHS;

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
  const sandbox = await Sandbox.start({ rate: 4 });
  const page = await servePage(sandbox);
  try {
    const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
    await sandbox.cluster.waitUntil('50 % of traffic', () => weight(sandbox) === 50, 60_000);
    await takePage(browser, { url: page.url, name: 'analysing', open: 'How it went' }, [
      ['light', 'desktop'],
    ]);
    await running.done;
    await running.post();

    sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
    const report = join(scratch, 'report.html');
    await sandbox.release('6.14.2', { inputs: { 'report-file': report } });
    await takePage(browser, { url: page.url, name: 'rolled-back', open: 'How it went' }, everywhere);
    await takePage(browser, { url: pathToFileURL(report).href, name: 'report' }, everywhere);
  } finally {
    await page.close();
    await sandbox.close();
    await browser.close();
    await rm(scratch, { recursive: true, force: true });
  }
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
