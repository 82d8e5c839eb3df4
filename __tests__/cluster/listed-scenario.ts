import type { ExpectStatic } from 'vitest';
import type { FinishedProcess } from '../../sandbox/runner/run-action.ts';
import type { Testbed } from '../../testbed/start.ts';
import { type Ending, expectEnding } from './ending.ts';
import { ClusterScenario, type ScenarioOptions } from './scenario.ts';

type Given = Partial<Omit<ScenarioOptions, 'testbed' | 'namespace'>>;

/** One line of docs/verification.md, and how it is proven. */
export interface ListedScenario {
  /** Its namespace, too. */
  readonly key: string;
  readonly title: string;
  /** What the run has shown beyond the ending that every scenario proves. */
  readonly proven: string;
  readonly options?: (on: {
    readonly namespace: string;
    readonly testbed: Testbed;
  }) => Given | Promise<Given>;
  readonly run: (on: Acting) => Promise<void>;
}

/** What a scenario acts with. */
export interface Acting {
  readonly scenario: ClusterScenario;
  readonly testbed: Testbed;
  readonly namespace: string;
  readonly expect: ExpectStatic;
  /** Proves how a run ended; noted for the table. */
  readonly ends: (run: FinishedProcess, ending: Ending) => Promise<void>;
}

/** How a scenario went. */
export interface ScenarioResult {
  readonly endings: readonly Pick<Ending, 'verdict' | 'reason'>[];
  readonly seconds: number;
}

export async function runListed(
  listed: ListedScenario,
  on: { readonly testbed: Testbed; readonly expect: ExpectStatic },
): Promise<ScenarioResult> {
  const started = performance.now();
  const namespace = listed.key;
  const { testbed, expect } = on;
  const scenario = await ClusterScenario.start({
    testbed,
    namespace,
    ...(await listed.options?.({ namespace, testbed })),
  });
  const endings: Ending[] = [];
  try {
    await listed.run({
      scenario,
      testbed,
      namespace,
      expect,
      ends: async (run, ending) => {
        await expectEnding({ scenario, expect, run }, ending);
        endings.push(ending);
      },
    });
  } finally {
    await scenario.end();
  }
  return { endings, seconds: Math.round((performance.now() - started) / 1000) };
}

/**
 * Waits until nothing is analysed any more and the primary runs `tag`. A revert may be proven (no pod runs the release)
 * while Flagger still analyses what it restored.
 */
export async function settles(
  { scenario }: Pick<Acting, 'scenario'>,
  tag: string,
  name = 'podinfo',
  workloads: Ending['workloads'] = 'deployments',
): Promise<void> {
  await scenario.waitUntil('end of all analyses', async () => {
    const status = (await scenario.canary(name))?.status;
    const { image } = await scenario.template(`${name}-primary`, workloads);
    return (
      ['Succeeded', 'Failed'].includes(status?.phase ?? '') &&
      status?.lastAppliedSpec === status?.lastPromotedSpec &&
      image === tag
    );
  });
}
