import { z } from 'zod';
import type { ClusterScenario } from './scenario.ts';

/** What the scenarios look at of Knative Services. */

const API = 'apis/serving.knative.dev/v1';
const podSchema = z.object({ containers: z.array(z.object({ image: z.string() })) });
const annotationsSchema = z.record(z.string(), z.string()).default({});
const serviceSchema = z.object({
  metadata: z.object({ annotations: annotationsSchema }),
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: annotationsSchema }).prefault({}),
      spec: podSchema,
    }),
  }),
  status: z.object({
    traffic: z
      .array(z.object({ revisionName: z.string().default(''), percent: z.number().default(0) }))
      .default([]),
  }),
});
const revisionSchema = z.object({ metadata: z.object({ annotations: annotationsSchema }), spec: podSchema });

interface SeenTemplate {
  readonly image: string;
  readonly id: string | undefined;
}

/** Image tag and rollout id of a Knative Service's template; of `NAME-primary`: of the Revision that Flagger noted. */
export async function knativeTemplate(scenario: ClusterScenario, name: string): Promise<SeenTemplate> {
  const service = await scenario.object(API, 'services', name.replace(/-primary$/, ''), serviceSchema);
  const template = name.endsWith('-primary')
    ? await revisionOf(scenario, service?.metadata.annotations['flagger.app/primary-revision'] ?? '')
    : service?.spec.template;
  return {
    image: tagOf(template?.spec),
    id: template?.metadata.annotations['gated-rollout/id'],
  };
}

/** Percent of the traffic by image tag. */
export async function trafficOf(
  scenario: ClusterScenario,
  name: string,
): Promise<Readonly<Record<string, number>>> {
  const service = await scenario.object(API, 'services', name, serviceSchema);
  const byTag: Record<string, number> = {};
  for (const { revisionName, percent } of service?.status.traffic ?? []) {
    if (percent === 0) continue;
    const tag = tagOf((await revisionOf(scenario, revisionName))?.spec);
    byTag[tag] = (byTag[tag] ?? 0) + percent;
  }
  return byTag;
}

function revisionOf(scenario: ClusterScenario, name: string) {
  return scenario.object(API, 'revisions', name, revisionSchema);
}

function tagOf(pod: z.infer<typeof podSchema> | undefined): string {
  return pod?.containers[0]?.image.replace(/^.*:/, '') ?? '';
}
