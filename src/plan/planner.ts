import type { RepositoryFiles } from '../build/repository-files.ts';
import type { TreeBuilder } from '../build/tree-builder.ts';
import type { RolloutFile } from '../config/settings.ts';
import { Edits } from '../edit/edits.ts';
import { liveValue, sourceOf as liveSource } from '../rollout/live-value.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import {
  ROLLOUT_ID_ANNOTATION,
  SOURCE_SHA_ANNOTATION,
  type TargetKey,
  targetKey,
} from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { raiseBarrier } from './canary/barrier.ts';
import { planCanary } from './canary/plan-canary.ts';
import { type AppliedChange, applyFields } from './changes/apply.ts';
import { applyNamed } from './changes/named-fields.ts';
import type { WantedField } from './changes/wanted.ts';
import { type Grounded, groundOf } from './ground.ts';
import { automatedFiles, automationWarnings, followsAutomation, refuseOwnEdits } from './image-policy.ts';
import { placeIds } from './place-ids.ts';
import type { FoundValue, PlanWarning, ReleasePlan } from './plan.ts';
import { prove } from './proof.ts';
import { sourcesOf } from './sources/source-of.ts';
import type { TargetSource } from './sources/target-source.ts';
import { gitWarnings } from './git-warnings.ts';

export interface PlanQuery {
  readonly files: RepositoryFiles;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly rolloutId: string;
}

export interface StampQuery extends PlanQuery {
  readonly targets: readonly TargetKey[];
}

/** Plans what rollout.yaml asks for, from the repository at one commit. Reads only; writes nothing. */
export class ReleasePlanner {
  private readonly rollout: RolloutFile;
  private readonly sourceSha: string;
  private readonly builder: TreeBuilder;

  constructor(on: {
    readonly rollout: RolloutFile;
    readonly sourceSha: string;
    /** Flux's own build, which is asked first, and asked again for the proof. */
    readonly builder: TreeBuilder;
  }) {
    this.rollout = on.rollout;
    this.sourceSha = on.sourceSha;
    this.builder = on.builder;
  }

  /** @throws Refusal with what was looked for, where, and what was found. */
  async plan(query: PlanQuery): Promise<ReleasePlan> {
    const { rollout } = this;
    const ground = this.groundOf(query);
    const sources = await sourcesOf({ ...query, ground, rollout });
    const warnings = await Promise.all(sources.map(source => gitWarnings(source, ground)));

    const adoption = new Edits(query.files);
    const canaries = await this.canaries(query, { ground, sources, adoption });
    const ofCanaries = await ground.edits.changes();

    const applied = await this.applyChanges(ground, sources);
    const unchanged = (await ground.edits.changes()).length === 0;
    const follows = await followsAutomation(applied, { ...query, settings: rollout });
    if (follows) refuseOwnEdits(ofCanaries);
    const adopted = canaries.filter(each => each.adopted).map(({ target }) => target);
    if (rollout.barrier && adopted.length === 0) await raiseBarrier(ground, canaries);
    const { edits, placements } = follows
      ? { edits: ground.edits, placements: [] }
      : await placeIds(ground, {
          sources,
          applied,
          annotations: this.annotations(query.rolloutId, this.sourceSha),
        });

    const values = {
      expectations: applied.flatMap(({ expectation }) => (expectation ? [expectation] : [])),
      found: applied.map(({ found }) => found),
      rendered: canaries.flatMap(({ rendered }) => rendered),
    };
    const files = { release: await edits.changes(), adoption: await adoption.changes() };
    const build = await prove({
      ...values,
      ground,
      rollout,
      sources,
      applied,
      id: follows ? undefined : query.rolloutId,
      release: edits.snapshot(),
      adoption: adoption.snapshot(),
    });
    const automated = rollout.imageAutomation === 'suspend' ? automatedFiles(files.release) : [];
    return {
      ...values,
      head: query.files.head,
      files: files.release,
      placements,
      unchanged,
      build,
      automated,
      follows,
      schedule: canaries.flatMap(({ schedule }) => (schedule ? [schedule] : [])),
      warnings: [
        ...warnings.flat(),
        ...canaries.flatMap(each => each.warnings),
        ...applied.flatMap(alongWarning),
        ...automationWarnings({ follows, automated, found: values.found }),
      ],
      adoption: files.adoption,
      adopted,
    };
  }

  /** Only the id, for these targets: what a revert of a commit that has none needs (revert-form.ts, stamped). */
  async stamp(query: StampQuery): Promise<readonly FileChange[]> {
    const ground = this.groundOf(query);
    const sources = await sourcesOf({ ...query, ground, rollout: this.rollout });
    const stamped = sources.filter(({ target }) => query.targets.includes(targetKey(target)));
    const annotations = this.annotations(query.rolloutId);
    const { edits } = await placeIds(ground, { sources: stamped, applied: [], annotations });
    return await edits.changes();
  }

  /** @throws Refusal `chain-broken` when what the tree says is not what runs. */
  proveChain(found: readonly FoundValue[], observation: Observation): void {
    for (const value of found) {
      const { currentExpectation: expected, target } = value;
      if (!expected) continue;
      const on = { view: observation.targets[target], objects: observation.objects };
      const live = liveValue(expected, liveSource(expected, on));
      if (live.holds) continue;
      throw new Refusal(
        'chain-broken',
        `${value.change} of ${target} is ${value.current} in ${value.path}:${value.line}, but ${live.found ?? 'nothing'} is live: something between the tree and the cluster sets another value.`,
        {
          remedy:
            'Look for image automation or a hand’s kubectl that wins over this line, or for a Kustomization that does not apply.',
        },
      );
    }
  }

  private groundOf({ files, chains }: PlanQuery): Grounded {
    return groundOf({ files, chains, builder: this.builder, settings: this.rollout });
  }

  private annotations(id: string, sourceSha?: string): Readonly<Record<string, string>> {
    return {
      [ROLLOUT_ID_ANNOTATION]: id,
      ...(sourceSha === undefined ? {} : { [SOURCE_SHA_ANNOTATION]: sourceSha }),
    };
  }

  private async canaries(
    { observation }: PlanQuery,
    on: { readonly ground: Grounded; readonly sources: readonly TargetSource[]; readonly adoption: Edits },
  ) {
    const planned = [];
    for (const source of on.sources) {
      const target = targetKey(source.target);
      const { objects } = await on.ground.tree.built(source.beside);
      const canary = await planCanary({
        ...on,
        source,
        objects,
        view: observation.targets[target],
        settings: this.rollout.canaries.find(each => each.target === target),
      });
      planned.push({ target, ...canary });
    }
    return planned;
  }

  /** In the order of rollout.yaml; those of pod templates are followed together, by as few builds as can be. */
  private async applyChanges(
    ground: Grounded,
    sources: readonly TargetSource[],
  ): Promise<readonly AppliedChange[]> {
    const fields: WantedField[] = [];
    for (const change of this.rollout.changes) {
      if (change.kind === 'field' || change.kind === 'input') continue;
      for (const source of sources) {
        if (change.in.includes(targetKey(source.target)))
          fields.push(...(await source.fieldsOf(change, ground)));
      }
    }
    const inTemplates = await applyFields(fields, ground);
    const applied: AppliedChange[] = [];
    for (const change of this.rollout.changes) {
      if (change.kind === 'field' || change.kind === 'input') {
        applied.push(...(await applyNamed(change, { ground, sources })));
      } else {
        applied.push(...inTemplates.filter(each => each.change === change));
      }
    }
    return applied;
  }
}

function alongWarning({ along, found }: AppliedChange): readonly PlanWarning[] {
  if (along.length === 0) return [];
  const { path, line } = found;
  return [
    {
      code: 'released-along',
      message: `${found.change} stands in ${path}:${line}, which releases along: ${along.join(', ')} (write: base).`,
      path,
      line,
    },
  ];
}
