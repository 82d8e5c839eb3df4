import { text, valueAt } from '../../../build/json.ts';
import type { BuiltObject } from '../../../build/tree-builder.ts';
import type { Change } from '../../../config/settings.ts';
import { type ChartPlace, chartPlace, pinWords, unfit } from '../../../flux/chart-place.ts';
import type { SourceRef } from '../../../flux/flux-objects.ts';
import { targetKey } from '../../../rollout/target.ts';
import { Refusal } from '../../../rollout/verdict.ts';
import { notFound, type WantedField } from '../../changes/wanted.ts';
import { writeValue } from '../../changes/workload-fields.ts';
import { lineOfField } from '../../git-warnings.ts';
import type { FluxTree } from '../../tree/flux-tree.ts';
import type { Rendered } from './rendered.ts';

type ChartChange = Extract<Change, { kind: 'chart' }>;

/**
 * The version of a HelmRelease's chart: in the HelmRelease, or in the OCIRepository of its chartRef, which the same
 * Kustomization builds.
 * @throws Refusal when the chart has no version that a commit could set.
 */
export async function chartField(change: ChartChange, on: Rendered, tree: FluxTree): Promise<WantedField> {
  const { name, release } = on;
  const target = targetKey(on.target);
  const missing = (what: string): Refusal => notFound(change, { target, where: on.where }, what);
  const found = chartPlace(release.data, ref => builtAs(on.objects, ref)?.data);
  if (found.kind === 'none') {
    const { file, line } = change.position;
    throw new Refusal('change-not-found', `${file}:${line}: the chart of ${name} ${found.words}.`, {
      remedy: found.remedy,
    });
  }
  if (change.chart !== found.chart && !change.chart.endsWith(`/${found.chart}`)) {
    throw missing(`${name} installs the chart ${found.chart}, not ${change.chart}`);
  }
  const object = found.object.kind === 'HelmRelease' ? release : builtAs(on.objects, found.object);
  if (!object) throw missing(`${found.object.kind} ${found.object.name} is not in what is built`);
  if (found.floats) throw await floating(change, { found, object, on, tree });
  const problem = unfit(found, change.version);
  if (problem !== undefined) throw missing(`the chart ${found.chart} of ${name} ${problem}`);
  const { current, path, chart } = found;
  const { namespace = on.target.namespace } = release;
  const expectation = { kind: 'chart', target, release: { namespace, name: release.name }, chart } as const;
  return {
    change,
    of: on.of,
    object,
    target,
    isMeant: arrived => isSame(arrived.object, object),
    tokens: [current],
    read: objects => valueAt(objects.find(each => isSame(each, object))?.data, path),
    path,
    words: { change: `chart ${chart}`, current, requested: change.version },
    wanted: change.version,
    isThere: current === change.version,
    expectation: { ...expectation, version: change.version },
    currentExpectation: { ...expectation, version: current },
    inPlace: (ground, origin) => writeValue(ground, origin, change.version),
    // A patch of this environment is made of HelmReleases only.
    apart: ground =>
      object === release ? on.apart([{ path, value: change.version }], ground, change) : Promise.resolve([]),
  };
}

async function floating(
  { position: { file, line } }: ChartChange,
  {
    found,
    object,
    on,
    tree,
  }: {
    readonly found: ChartPlace;
    readonly object: BuiltObject;
    readonly on: Rendered;
    readonly tree: FluxTree;
  },
): Promise<Refusal> {
  const at = await lineOfField(tree, { of: on.of, object, path: found.path });
  const where = at ? `${at.path}:${at.line}` : (object.origin?.path ?? on.where);
  const version = found.current === '' ? 'its newest version' : `the range ${found.current}`;
  return new Refusal(
    'change-not-found',
    `${file}:${line}: ${on.name} follows the chart ${found.chart} at ${version}: it takes new versions without a commit, and a revert would take the rejected one again.`,
    { remedy: pinWords(found, where) },
  );
}

function builtAs(objects: readonly BuiltObject[], ref: SourceRef): BuiltObject | undefined {
  return objects.find(
    ({ kind, name, namespace }) =>
      kind === ref.kind && name === ref.name && (text(namespace) || ref.namespace) === ref.namespace,
  );
}

function isSame(one: BuiltObject, other: BuiltObject): boolean {
  return one.kind === other.kind && one.name === other.name && one.namespace === other.namespace;
}
