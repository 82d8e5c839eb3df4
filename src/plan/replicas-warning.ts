import { type TargetRef, targetKey } from '../rollout/target.ts';
import type { Site } from './locate.ts';
import { record, text } from './patch-reach.ts';
import type { PlanWarning } from './plan.ts';

/** Flagger scales the target to zero between releases, and Flux puts the replicas of Git back at each interval. */
export function replicasWarning(target: TargetRef, site: Site): readonly PlanWarning[] {
  const replicas = record(site.data['spec'])['replicas'];
  if (replicas === undefined || target.kind !== 'Deployment') return [];
  return [
    {
      code: 'replicas-in-git',
      message: `${site.file.path} sets replicas: ${text(replicas)} for ${targetKey(target)}; Flux and Flagger will fight over it. Take it out, or use a HorizontalPodAutoscaler.`,
      path: site.file.path,
      line: site.file.lineOf(site.document, [...site.root, 'spec', 'replicas']),
    },
  ];
}
