import type { PlannedAnalysis, PlanView } from './plan-view.ts';
import { counted, elapsed } from './durations.ts';

/** `1 file, weights 25, 50, promoted after 30–60 s, 2 warnings`, or `nothing to change`: a plan in a title. */
export function planWords({ files, canaries, warnings }: PlanView): string {
  const changed = new Set(files.map(({ path }) => path)).size;
  return [
    ...(changed === 0 ? ['nothing to change'] : [counted(changed, 'file'), ...scheduleWords(canaries)]),
    ...(warnings === 0 ? [] : [counted(warnings, 'warning')]),
  ].join(', ');
}

function scheduleWords(canaries: readonly PlannedAnalysis[]): readonly string[] {
  if (canaries.length === 0) return [];
  const steps = new Set(canaries.map(stepsWords));
  const shortest = Math.max(...canaries.map(({ shortestMs }) => shortestMs));
  const longest = Math.max(...canaries.map(({ longestMs }) => longestMs));
  return [
    ...(canaries.length > 1 ? [`${canaries.length} canaries`] : []),
    ...(steps.size > 1 ? [] : steps),
    `promoted after ${spanWords(shortest, longest)}`,
  ];
}

function stepsWords({ analysis }: PlannedAnalysis): string {
  const { strategy, weights, iterations = 10 } = analysis;
  if (strategy !== 'weighted') return counted(iterations, 'iteration');
  if (weights.length <= 5) return `weights ${weights.join(', ')}`;
  return `${weights.length} weights from ${weights[0]} to ${weights.at(-1)}`;
}

function spanWords(shortestMs: number, longestMs: number): string {
  if (shortestMs === longestMs) return elapsed(shortestMs);
  const [shortest, longest] = [shortestMs / 1000, longestMs / 1000].map(Math.round);
  return longestMs < 100_000 ? `${shortest}–${longest} s` : `${elapsed(shortestMs)} to ${elapsed(longestMs)}`;
}
