import { isExactVersion } from '../../config/chart-version.ts';
import type { Change } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { type AppliedChange, guardLine, notFound } from '../apply-change.ts';
import { lineOfPlace, writePlace } from '../value-setter.ts';
import type { HelmChangeOn } from './helm-image.ts';
import { at, scalarText } from './tracked.ts';

type ChartChange = Extract<Change, { kind: 'chart' }>;

/** @throws Refusal when the chart has no version that a commit could set. */
export function applyHelmChart(change: ChartChange, on: HelmChangeOn): AppliedChange {
  const { object, name, release } = on.helm;
  const spec = at(object, ['spec', 'chart', 'spec']);
  if (!spec) {
    throw notFound(
      change,
      on,
      `${name} takes its chart by spec.chartRef; its version is in that object, which is no part of the HelmRelease and cannot be proven to be what Helm installed`,
    );
  }
  const chart = scalarText(at(spec, ['chart'])) ?? '';
  if (chart !== change.chart && chart.slice(chart.lastIndexOf('/') + 1) !== change.chart) {
    throw notFound(change, on, `${name} installs the chart ${chart}, not ${change.chart}`);
  }
  const source = scalarText(at(spec, ['sourceRef', 'kind'])) ?? 'HelmRepository';
  if (source !== 'HelmRepository') {
    // source-controller api/v1 helmchart_types.go: "Version is ignored for charts from GitRepository and Bucket".
    throw notFound(
      change,
      on,
      `the chart ${chart} of ${name} comes from a ${source}, for which Flux ignores spec.chart.spec.version; its version is in its Chart.yaml`,
    );
  }
  const version = at(spec, ['version']);
  const current = scalarText(version);
  if (version === undefined || current === undefined || !isExactVersion(current)) {
    throw new Refusal(
      'change-not-found',
      `${change.position.file}:${change.position.line}: ${name} follows the chart ${chart} at ${current === undefined ? 'its newest version' : `the range ${current}`}: it takes new versions without a commit, and a revert would take the rejected one again.`,
      {
        remedy: `Pin the version that runs now (spec.chart.spec.version in ${on.helm.site.file.path}), which changes nothing, then release again.`,
      },
    );
  }
  const { path } = version.at.file;
  const line = lineOfPlace(version.at);
  const text = version.at.file.text.split('\n')[line - 1] ?? '';
  guardLine(change, on, { path, line, text, shared: version.at.shared });
  if (current !== change.version) writePlace(on.edits, version.at, change.version);
  const expectation = { kind: 'chart', target: on.target, release, chart } as const;
  return {
    found: {
      change: `chart ${chart}`,
      target: on.target,
      path,
      line,
      current,
      requested: change.version,
      currentExpectation: { ...expectation, version: current },
    },
    expectation: { ...expectation, version: change.version },
  };
}
