import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ListedScenario, ScenarioResult } from './listed-scenario.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = `${root}docs/verification.md`;

/** Modules whose versions the page names, by the folder of testbed/go that pins them. */
const PARTS: readonly (readonly [name: string, folder: string, module: string])[] = [
  ['Kubernetes', 'kubernetes', 'k8s.io/kubernetes'],
  ['etcd', 'etcd', 'go.etcd.io/etcd/server/v3'],
  ['Flagger', 'flagger', 'github.com/fluxcd/flagger'],
  ['source-controller', 'source-controller', 'github.com/fluxcd/source-controller'],
  ['kustomize-controller', 'kustomize-controller', 'github.com/fluxcd/kustomize-controller'],
  ['helm-controller', 'helm-controller', 'github.com/fluxcd/helm-controller'],
  ['kwok', 'kwok', 'sigs.k8s.io/kwok'],
  ['Gateway API', 'manifests', 'sigs.k8s.io/gateway-api'],
  ['Knative Serving (definitions)', 'flagger', 'knative.dev/serving'],
];

export interface VerifiedGroup {
  /** Heading of the section that is written anew. */
  readonly heading: string;
  readonly list: readonly ListedScenario[];
}

/** Writes the sections of docs/verification.md whose scenarios have all been run, and passed. */
export async function writeVerification(
  groups: readonly VerifiedGroup[],
  results: ReadonlyMap<string, ScenarioResult>,
): Promise<void> {
  const done = groups.filter(({ list }) => list.every(({ key }) => results.has(key)));
  if (done.length === 0) return;
  const page = await readFile(PAGE, 'utf8');
  const sections = [
    { heading: 'Versions', body: await versions() },
    ...done.map(({ heading, list }) => ({ heading, body: table(list, results) })),
  ];
  await writeFile(PAGE, sections.reduce(withSection, page));
}

function withSection(page: string, { heading, body }: { heading: string; body: string }): string {
  const start = page.indexOf(`## ${heading}\n`);
  if (start < 0) throw new Error(`docs/verification.md has no section “${heading}”.`);
  const next = page.indexOf('\n## ', start);
  const end = next < 0 ? page.length : next + 1;
  const gap = next < 0 ? '' : '\n';
  return `${page.slice(0, start)}## ${heading}\n\n${body}${gap}${page.slice(end)}`;
}

function table(list: readonly ListedScenario[], results: ReadonlyMap<string, ScenarioResult>): string {
  const rows = list.map(({ key, title, proven }) => {
    const { endings, seconds } = results.get(key) ?? { endings: [], seconds: 0 };
    const verdicts = [...new Set(endings.map(({ verdict, reason }) => `\`${verdict}\` (${reason})`))];
    return `| ${title} | ${verdicts.join(', then ')} | ${seconds} | ${proven} |\n`;
  });
  return `| Scenario | Verdict (reason) | s | Shown beside the end state |\n|---|---|---|---|\n${rows.join('')}`;
}

async function versions(): Promise<string> {
  const pinned = await Promise.all(
    PARTS.map(async ([name, folder, module]) => {
      const text = await readFile(`${root}testbed/go/${folder}/go.mod`, 'utf8');
      const version = text
        .split('\n')
        .find(line => line.includes(`${module} v`))
        ?.match(/ (v[\d.]+)/)?.[1];
      if (version === undefined) throw new Error(`testbed/go/${folder}/go.mod does not pin ${module}.`);
      return `${name} ${version.slice(1)}`;
    }),
  );
  const { stdout, stderr } = await promisify(execFile)('prometheus', ['--version']);
  const prometheus = /version ([\d.]+)/.exec(stdout + stderr)?.[1] ?? 'of the distribution';
  return `${[...pinned, `Prometheus ${prometheus}`].join(', ')}.\n`;
}
