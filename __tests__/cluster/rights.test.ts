import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { CLUSTER_RIGHTS, type ClusterRight } from '../../src/rights/cluster-rights.ts';
import { rulesOf } from '../../src/rights/needed-rights.ts';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import type { Rule } from '../../testbed/users.ts';
import { type ListedScenario, runListed } from './listed-scenario.ts';
import { AUTOMATION_GROUP, SCENARIOS } from './rights-scenarios.ts';

const FLAGGER = 'flagger-system';
const REVIEWS = 'selfsubjectaccessreviews';

/** Used only where a target is mistyped, a generator reads a file, or a link between Flux and the target is late. */
const ONLY_AT_TIMES = [
  'get artifactgenerators.source.extensions.fluxcd.io',
  'get configmaps',
  'get externalartifacts.source.toolkit.fluxcd.io',
  'get ocirepositories.source.toolkit.fluxcd.io',
  'list daemonsets',
  'list deployments',
  'list services.serving.knative.dev',
  'patch helmreleases.helm.toolkit.fluxcd.io',
  'patch kustomizations.kustomize.toolkit.fluxcd.io',
];
const MISTYPED = ['daemonsets', 'deployments', 'services'];
/** Each of them alone; those of mistyped targets are of no use to a rollout that goes well. */
const OPTIONAL = CLUSTER_RIGHTS.filter(
  ({ without, verbs, place, resource }) =>
    without !== undefined && !(verbs.includes('list') && place === 'target' && MISTYPED.includes(resource)),
);
/** So many control loops fit on two cores at once. */
const AT_ONCE = 8;

let testbed: Testbed;
const used = new Set<string>();

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLAGGER } });
  await testbed.api.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `imageupdateautomations.${AUTOMATION_GROUP}` },
    spec: {
      group: AUTOMATION_GROUP,
      scope: 'Namespaced',
      names: { kind: 'ImageUpdateAutomation', plural: 'imageupdateautomations' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  });
});
afterAll(async () => await testbed?.stop());

describe('with the rights of deploy/rbac.yaml', () => {
  test.concurrent.for(Object.values(SCENARIOS))(
    '$title: nothing else is asked',
    async (scenario, { expect }) => {
      const name = `all-${scenario.key}`;
      await runAs({ name, rules: published(), scenario, expect });
      for (const { verb, group, resource, allowed, uri } of await testbed.audited({ name })) {
        expect(allowed, `${verb} ${uri}`).toBe(true);
        if (resource === REVIEWS) continue;
        used.add(right(verb, group, resource));
        if (uri.includes('dryRun=All')) used.add(right('create', group, resource));
      }
    },
  );
});

const batches = Array.from({ length: Math.ceil(OPTIONAL.length / AT_ONCE) }, (_, index) =>
  OPTIONAL.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
);
describe.for(batches.map((batch, index) => ({ batch, index })))(
  'with one optional right less ($index)',
  ({ batch }) => {
    test.concurrent.for(batch)(
      'without $verbs $resource ($on): promoted all the same',
      async (missing, { expect }) => {
        const { on } = missing;
        if (on === 'generated') throw new Error('There is no scenario.');
        const name = `no-${CLUSTER_RIGHTS.indexOf(missing)}`;
        const rules = { namespaced: rulesOf(others(missing)), everywhere: rulesOf(everywhere(missing)) };
        await runAs({ name, rules, scenario: SCENARIOS[on === 'always' ? 'Deployment' : on], expect });
        const lacking = missing.verbs.map(verb => right(verb, missing.group, missing.resource));
        for (const { verb, group, resource, allowed } of await testbed.audited({ name })) {
          if (!allowed) expect(lacking).toContain(right(verb, group, resource));
        }
      },
    );
  },
);

describe('with the needed rights only', () => {
  test('(all that is published was used above, but for what is named here)', ({ expect }) => {
    const published = CLUSTER_RIGHTS.flatMap(({ verbs, group, resource }) =>
      verbs.map(verb => right(verb, group, resource)),
    );
    const unused = new Set(published.filter(each => !used.has(each)));
    expect([...unused].filter(each => !ONLY_AT_TIMES.includes(each))).toEqual([]);
  });

  test('a release is promoted; with one right less all that is missing is said', async ({ expect }) => {
    const needed = CLUSTER_RIGHTS.filter(({ without }) => without === undefined);
    const scenario = SCENARIOS.Deployment;
    await runAs({
      name: 'needed',
      rules: { namespaced: rulesOf(needed), everywhere: [] },
      scenario,
      expect,
    });
    const refused: ListedScenario = {
      ...scenario,
      run: async on => {
        const { outputs, log } = await on.scenario.release('6.14.1');
        on.expect(outputs).toMatchObject({ verdict: 'refused', reason: 'cluster-forbidden' });
        // Where the Kustomization cannot be read, nobody can say in which namespace its source is: Flux's own is named.
        on.expect(outputs['result']).toContain('lack 4 rights');
        on.expect(log.text).toContain(
          `rules of a Role in ${on.namespace}:\n- {apiGroups: [flagger.app], resources: [canaries], verbs: [get, list]}\n`,
        );
        on.expect(log.text).toContain('resources: [kustomizations], verbs: [get]}');
        on.expect(await on.scenario.titles()).toEqual(['Initial commit']);
      },
    };
    const less = needed.filter(({ resource }) => resource !== 'canaries' && resource !== 'kustomizations');
    await runAs({
      name: 'less',
      rules: { namespaced: rulesOf(less), everywhere: [] },
      scenario: refused,
      expect,
    });
  });
});

interface Rules {
  readonly namespaced: readonly Rule[];
  readonly everywhere: readonly Rule[];
}

/** Runs a scenario in a namespace of its own, by an account with these rights there. */
async function runAs(on: {
  readonly name: string;
  readonly rules: Rules;
  readonly scenario: ListedScenario;
  readonly expect: Parameters<typeof runListed>[1]['expect'];
}): Promise<void> {
  const { name, scenario, rules, expect } = on;
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const { namespaced, everywhere: all } = rules;
  const proxy = namespaced.filter(({ resourceNames }) => resourceNames?.includes('flagger:http'));
  const { kubeconfig } = await testbed.addUser({
    name,
    rules: { [name]: namespaced, [FLAGGER]: proxy, ...(all.length === 0 ? {} : { '*': all }) },
  });
  await runListed({ ...scenario, key: name }, { testbed: { ...testbed, kubeconfig }, expect });
}

function others(missing: ClusterRight): readonly ClusterRight[] {
  const same = (each: ClusterRight) =>
    each.without !== undefined &&
    right('', each.group, each.resource) === right('', missing.group, missing.resource) &&
    each.names?.[0] === missing.names?.[0] &&
    each.verbs.some(verb => missing.verbs.includes(verb));
  return CLUSTER_RIGHTS.filter(each => !same(each) && each.place !== 'everywhere');
}

function everywhere(missing: ClusterRight): readonly ClusterRight[] {
  return CLUSTER_RIGHTS.filter(each => each !== missing && each.place === 'everywhere');
}

const documentSchema = z.object({
  kind: z.string(),
  rules: z
    .array(
      z.object({
        apiGroups: z.array(z.string()),
        resources: z.array(z.string()),
        verbs: z.array(z.string()),
        resourceNames: z.array(z.string()).exactOptional(),
      }),
    )
    .default([]),
});

/** Of the file itself; the scenario's Flux objects are in the namespace of its target. */
function published(): Rules {
  const text = readFileSync(new URL('../../deploy/rbac.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(text);
  const all = (Array.isArray(documents) ? documents : []).map(each => documentSchema.parse(each.toJS()));
  const of = (kind: string) => all.filter(each => each.kind === kind).flatMap(({ rules }) => rules);
  return { namespaced: of('Role'), everywhere: of('ClusterRole') };
}

function right(verb: string, group: string, resource: string): string {
  return `${verb} ${group === '' || group === 'apps' ? resource : `${resource}.${group}`}`;
}
