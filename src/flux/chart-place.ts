import { isDigest, isExactVersion } from '../config/chart-version.ts';
import type { SourceRef } from './flux-objects.ts';
import { record, text, valueAt } from '../build/json.ts';
import { chartRefOf } from './parse-helm-release.ts';

/** The field that says which chart a HelmRelease installs, in an object of the tree as it is built. */
export interface ChartPlace {
  readonly kind: 'place';
  /** The HelmRelease itself, or the OCIRepository of its chartRef. */
  readonly object: SourceRef;
  readonly path: readonly string[];
  /** The chart's name, as change: [{chart: …}] may call it. */
  readonly chart: string;
  readonly current: string;
  /** `current` may grow without a commit: a range, or nothing at all. */
  readonly floats: boolean;
}

export type FoundChart =
  | ChartPlace
  | {
      readonly kind: 'none';
      /** After “the chart of HelmRelease …”. */
      readonly words: string;
      readonly remedy: string;
    };

/**
 * @param release the HelmRelease as built
 * @param find another object of the same build
 */
export function chartPlace(release: unknown, find: (ref: SourceRef) => unknown): FoundChart {
  const ref = chartRefOf(release);
  if (ref) return chartOfRef(ref, find);
  const { namespace, name } = record(valueAt(release, ['metadata']));
  const object = { kind: 'HelmRelease', namespace: text(namespace), name: text(name) };
  const spec = record(valueAt(release, ['spec', 'chart', 'spec']));
  const chart = text(spec['chart']);
  const kind = text(record(spec['sourceRef'])['kind']) || 'HelmRepository';
  // source-controller api/v1 helmchart_types.go: "Version is ignored for charts from GitRepository and Bucket".
  if (kind !== 'HelmRepository') {
    return none(
      `comes from a ${kind}, for which Flux ignores spec.chart.spec.version; its version is in its Chart.yaml`,
      'Release what the chart holds by changes of its own files (at), or take the chart from a HelmRepository or an OCIRepository.',
    );
  }
  const current = text(spec['version']);
  const floats = !isExactVersion(current);
  const path = ['spec', 'chart', 'spec', 'version'];
  return { kind: 'place', object, path, chart: lastPart(chart), current, floats };
}

function chartOfRef(ref: SourceRef, find: (ref: SourceRef) => unknown): FoundChart {
  const name = `${ref.kind} ${ref.namespace}/${ref.name}`;
  if (ref.kind !== 'OCIRepository') {
    return none(
      `comes from the ${name} (spec.chartRef), which holds no version that a commit could set`,
      'Set the version in the object that it is made from, or name an OCIRepository under spec.chartRef.',
    );
  }
  const repository = find(ref);
  if (repository === undefined) {
    return none(
      `comes from the ${name} (spec.chartRef), which is not in what the Kustomization of the HelmRelease builds: its tag would arrive at another moment than the rollout's id`,
      'Keep the manifest of the OCIRepository beside that of the HelmRelease, in one Kustomization.',
    );
  }
  const spec = record(valueAt(repository, ['spec']));
  const of = record(spec['ref']);
  const place = (key: string, floats: boolean): ChartPlace => ({
    kind: 'place',
    object: ref,
    path: ['spec', 'ref', key],
    chart: lastPart(text(spec['url'])),
    current: text(of[key]),
    floats,
  });
  // source-controller ocirepository_controller.go, getArtifactRef: the digest first, then the range, then the tag.
  if (text(of['digest']) !== '') return place('digest', false);
  if (text(of['semver']) !== '') return place('semver', true);
  return place('tag', text(of['tag']) === '');
}

/** Why a version cannot stand in a place; undefined: it can. */
export function unfit(place: ChartPlace, version: string): string | undefined {
  const key = place.path.at(-1) ?? '';
  if (key === 'digest' && !isDigest(version)) {
    return `is pinned by spec.ref.digest, which wins over a tag; give the digest of ${version} (sha256:…)`;
  }
  if (key === 'tag' && isDigest(version)) {
    return 'is chosen by spec.ref.tag; give a tag, or pin the one that runs now by spec.ref.digest first';
  }
  return undefined;
}

/** Where a floating version is pinned, for a remedy. */
export function pinWords({ object, path }: ChartPlace, where: string): string {
  if (object.kind === 'HelmRelease')
    return `Pin the version that runs now (${path.join('.')} in ${where}), which changes nothing, then release again.`;
  return `Pin the tag that runs now (spec.ref.tag in the place of ${path.join('.')}, in ${where}), which changes nothing, then release again.`;
}

function lastPart(chart: string): string {
  return chart.slice(chart.lastIndexOf('/') + 1);
}

function none(words: string, remedy: string): FoundChart {
  return { kind: 'none', words, remedy };
}
