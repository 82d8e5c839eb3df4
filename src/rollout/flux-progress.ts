import { heldLink, type LinkGenerations, linkProgress } from './link-progress.ts';
import type { FluxChain, KustomizationView } from './observation.ts';
import type { RevisionFacts } from './ports.ts';
import type { Reason } from './verdict.ts';

/** What is known of the revisions that Flux names, by commit. */
export type KnownRevisions = Readonly<Record<string, RevisionFacts>>;

/** How far Flux is with a commit of ours. It explains; that the target carries our id is what decides. */
export type FluxProgress =
  /** Attempted; nothing more to wait for than the target. */
  | { readonly kind: 'attempted'; readonly revision: string }
  | { readonly kind: 'waiting'; readonly detail: string; readonly reason: Reason }
  /** Flux said no to a revision that holds our commit. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'held'; readonly reason: Reason; readonly detail: string };

/**
 * Ready=False reasons that mean "this revision will not do", as against those that pass by themselves.
 * kustomize-controller api/v1 condition reasons.
 */
const TERMINAL: ReadonlyMap<string, Reason> = new Map([
  ['BuildFailed', 'build-failed'],
  ['ReconciliationFailed', 'reconciliation-failed'],
  ['InvalidCELExpression', 'reconciliation-failed'],
]);

/**
 * @param contains which of our commits is looked for
 * @param before what the links of the chain were at before that commit
 */
export function fluxProgress(
  flux: FluxChain | undefined,
  known: KnownRevisions,
  contains: 'containsCommit' | 'containsRevert',
  before: LinkGenerations = {},
): FluxProgress {
  if (!flux) return { kind: 'waiting', reason: 'apply-timeout', detail: 'The Flux objects cannot be seen.' };
  const suspended = suspension(flux);
  const applier = flux.kustomizations.at(-1);
  const attempted = applier?.lastAttemptedRevision;
  const reached = attempted !== undefined && known[attempted]?.[contains] === true;
  if (applier && reached) {
    const failure = terminalFailure(applier);
    if (failure) return failure;
    const beyond = linkProgress(flux.links, before);
    if (beyond.kind !== 'passed') return { ...beyond, kind: beyond.kind };
    return { kind: 'attempted', revision: attempted };
  }
  if (suspended) return suspended;
  if (applier) {
    const blocked = flux.kustomizations
      .map(kustomization => ({ kustomization, ready: kustomization.ready }))
      .find(({ ready }) => ready?.status === 'False');
    if (blocked?.ready) {
      return {
        kind: 'waiting',
        reason: 'apply-timeout',
        detail: `Kustomization ${name(blocked.kustomization)} is not ready (${blocked.ready.reason}): ${blocked.ready.message}`,
      };
    }
  }
  const source = flux.source;
  if (source.ready?.status === 'False') {
    return {
      kind: 'waiting',
      reason: 'source-failed',
      detail: `${source.kind} ${source.namespace}/${source.name} is not ready (${source.ready.reason}): ${source.ready.message}`,
    };
  }
  const fetched = source.revision !== undefined && known[source.revision]?.[contains] === true;
  return {
    kind: 'waiting',
    reason: 'apply-timeout',
    detail: fetched
      ? `Flux has fetched the commit; Kustomization ${applier ? name(applier) : '?'} has not attempted it yet.`
      : `Flux has not fetched the commit yet (it looks every ${Math.round(source.intervalMs / 1000)} s).`,
  };
}

/** The source or a Kustomization on the way is suspended: nothing in Git reaches the cluster. */
export function suspension(flux: FluxChain): Extract<FluxProgress, { kind: 'held' }> | undefined {
  if (flux.source.suspended) {
    return {
      kind: 'held',
      reason: 'source-suspended',
      detail: `${flux.source.kind} ${flux.source.namespace}/${flux.source.name} is suspended.`,
    };
  }
  const kustomization = flux.kustomizations.find(candidate => candidate.suspended);
  if (kustomization) {
    return {
      kind: 'held',
      reason: 'kustomization-suspended',
      detail: `Kustomization ${name(kustomization)} is suspended.`,
    };
  }
  const link = flux.links.find(({ view }) => view.suspended);
  return link && { ...heldLink(link), kind: 'held' };
}

function terminalFailure(
  kustomization: KustomizationView,
): Extract<FluxProgress, { kind: 'failed' }> | undefined {
  const ready = kustomization.ready;
  // While an attempt runs, Ready is Unknown/Progressing: False with the attempted revision is the answer to it.
  if (ready?.status !== 'False') return undefined;
  const reason = TERMINAL.get(ready.reason);
  if (!reason) return undefined;
  return {
    kind: 'failed',
    reason,
    detail: `Kustomization ${name(kustomization)} (${ready.reason}): ${ready.message}`,
  };
}

function name(kustomization: KustomizationView): string {
  return `${kustomization.namespace}/${kustomization.name}`;
}
