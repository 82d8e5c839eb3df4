import { describe, expect, it } from 'vitest';
import { chartPlace, pinWords, unfit } from '../../src/flux/chart-place.ts';
import { parseChartSource } from '../../src/flux/parse-chart-source.ts';
import { parseHelmRelease } from '../../src/flux/parse-helm-release.ts';
import { chartInstalledAt, type HelmLink, liveChart } from '../../src/rollout/live-chart.ts';

const NEW = `sha256:${'b'.repeat(64)}`;
const OLD = `sha256:${'a'.repeat(64)}`;
const release = (spec: object) => ({ metadata: { name: 'shop', namespace: 'prod' }, spec });
const BY_REF = release({ chartRef: { kind: 'OCIRepository', name: 'chart' } });
const oci = (ref: object) => ({ spec: { url: 'oci://ghcr.io/acme/charts/shop', ref } });

describe('where the version of a chart stands', () => {
  it.each([
    [{ tag: '1.0.0' }, 'spec.ref.tag', '1.0.0', false],
    [{ digest: OLD, tag: '1.0.0', semver: '*' }, 'spec.ref.digest', OLD, false],
    [{ semver: '>=1.0.0', tag: '1.0.0' }, 'spec.ref.semver', '>=1.0.0', true],
    [{}, 'spec.ref.tag', '', true],
  ])('by chartRef, %j: %s', (ref, path, current, floats) => {
    const found = chartPlace(BY_REF, asked =>
      asked.kind === 'OCIRepository' && asked.namespace === 'prod' && asked.name === 'chart'
        ? oci(ref)
        : undefined,
    );
    expect(found).toMatchObject({ kind: 'place', chart: 'shop', current, floats });
    expect(found.kind === 'place' && found.path.join('.')).toBe(path);
  });

  it.each([
    ['1.0.0', false],
    ['^1.0.0', true],
    [undefined, true],
  ])('by the HelmRelease itself, %s', (version, floats) => {
    const spec = { chart: 'charts/shop', version, sourceRef: { kind: 'HelmRepository', name: 'charts' } };
    const found = chartPlace(release({ chart: { spec } }), () => undefined);
    expect(found).toMatchObject({ kind: 'place', object: { kind: 'HelmRelease' }, chart: 'shop', floats });
  });

  it.each([
    [BY_REF, 'which is not in what the Kustomization of the HelmRelease builds'],
    [release({ chartRef: { kind: 'HelmChart', name: 'c' } }), 'comes from the HelmChart prod/c'],
    [
      release({ chartRef: { kind: 'ExternalArtifact', name: 'c' } }),
      'comes from the ExternalArtifact prod/c',
    ],
    [
      release({ chart: { spec: { chart: './c', sourceRef: { kind: 'GitRepository', name: 'f' } } } }),
      'comes from a GitRepository',
    ],
    [
      release({ chart: { spec: { chart: './c', sourceRef: { kind: 'Bucket', name: 'f' } } } }),
      'comes from a Bucket',
    ],
  ])('nowhere, and what to do: %#', (of, words) => {
    const found = chartPlace(of, () => undefined);
    if (found.kind !== 'none') throw new Error('found');
    expect(found.words).toContain(words);
    expect(found.remedy).not.toBe('');
  });

  it('takes a tag for a tag, and a digest for a digest', () => {
    const place = (ref: object) => {
      const found = chartPlace(BY_REF, () => oci(ref));
      if (found.kind === 'none') throw new Error(found.words);
      return found;
    };
    expect(unfit(place({ tag: '1.0.0' }), '1.1.0')).toBeUndefined();
    expect(unfit(place({ digest: OLD }), NEW)).toBeUndefined();
    expect(unfit(place({ digest: OLD }), '1.1.0')).toContain('give the digest of 1.1.0');
    expect(unfit(place({ tag: '1.0.0' }), NEW)).toContain('give a tag');
    expect(pinWords(place({ semver: '*' }), 'apps/oci.yaml:9')).toContain(
      'spec.ref.semver, in apps/oci.yaml:9',
    );
  });
});

interface Live {
  readonly revision?: string;
  readonly generation?: number;
  readonly attempted?: string;
  readonly history?: readonly { readonly digest?: string; readonly at: string }[];
}

function link({ revision, generation = 1, attempted, history = [] }: Live): HelmLink {
  return {
    kind: 'HelmRelease',
    view: parseHelmRelease({
      ...BY_REF,
      status: {
        lastAttemptedRevision: '1.0.0+aaaaaaaaaaaa',
        ...(attempted === undefined ? {} : { lastAttemptedRevisionDigest: attempted }),
        history: history.map(({ digest, at }, index) => ({
          version: history.length - index,
          status: 'deployed',
          ...(digest === undefined ? {} : { ociDigest: digest }),
          lastDeployed: at,
        })),
      },
    }),
    chartSource: parseChartSource({
      metadata: { name: 'chart', namespace: 'prod', generation },
      spec: oci({}).spec,
      status: { observedGeneration: 1, ...(revision === undefined ? {} : { artifact: { revision } }) },
    }),
  };
}

describe('a chart by chartRef, live', () => {
  const T1 = '2026-01-01T00:00:01Z';
  const T2 = '2026-01-01T00:00:02Z';
  const T3 = '2026-01-01T00:00:03Z';

  it.each([
    ['installed', { revision: `1.1.0@${NEW}`, attempted: NEW, history: [{ digest: NEW, at: T2 }] }, true],
    [
      'pulled, not installed',
      { revision: `1.1.0@${NEW}`, attempted: OLD, history: [{ digest: OLD, at: T1 }] },
      false,
    ],
    [
      'attempted, and Helm is not at it',
      { revision: `1.1.0@${NEW}`, attempted: NEW, history: [{ digest: OLD, at: T1 }] },
      false,
    ],
    [
      'the tag of before',
      { revision: `1.0.0@${OLD}`, attempted: OLD, history: [{ digest: OLD, at: T1 }] },
      false,
    ],
    [
      'a new tag that nobody has pulled yet',
      { revision: `1.1.0@${NEW}`, generation: 2, attempted: NEW, history: [{ digest: NEW, at: T2 }] },
      false,
    ],
    ['nothing', {}, false],
  ] satisfies readonly (readonly [string, Live, boolean])[])('by a tag: %s', (_what, live, holds) => {
    expect(liveChart('1.1.0', link(live)).holds).toBe(holds);
  });

  it('by a digest, also where the OCIRepository may not be read', () => {
    const live = link({ revision: NEW, attempted: NEW, history: [{ digest: NEW, at: T2 }] });
    const { chartSource: _, ...unseen } = live;
    for (const each of [live, unseen]) {
      expect(liveChart(NEW, each)).toEqual({ found: NEW, holds: true });
      expect(liveChart(OLD, each)).toEqual({ found: NEW, holds: false });
    }
    // Without it a tag is compared with the version that Helm attempted.
    expect(liveChart('1.0.0', unseen).holds).toBe(true);
  });

  it('is there from its first installation on, however often Helm upgrades then', () => {
    const history = [
      { digest: NEW, at: T3 },
      { digest: NEW, at: T2 },
      { digest: OLD, at: T1 },
    ];
    const live = link({ revision: `1.1.0@${NEW}`, attempted: NEW, history });
    expect(chartInstalledAt('1.1.0', live)).toBe(Date.parse(T2));
    expect(chartInstalledAt('1.2.0', live)).toBeUndefined();
  });
});
