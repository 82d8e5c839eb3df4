import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { CLUSTER_RIGHTS, type ClusterRight, type Occasion } from '../../src/rights/cluster-rights.ts';
import { rulesOf } from '../../src/rights/needed-rights.ts';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import type { Rule } from '../../testbed/users.ts';
import { workload } from './folder.ts';
import { FOREIGN } from './foreign.ts';
import { GOOD } from './good.ts';
import { HELM } from './helm.ts';
import { KNATIVE } from './knative.ts';
import { type ListedScenario, runListed } from './listed-scenario.ts';
import { rolloutOf } from './scenario.ts';

const FLAGGER = 'flagger-system';
const REVIEWS = 'selfsubjectaccessreviews';
const GROUP = 'image.toolkit.fluxcd.io';

const AUTOMATION: ListedScenario = {
  key: 'image-automation',
  title: 'image automation, suspended while the release is followed',
  proven: '',
  options: ({ namespace }) => ({
    files: {
      'apps/deployment.yaml': workload().replace(
        /(image: \S+)/,
        `$1 # {"$imagepolicy": "${namespace}:podinfo"}`,
      ),
    },
    objects: [
      {
        apiVersion: `${GROUP}/v1`,
        kind: 'ImageUpdateAutomation',
        metadata: { name: 'podinfo', namespace },
        spec: {
          interval: '1h',
          sourceRef: { kind: 'GitRepository', name: 'fleet' },
          git: { push: { branch: 'main' }, commit: { author: { email: 'flux@example.com' } } },
        },
      },
    ],
    rollout: rolloutOf(namespace, 'image-automation: suspend\n'),
  }),
  run: async ({ scenario, expect }) => {
    const { outputs } = await scenario.release('6.14.1');
    expect(outputs).toMatchObject({ verdict: 'promoted' });
  },
};

/** A rollout on which each right is of use. */
const SCENARIOS: Readonly<Record<Exclude<Occasion, 'generated'>, ListedScenario>> = {
  always: listed(GOOD, 'metric-values'),
  Deployment: listed(GOOD, 'weighted-nginx'),
  DaemonSet: listed(GOOD, 'daemonset'),
  Service: listed(KNATIVE, 'knative-weighted'),
  HelmRelease: listed(HELM, 'helm-values'),
  foreign: listed(FOREIGN, 'foreign-released'),
  canary: listed(GOOD, 'adoption'),
  'image-automation': AUTOMATION,
};

/** Used where something is wrong (a mistyped target), or where a plan names a Secret or a Prometheus in the cluster. */
const NOT_USED_HERE = [
  'list deployments',
  'list daemonsets',
  'list services.serving.knative.dev',
  'get configmaps',
  'get secrets',
  'get metrictemplates.flagger.app',
  'patch alertproviders.flagger.app',
  'create alertproviders.flagger.app',
];

let testbed: Testbed;
const used = new Set<string>();

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLAGGER } });
  await testbed.api.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `imageupdateautomations.${GROUP}` },
    spec: {
      group: GROUP,
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

describe.concurrent('with the rights of deploy/rbac.yaml', () => {
  test.for(Object.values(SCENARIOS))('$title: nothing else is asked', async (scenario, { expect }) => {
    const name = `all-${scenario.key}`;
    await runAs({ name, rules: published(), scenario, expect });
    for (const { verb, group, resource, allowed, uri } of await testbed.audited({ name })) {
      expect(allowed, `${verb} ${uri}`).toBe(true);
      if (resource === REVIEWS) continue;
      used.add(right(verb, group, resource));
      if (uri.includes('dryRun=All')) used.add(right('create', group, resource));
    }
  });

  test.for(CLUSTER_RIGHTS.filter(({ without }) => without !== undefined))(
    'without $verbs $resource ($on): promoted all the same',
    async (missing, { expect }) => {
      const { on } = missing;
      if (on === 'generated') throw new Error('There is no scenario.');
      const name = `no-${CLUSTER_RIGHTS.indexOf(missing)}`;
      const rules = { namespaced: rulesOf(others(missing)), everywhere: rulesOf(everywhere(missing)) };
      await runAs({ name, rules, scenario: SCENARIOS[on === 'always' ? 'Deployment' : on], expect });
      const asked = (await testbed.audited({ name })).filter(({ allowed }) => !allowed);
      const lacking = missing.verbs.map(verb => right(verb, missing.group, missing.resource));
      for (const { verb, group, resource } of asked) {
        // The server names the verb of the request, not that of the right: an apply that would create is a patch.
        expect(lacking).toContain(right(verb, group, resource));
      }
    },
  );
});

describe('with the needed rights only', () => {
  test('(all that is published was used above, but for what is named here)', ({ expect }) => {
    const published = CLUSTER_RIGHTS.flatMap(({ verbs, group, resource }) =>
      verbs.map(verb => right(verb, group, resource)),
    );
    const unused = new Set(published.filter(each => !used.has(each)));
    expect([...unused].toSorted()).toEqual(NOT_USED_HERE.toSorted());
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
        on.expect(outputs['result']).toContain('lack 3 rights');
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
  return CLUSTER_RIGHTS.filter(each => each !== missing && each.place !== 'everywhere');
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

function listed(list: readonly ListedScenario[], key: string): ListedScenario {
  const found = list.find(each => each.key === key);
  if (!found) throw new Error(`There is no scenario ${key}.`);
  return found;
}
