import type { Edits } from '../edit/edits.ts';
import { ROLLOUT_ID_ANNOTATION, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { AppliedChange } from './changes/apply.ts';
import type { Ground } from './changes/wanted.ts';
import { identity, nameOf } from './differences.ts';
import type { IdPlacement } from './plan.ts';
import type { IdWay, TargetSource } from './sources/target-source.ts';

interface Try {
  readonly source: TargetSource;
  readonly ways: AsyncIterator<IdWay>;
  way: IdWay | undefined;
  problem: string;
}

interface Placing {
  readonly sources: readonly TargetSource[];
  readonly applied: readonly AppliedChange[];
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Puts the rollout's id on the pod templates, each by the first way by which it arrives there and nowhere else. The
 * edits so far are not touched; what comes back has the id in it, too.
 * @throws Refusal `chain-broken` where no way brings it.
 */
export async function placeIds(
  ground: Ground,
  on: Placing,
): Promise<{ readonly edits: Edits; readonly placements: readonly IdPlacement[] }> {
  const id = on.annotations[ROLLOUT_ID_ANNOTATION] ?? '';
  const tries: readonly Try[] = await Promise.all(
    on.sources.map(async source => {
      const byManifest = setByManifest(source, on.applied);
      const ways = source.idWays({ ground, annotations: on.annotations, byManifest })[Symbol.asyncIterator]();
      return { source, ways, way: await next(ways), problem: '' };
    }),
  );
  await preferWhatIsThere(ground, tries, id);
  while (true) {
    const edits = ground.edits.fork();
    const placements = tries.map(({ source, way, problem }) => {
      if (way) return way.write(edits);
      throw unplaced(source, problem);
    });
    let isPlaced = true;
    for (const each of tries) {
      const problem = await problemOf(each.source, { ground, edits, id, sources: on.sources });
      if (problem === undefined) continue;
      isPlaced = false;
      each.problem ||= problem;
      each.way = await next(each.ways);
    }
    if (isPlaced) return { edits, placements };
  }
}

/** Where the id is in the tree already, the way that writes nothing is the one by which it came. */
async function preferWhatIsThere(ground: Ground, tries: readonly Try[], id: string): Promise<void> {
  const before = await ground.edits.changes();
  for (const each of tries) {
    const build = await ground.tree.build(each.source.of);
    if (build.kind !== 'built' || !each.source.hasId(build, id)) continue;
    const first = each.way;
    for (let way = first; way; way = await next(each.ways)) {
      const trial = ground.edits.fork();
      way.write(trial);
      each.way = way;
      if (JSON.stringify(await trial.changes()) === JSON.stringify(before)) break;
    }
    each.way ??= first;
  }
}

async function next(ways: AsyncIterator<IdWay>): Promise<IdWay | undefined> {
  const { value, done } = await ways.next();
  return done ? undefined : value;
}

/** Values and id of one target must come by one apply. @throws Refusal where the values themselves do not. */
function setByManifest({ target }: TargetSource, applied: readonly AppliedChange[]): boolean {
  const key = targetKey(target);
  const own = applied.filter(
    ({ found, change }) => found.target === key && change.kind !== 'field' && change.kind !== 'input',
  );
  const [first] = own;
  const other = own.find(({ byManifest }) => byManifest !== first?.byManifest);
  if (!first || !other) return first?.byManifest === true;
  const at = ({ found: { path, line } }: AppliedChange): string => `${path}:${line}`;
  throw new Refusal(
    'change-ambiguous',
    `${first.found.change} of ${key} is set in ${at(first)} and ${other.found.change} in ${at(other)}: Flux applies the two one after the other, so that the pods would run one without the other in between.`,
    { remedy: 'Release them one after the other, or set both in the same place first.' },
  );
}

async function problemOf(
  source: TargetSource,
  on: {
    readonly ground: Ground;
    readonly edits: Edits;
    readonly id: string;
    readonly sources: readonly TargetSource[];
  },
): Promise<string | undefined> {
  const { ground, edits, id, sources } = on;
  const build = await ground.tree.build(source.of, edits.snapshot());
  if (build.kind !== 'built') return build.words;
  if (!source.hasId(build, id)) return 'it does not arrive there';
  const other = build.objects.find(
    object =>
      JSON.stringify(object.data).includes(`"${id}"`) &&
      !sources.some(each => identity(each.object) === identity(object)) &&
      ['Deployment', 'DaemonSet', 'StatefulSet', 'Service'].includes(object.kind),
  );
  return other && `it would reach ${nameOf(other)}, too`;
}

function unplaced({ target }: TargetSource, problem: string): Refusal {
  return new Refusal(
    'chain-broken',
    `The id of the rollout would not reach the pod template of ${targetKey(target)} alone, so that the delivery could not be proven: ${problem || 'there is no file in which it could be put'}.`,
    {
      remedy:
        'Look for a patch that takes annotations away (annotations: null) or replaces them all, or give the target a kustomization of its own.',
    },
  );
}
