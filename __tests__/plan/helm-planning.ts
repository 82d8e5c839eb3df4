import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import { parseHelmRelease } from '../../src/flux/parse-helm-release.ts';
import { parseCanary } from '../../src/cluster/parse-canary.ts';
import { parseKustomization, parseGitRepository } from '../../src/flux/parse-flux.ts';
import { parseWorkload } from '../../src/cluster/parse-workload.ts';
import type { FluxChain, Observation } from '../../src/rollout/observation.ts';
import { Refusal } from '../../src/rollout/verdict.ts';
import { memoryFiles } from './memory-files.ts';
import { BUILDER } from './planning.ts';

/** A folder of a HelmRelease `shop` whose chart renders the Deployment `frontend`. */

export const ID = 'shop-1';

export interface HelmPlanOptions {
  /** Images that run now. */
  readonly live?: readonly string[];
  readonly canary?: boolean;
  readonly folder?: string;
  /** Chart version of the last attempt. */
  readonly chart?: string;
  /** Namespace of the HelmRelease; default prod, as the target's. */
  readonly namespace?: string;
  readonly targetNamespace?: string;
  readonly id?: string;
  /** spec.images of the Kustomization. */
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

export function helmRelease(spec: string, metadata = 'metadata: {name: shop, namespace: prod}\n'): string {
  const indented = spec.replace(/^(?=.)/gm, '  ');
  return `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n${metadata}spec:\n  interval: 5m\n  chart:\n    spec:\n      chart: shop\n      version: 1.0.0\n      sourceRef: {kind: HelmRepository, name: charts}\n${indented}`;
}

export const CANARY = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: frontend, namespace: prod}
spec:
  provider: nginx
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: frontend}
  service: {port: 80}
  analysis: {interval: 30s, threshold: 5, iterations: 10}
`;

export function rolloutYaml(more = 'change: [{image: ghcr.io/acme/shop:6.2.0}]\n'): string {
  return `gitops: {repository: acme/fleet}\ntarget: [prod/frontend]\n${more}`;
}

export function helmObservation(options: HelmPlanOptions = {}): {
  readonly observation: Observation;
  readonly chain: FluxChain;
} {
  const { live = ['ghcr.io/acme/shop:6.1.0'], folder = 'apps', namespace = 'prod' } = options;
  const target = parseWorkload('Deployment', {
    metadata: { name: 'frontend', namespace: 'prod', uid: 'd' },
    spec: {
      template: {
        metadata: {},
        spec: {
          containers: live.map((image, index) => ({
            name: `c${index}`,
            image,
            ports: [{ name: 'http', containerPort: 9898 }],
          })),
        },
      },
    },
  });
  const canary = parseCanary({
    metadata: { name: 'frontend', namespace: 'prod', uid: 'c' },
    spec: { targetRef: { kind: 'Deployment', name: 'frontend' } },
    status: { phase: 'Succeeded' },
  });
  const release = parseHelmRelease({
    metadata: { name: 'shop', namespace, generation: 3 },
    spec: {},
    status: { observedGeneration: 3, lastAttemptedRevision: options.chart ?? '1.0.0' },
  });
  const chain: FluxChain = {
    source: parseGitRepository({
      metadata: { name: 'fleet', namespace: 'flux-system' },
      spec: { url: 'https://github.com/acme/fleet', ref: { branch: 'main' } },
    }),
    kustomizations: [
      parseKustomization({
        metadata: { name: 'apps', namespace: 'flux-system' },
        spec: {
          path: `./${folder}`,
          sourceRef: { kind: 'GitRepository', name: 'fleet' },
          ...(options.images === undefined ? {} : { images: options.images }),
          ...(options.targetNamespace === undefined ? {} : { targetNamespace: options.targetNamespace }),
        },
      }),
    ],
    links: [{ kind: 'HelmRelease', view: release }],
  };
  const view = {
    replicaSets: [],
    events: [],
    target,
    flux: chain,
    ...(options.canary === false ? {} : { canary }),
  };
  return {
    chain,
    observation: { source: 'read', at: 0, objects: {}, targets: { 'prod/frontend': view } },
  };
}

export async function planHelm(
  files: Readonly<Record<string, string>>,
  yaml = rolloutYaml(),
  options: HelmPlanOptions = {},
): Promise<ReleasePlan> {
  const parsed = parseRolloutFile(yaml, { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { observation, chain } = helmObservation(options);
  const planner = new ReleasePlanner({
    rollout: parsed.rollout,
    sourceSha: 'f'.repeat(40),
    builder: BUILDER,
  });
  const planned = await planner.plan({
    files: memoryFiles(files),
    chains: { 'prod/frontend': chain },
    observation,
    rolloutId: options.id ?? ID,
  });
  planner.proveChain(planned.found, observation);
  return planned;
}

/** Texts of the files that a plan changes. */
export function texts(plan: ReleasePlan): Readonly<Record<string, string>> {
  return Object.fromEntries(plan.files.map(({ path, text }) => [path, text]));
}

export async function refusalOf(plan: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await plan.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Refusal) return error;
  throw new Error(`No refusal, but ${String(error)}`);
}
