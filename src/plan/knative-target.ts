import { knativeProblems } from '../flagger/knative-rules.ts';
import type { CanaryView } from '../rollout/observation.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { record, text } from '../build/json.ts';
import { lineIn, type Written } from './canary/written.ts';

/**
 * Fields of a Knative Service's manifest with which no release of it could be analysed.
 * @throws Refusal with file and line.
 */
export function refuseKnativeFields(target: TargetRef, service: Written): void {
  if (target.kind !== 'Service') return;
  const spec = record(service.object.data['spec']);
  const at = (path: readonly string[]) => {
    const { path: file, line } = lineIn(service, path);
    return file === undefined ? 'The build' : `${file}:${line}`;
  };
  if (spec['traffic'] !== undefined) {
    throw new Refusal(
      'traffic-in-git',
      `${at(['spec', 'traffic'])} sets the traffic of ${targetKey(target)}. Flagger writes it while it analyses, and Flux would put it back to what Git says at each interval: an unproven Revision could get all requests.`,
      { remedy: 'Take spec.traffic out of the manifest, let Flux apply that, then run this again.' },
    );
  }
  const name = record(record(spec['template'])['metadata'])['name'];
  if (name === undefined) return;
  throw new Refusal(
    'bad-config',
    `${at(['spec', 'template', 'metadata', 'name'])} names the Revision of ${targetKey(target)} (“${text(name)}”). Knative refuses every change of a template that keeps its name, so that a release and its revert would not be applied.`,
    {
      remedy:
        'Take spec.template.metadata.name out of the manifest (Knative names Revisions itself), then run this again.',
    },
  );
}

/** @throws Refusal for a Knative Service whose manifest is not in what the Kustomization itself builds. */
export function refuseKnativeFrom(target: TargetRef, from: string): void {
  if (target.kind !== 'Service') return;
  throw new Refusal(
    'wrong-source',
    `${targetKey(target)} comes from ${from}; a Knative Service can be released from its own manifest in the GitOps repository only, so far.`,
    { remedy: 'Keep the manifest of the Knative Service in the GitOps repository.' },
  );
}

/**
 * A Canary of a Knative Service as it is found, with something that Flagger cannot do for one.
 * @param found its spec and where it is written; or what the cluster shows, where it is written elsewhere
 * @throws Refusal `bad-config`
 */
export function refuseKnativeCanary(
  target: TargetRef,
  found: { readonly spec: Readonly<Record<string, unknown>>; readonly where: string } | CanaryView,
): void {
  if (target.kind !== 'Service') return;
  const [where, spec] =
    'spec' in found
      ? [`${found.where}: the Canary of ${targetKey(target)}`, found.spec]
      : [`Canary ${found.namespace}/${found.name}`, specOf(found)];
  const [problem] = knativeProblems(spec);
  if (!problem) return;
  throw new Refusal(
    'bad-config',
    `${where}: ${problem.message} (${problem.field}: found ${problem.found}; allowed: ${problem.allowed})`,
    { remedy: 'Correct the Canary, let Flux apply it, then run this again.' },
  );
}

/** What of a Canary's spec is told by the cluster's view of it, and matters here. */
function specOf({ provider, skipAnalysis, analysis }: CanaryView): Readonly<Record<string, unknown>> {
  return {
    provider,
    skipAnalysis,
    targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service' },
    analysis: { stepWeightPromotion: analysis.stepWeightPromotion },
  };
}
