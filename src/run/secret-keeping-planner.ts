import { z } from 'zod';
import type { RepositoryName, RolloutFile } from '../config/settings.ts';
import type { FoundValue, ReleasePlan } from '../plan/plan.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { objectKey } from '../rollout/live-value.ts';
import type { Observation } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';
import type { TreeSecrets } from '../secrets/tree-secrets.ts';
import type { KeptSecrets, Planner, PlanQuery, StampQuery } from './parts.ts';

const versionSchema = z.looseObject({ version: z.string() });

export function keptSecrets(secrets: TreeSecrets): KeptSecrets {
  return { hideIn: value => secrets.values.hideIn(value), diffOf: text => secrets.diffOf(text) };
}

/** What a report names anyway: a Secret may hold the name of its own application. */
export function publicNames(rollout: RolloutFile, repository: RepositoryName | undefined): string {
  const { name, targets, gitops, via, changes } = rollout;
  const values = changes.map(change => ('value' in change ? { ...change, value: '' } : change));
  return JSON.stringify({ repository, name, targets, gitops, via, values });
}

/**
 * A planner whose plans say nothing of what a Secret holds: neither what is shown of them nor what a commit's trailers
 * keep. It learns what is secret from the files that the planner reads.
 */
export class SecretKeepingPlanner implements Planner {
  private readonly planner: Planner;
  private readonly secrets: TreeSecrets;
  private readonly changes: RolloutFile['changes'];

  constructor(
    planner: Planner,
    on: { readonly secrets: TreeSecrets; readonly rollout: Pick<RolloutFile, 'changes'> },
  ) {
    this.planner = planner;
    this.secrets = on.secrets;
    this.changes = on.rollout.changes;
  }

  async plan(query: PlanQuery): Promise<ReleasePlan> {
    const files = this.secrets.watch(query.files);
    try {
      const plan = await this.planner.plan({ ...query, files });
      const found = plan.found.map(value => ({ value, isSecret: this.isSecret(value, plan.files) }));
      const secret = found.filter(({ isSecret }) => isSecret).map(({ value }) => value);
      // Without an expectation the planner itself has hidden them.
      for (const { value, isSecret } of found) {
        if (!isSecret) this.secrets.values.allow(value.current);
      }
      for (const { current, requested, currentExpectation } of secret) {
        if (currentExpectation && current !== A_SECRET) this.neverSay(current, requested);
      }
      return {
        ...plan,
        warnings: plan.warnings.map(each => ({ ...each, message: withoutUrlSecrets(each.message) })),
        found: found.map(({ value, isSecret }) => (isSecret ? withoutContent(value) : value)),
        expectations: [
          ...plan.expectations.filter(each => !isOfSecret(each, secret)),
          ...secret.map(value => secretExpectation(value, query.observation)),
        ],
      };
    } catch (error) {
      throw withPublicWords(error);
    } finally {
      this.learn();
    }
  }

  async stamp(query: StampQuery): Promise<readonly FileChange[]> {
    return await this.planner.stamp({ ...query, files: this.secrets.watch(query.files) });
  }

  proveChain(found: readonly FoundValue[], observation: Observation): void {
    this.planner.proveChain(found, observation);
  }

  private isSecret({ path, line, currentExpectation: expected }: FoundValue, files: readonly FileChange[]) {
    // The values of a chart may be kept in a Secret; which version runs is none.
    if (expected?.kind === 'image' || expected?.kind === 'chart') return false;
    if (expected?.kind === 'field' && expected.object.kind === 'Secret') return true;
    if (this.secrets.isHidden(path, line)) return true;
    const after = files.find(file => file.path === path);
    const hidden = after && this.secrets.hiddenIn(path, after.text);
    return hidden === 'all' || hidden?.has(line) === true;
  }

  /** Also where the plan failed: its words may quote what was read. */
  private learn(): void {
    this.secrets.learn();
    for (const change of this.changes) {
      if (change.kind !== 'field' && change.kind !== 'input') continue;
      const isOfSecret =
        change.kind === 'field' ? change.object.kind === 'Secret' : change.path[0] === 'secretGenerator';
      // Line 0 stands nowhere: all of the file is hidden.
      if (isOfSecret || this.secrets.isHidden(change.file, 0)) this.neverSay(change.value);
    }
  }

  private neverSay(...values: readonly string[]): void {
    for (const value of values) this.secrets.values.add(value);
  }
}

/** kustomize and git quote the addresses that they were given. */
function withPublicWords(error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  const { reason, message, remedy, cause } = error;
  return new Refusal(reason, withoutUrlSecrets(message), {
    ...(remedy === undefined ? {} : { remedy }),
    cause,
  });
}

/** In the place of a value; the planner says so itself where it knows that an object is a Secret. */
const A_SECRET = 'a secret';
const THE_SAME = 'the same one';

function withoutContent({ currentExpectation: _expected, ...value }: FoundValue): FoundValue {
  const again = value.current === value.requested || value.requested === THE_SAME;
  return { ...value, current: A_SECRET, requested: again ? THE_SAME : 'another one' };
}

/** A value that is kept in the clear although it is, or stands beside, one of these. */
function isOfSecret(expectation: Expectation, secret: readonly FoundValue[]): boolean {
  if (expectation.kind === 'secret') return false;
  if (expectation.kind === 'field' && expectation.object.kind === 'Secret') return true;
  return secret.some(({ currentExpectation }) => {
    return currentExpectation !== undefined && placeOf(currentExpectation) === placeOf(expectation);
  });
}

function placeOf(expectation: Expectation): string {
  return JSON.stringify({ ...expectation, value: '', version: '' });
}

/** What must be seen of a Secret whose value changes: that it was written since. */
function secretExpectation(
  { change, target, current, requested, currentExpectation: expected }: FoundValue,
  observation: Observation,
): Expectation {
  const secret = { kind: 'secret', target, what: change } as const;
  if (
    expected?.kind !== 'field' ||
    expected.object.kind !== 'Secret' ||
    current === requested ||
    requested === THE_SAME
  ) {
    return secret;
  }
  const { object } = expected;
  const since = versionSchema.safeParse(observation.objects[objectKey(object)]).data?.version ?? '';
  return { ...secret, written: { object, since } };
}
