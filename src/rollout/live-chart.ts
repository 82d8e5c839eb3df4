import { isDigest } from '../config/chart-version.ts';
import type { LiveValue } from './live-value.ts';
import type { ChainLink, ChartSourceView, HelmReleaseView } from './observation.ts';

export type HelmLink = Extract<ChainLink, { kind: 'HelmRelease' }>;

/**
 * The chart of the last attempt: what the target carries of it is judged by the target. A chart by chartRef is asked for
 * by a tag or a digest of its registry, which need not be the version that the chart gives itself: the OCIRepository
 * says which digest the tag has, and the HelmRelease which digest Helm installed.
 */
export function liveChart(version: string, link: HelmLink | undefined): LiveValue {
  if (!link) return { found: undefined, holds: false };
  const { view, chartSource } = link;
  const installed = installedDigest(view);
  if (isDigest(version))
    return { found: installed ?? pulledWords(chartSource), holds: installed === version };
  if (!chartSource) return byVersion(version, view);
  const { artifact, upToDate } = chartSource;
  const pulled = upToDate && artifact?.tag === version ? artifact.digest : undefined;
  if (pulled !== undefined && pulled === installed) return { found: version, holds: true };
  return {
    found: installed === artifact?.digest ? artifact?.tag : (installed ?? view.lastAttemptedRevision),
    holds: false,
  };
}

/** Where Helm has it from the OCIRepository: as attempted, and as its newest release says. */
function installedDigest({ lastAttemptedRevisionDigest, history }: HelmReleaseView): string | undefined {
  const newest = history[0]?.ociDigest;
  return newest === undefined || newest === lastAttemptedRevisionDigest
    ? lastAttemptedRevisionDigest
    : undefined;
}

function byVersion(version: string, { lastAttemptedRevision: found }: HelmReleaseView): LiveValue {
  // Charts of OCI repositories have their digest appended: 1.2.3+0f2e….
  const plain = (text: string | undefined) => text?.replace(/^v/, '').replace(/\+.*$/, '');
  return { found, holds: found !== undefined && plain(found) === plain(version) };
}

function pulledWords(source: ChartSourceView | undefined): string | undefined {
  return source?.artifact?.digest;
}

/**
 * When Helm first installed the chart that is asked for; undefined while it has not. A HelmRelease and its OCIRepository
 * are applied one after the other: what Helm did before with the chart of before carries our id all the same, and is
 * nobody's amendment.
 */
export function chartInstalledAt(version: string, link: HelmLink | undefined): number | undefined {
  if (!link?.chartSource || !liveChart(version, link).holds) return undefined;
  const digest = link.view.lastAttemptedRevisionDigest;
  return link.view.history.findLast(({ ociDigest }) => ociDigest === digest)?.deployedAt;
}
