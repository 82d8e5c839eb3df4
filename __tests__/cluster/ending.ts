import type { ExpectStatic } from 'vitest';
import { type Reason, type Verdict, VERDICTS } from '../../src/rollout/verdict.ts';
import type { FinishedProcess } from '../../sandbox/runner/run-action.ts';
import { type ClusterScenario, FLEET, SOURCE } from './scenario.ts';

/** What is left when a rollout has ended, and what every scenario proves of it. */
export interface Ending {
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** First words of the GitOps repository's commits after the first one, newest first. */
  readonly commits: readonly string[];
  /** Files of the branch that differ from the first commit; default: the Deployment when it was promoted, else none. */
  readonly changed?: readonly string[];
  /** Tag that the primary serves. */
  readonly serves: string;
  /** Tag of the target's template; default: what is served. */
  readonly wants?: string;
  /** A phase in which Flagger analyses and promotes nothing. */
  readonly phase: 'Initialized' | 'Waiting' | 'Succeeded' | 'Failed';
  /** Of which canary; default podinfo. */
  readonly canary?: string;
  readonly target?: string;
  readonly workloads?: 'deployments' | 'daemonsets' | 'services';
  /** The Canary is another object than at the beginning; default: the same one. */
  readonly replaced?: boolean;
  /** When the post step has the last word. */
  readonly post?: FinishedProcess;
}

/**
 * Verdict, reason and exit code; the tree and the log of the branch; the check run; and the cluster: what the primary
 * serves, what the target wants, that nothing is being analysed, and that it is still the same Canary.
 */
export async function expectEnding(
  on: { readonly scenario: ClusterScenario; readonly expect: ExpectStatic; readonly run: FinishedProcess },
  ending: Ending,
): Promise<void> {
  const { scenario, expect, run } = on;
  const { verdict, reason } = ending;
  const { exitCode, conclusion } = VERDICTS[verdict];
  const where = `${run.outputs['result'] ?? ''}\n${run.log.text.slice(-3000)}`;
  if (ending.post) expect(ending.post.log.text).toContain(`${verdict} (${reason})`);
  else {
    expect(run.outputs, where).toMatchObject({ verdict, reason });
    expect(run.exitCode, where).toBe(exitCode);
  }
  const titles = await scenario.titles();
  expect(titles.slice(0, -1).map(title => title.split(' ')[0])).toEqual(ending.commits);
  const promoted = verdict === 'promoted';
  expect(await changedFiles(scenario)).toEqual(
    ending.changed ?? (promoted && ending.commits.length > 0 ? ['apps/deployment.yaml'] : []),
  );
  const checks = scenario.github.checkRuns(SOURCE);
  const check = checks.find(({ id }) => String(id) === run.outputs['check-run-id']) ?? checks.at(-1);
  expect(check).toMatchObject({ status: 'completed', conclusion });

  const { canary: name = 'podinfo', target = name } = ending;
  const canary = await scenario.canary(name);
  expect(canary?.status.phase).toBe(ending.phase);
  const known = scenario.canaryUids.get(name);
  if (known !== undefined && ending.replaced !== true) expect(canary?.metadata.uid).toBe(known);
  expect((await scenario.template(`${target}-primary`, ending.workloads)).image).toBe(ending.serves);
  expect((await scenario.template(target, ending.workloads)).image).toBe(ending.wants ?? ending.serves);
}

/** Files of the GitOps repository that are not as they were in its first commit. */
export async function changedFiles(scenario: ClusterScenario): Promise<readonly string[]> {
  const first = (await scenario.github.log(FLEET)).at(-1)?.sha ?? '';
  const before = await scenario.github.tree(FLEET, first);
  const now = await scenario.github.tree(FLEET);
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter(path => before.get(path)?.content !== now.get(path)?.content)
    .toSorted();
}
