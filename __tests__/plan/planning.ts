import { FluxBuilder } from '../../src/build/flux-builder.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { canaryAnalysis } from '../../src/flagger/canary-analysis.ts';
import type { TreeBuilder } from '../../src/build/tree-builder.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import type { CanaryView, FluxChain, KustomizationView, Observation } from '../../src/rollout/observation.ts';
import { targetKey } from '../../src/rollout/target.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { memoryFiles } from './memory-files.ts';

/** Flux's own build, one for all plans of a test file. */
export const BUILDER: TreeBuilder = new FluxBuilder();

export interface PlanningOn {
  /** The folder that Flux applies. */
  readonly folder?: string;
  /** Folder of the Kustomization that applies the Kustomization of the targets. */
  readonly parent?: string;
  readonly applier?: Partial<KustomizationView>;
  /** What differs in the Kustomization above. */
  readonly above?: Partial<KustomizationView>;
  readonly builder?: TreeBuilder;
  readonly objects?: Observation['objects'];
  /** Live pod templates by target. */
  readonly templates?: Readonly<Record<string, unknown>>;
  /** Without Canaries in the cluster. */
  readonly bare?: boolean;
}

const KUSTOMIZATION: KustomizationView = {
  namespace: 'flux-system',
  name: 'apps',
  path: 'apps',
  suspended: false,
  generation: 1,
  observedGeneration: 1,
  intervalMs: 60_000,
  waits: false,
};

function canary(namespace: string, name: string): CanaryView {
  return {
    uid: 'u',
    namespace,
    name,
    resourceVersion: '1',
    phase: 'Succeeded',
    canaryWeight: 0,
    iterations: 0,
    failedChecks: 0,
    lastAppliedSpec: 'a',
    lastPromotedSpec: 'a',
    trackedConfigs: {},
    suspended: false,
    skipAnalysis: false,
    progressDeadlineMs: 600_000,
    analysis: canaryAnalysis({}),
    flaggerSkewMs: 0,
  };
}

/** Plans a release of files in memory, for targets that are guarded by Canaries. */
export async function planOf(
  files: Readonly<Record<string, string>>,
  yaml: string,
  on: PlanningOn = {},
): Promise<ReleasePlan> {
  const parsed = parseRolloutFile(yaml, { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { rollout } = parsed;
  const chain: FluxChain = {
    source: {
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'fleet',
      url: 'https://github.com/acme/fleet',
      branch: 'main',
      suspended: false,
      intervalMs: 60_000,
      verifies: false,
    },
    kustomizations: [
      ...(on.parent === undefined
        ? []
        : [{ ...KUSTOMIZATION, name: 'cluster', path: on.parent, ...on.above }]),
      { ...KUSTOMIZATION, path: on.folder ?? 'apps', ...on.applier },
    ],
    links: [],
  };
  const targets = rollout.targets.map(target => {
    const template = on.templates?.[targetKey(target)];
    const live = {
      ...target,
      uid: 't',
      resourceVersion: '1',
      generation: 1,
      template,
      replicas: 1,
      readyReplicas: 1,
      complete: true,
      progressDeadlineMs: 600_000,
      deadlineExceeded: false,
    };
    const view = {
      replicaSets: [],
      events: [],
      ...(template === undefined ? {} : { target: live }),
      ...(on.bare ? {} : { canary: canary(target.namespace, target.name) }),
    };
    return [targetKey(target), view] as const;
  });
  const { builder = BUILDER } = on;
  const planner = new ReleasePlanner({ rollout, sourceSha: 'c'.repeat(40), builder });
  return await planner.plan({
    files: memoryFiles(files),
    chains: Object.fromEntries(rollout.targets.map(target => [targetKey(target), chain])),
    observation: {
      source: 'read',
      at: 0,
      objects: on.objects ?? {},
      targets: Object.fromEntries(targets),
    },
    rolloutId: 'shop-1',
  });
}

export async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refusal) return error;
  throw new Error(`No refusal, but ${String(error)}`);
}
