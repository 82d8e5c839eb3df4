import type { HelmLink } from './live-chart.ts';
import type { ChainLink, Condition, FluxChain } from './observation.ts';
import type { Reason } from './verdict.ts';

/** How far the objects between the Kustomization that carries our commit and the target are. */
export type LinkProgress =
  | { readonly kind: 'passed' }
  | { readonly kind: 'waiting' | 'failed' | 'held'; readonly reason: Reason; readonly detail: string };

/** The generations that links had before our commit, by linkKey: what they said then was not about it. */
export type LinkGenerations = Readonly<Record<string, number>>;

export function linkKey(link: ChainLink): string {
  return `${link.kind} ${link.view.namespace}/${link.view.name}`;
}

/**
 * Ready=False reasons after which the controller tries nothing else with this spec.
 * kustomize-controller api/v1 and helm-controller api/v2, condition reasons.
 */
const TERMINAL: ReadonlyMap<string, Reason> = new Map([
  ['BuildFailed', 'build-failed'],
  ['ReconciliationFailed', 'reconciliation-failed'],
  ['InvalidCELExpression', 'reconciliation-failed'],
  ['InstallFailed', 'reconciliation-failed'],
  ['UpgradeFailed', 'reconciliation-failed'],
  ['RollbackFailed', 'reconciliation-failed'],
  ['UninstallFailed', 'reconciliation-failed'],
  // What failed was taken back again (helm-controller reconcile/release.go, summarize).
  ['RollbackSucceeded', 'reconciliation-failed'],
  ['UninstallSucceeded', 'reconciliation-failed'],
]);

/** The first link that our commit has not passed yet. */
export function linkProgress(links: readonly ChainLink[], before: LinkGenerations): LinkProgress {
  for (const link of links) {
    const progress = progressOf(link, before[linkKey(link)]);
    if (progress.kind !== 'passed') return progress;
  }
  return { kind: 'passed' };
}

/**
 * What a revert waits for between Kustomization and target. A HelmRelease that still asks for our release, or that is at
 * work, may yet bring it, however untouched the target looks.
 */
export function linkOnWayBack(links: readonly ChainLink[], rolloutId: string): string | undefined {
  for (const link of links) {
    if (link.kind !== 'HelmRelease') continue;
    if (link.view.rolloutIds.includes(rolloutId)) {
      return `${linkKey(link)} still asks for our release`;
    }
    const progress = progressOf(link, undefined);
    if (progress.kind !== 'passed') return progress.detail;
  }
  return undefined;
}

/**
 * What lies behind the Kustomization may be asked to look: all was applied, and none of it is at work. One that is at
 * work needs no asking, and may break off what it does when it is asked (helm-controller, HealthCheckCanceled).
 */
export function linksAreIdle({ kustomizations, links }: FluxChain): boolean {
  // lastAttemptedRevision is written before anything is applied; Ready is not True before all of it is.
  const applied = kustomizations.at(-1)?.ready?.status === 'True';
  return applied && links.length > 0 && !links.some(isAtWork);
}

function progressOf(link: ChainLink, before: number | undefined): LinkProgress {
  const { view } = link;
  const name = linkKey(link);
  if (view.suspended) return heldLink(link);
  const { ready } = view;
  if (isAtWork(link)) {
    return { kind: 'waiting', reason: 'apply-timeout', detail: `${name} is at work on it.` };
  }
  // Without a new generation nothing of ours has reached it, and what it says is of before.
  const moved = before === undefined || view.generation > before;
  const terminal = moved && ready?.status === 'False' ? TERMINAL.get(ready.reason) : undefined;
  if (ready && terminal) return { kind: 'failed', reason: terminal, detail: said(name, ready) };
  if (ready?.status === 'False') {
    return { kind: 'waiting', reason: 'apply-timeout', detail: said(name, ready) };
  }
  return { kind: 'passed' };
}

/**
 * Its controller has not answered to the newest generation yet. helm-controller keeps the old observedGeneration for as
 * long as it retries (helmrelease_controller.go, Reconcile); then its Ready condition says which one it speaks of.
 */
export function isAtWork(link: ChainLink): boolean {
  const { ready, generation, suspended } = link.view;
  if (suspended) return false;
  if (link.kind === 'HelmRelease' && chartIsUnderWay(link)) return true;
  if (ready?.status === 'Unknown') return true;
  const answered = ready?.status === 'False' && ready.generation === generation;
  return link.view.observedGeneration < generation && !answered;
}

/** Its OCIRepository asks for another chart than Helm has attempted; no generation of the HelmRelease tells. */
function chartIsUnderWay({ view, chartSource }: HelmLink): boolean {
  if (!chartSource || chartSource.suspended) return false;
  const { upToDate, artifact } = chartSource;
  const attempted = view.lastAttemptedRevisionDigest;
  return !upToDate || (artifact !== undefined && attempted !== undefined && artifact.digest !== attempted);
}

/** A suspended link; nothing passes it. */
export function heldLink(link: ChainLink): Extract<LinkProgress, { reason: Reason }> {
  const reason = link.kind === 'HelmRelease' ? 'helm-release-suspended' : 'kustomization-suspended';
  return { kind: 'held', reason, detail: `${linkKey(link)} is suspended.` };
}

function said(name: string, ready: Condition): string {
  return `${name} is not ready (${ready.reason}): ${ready.message}`;
}
