import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { z } from 'zod';
import { readObjects } from '../../testbed/cluster-objects.ts';
import type { KubeObject } from '../../testbed/kube-api.ts';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { type Fields, ingress, workload, yaml } from './folder.ts';
import { type Rendering, RENDERINGS, render } from './renderings.ts';

let testbed: Testbed;

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rendered' } });
});
afterAll(async () => {
  await testbed?.stop();
});

const PLURALS: Readonly<Record<string, string>> = {
  Canary: 'canaries',
  MetricTemplate: 'metrictemplates',
  AlertProvider: 'alertproviders',
};

describe.concurrent('what is rendered, accepted whole by the real API server', () => {
  test.for(RENDERINGS)('$name', async (rendering, { expect }) => {
    const objects = await render(rendering);
    expect(objects.map(({ kind }) => kind)).toContain('Canary');
    for (const object of objects) {
      const path = `/apis/flagger.app/v1beta1/namespaces/rendered/${PLURALS[object.kind] ?? ''}`;
      const metadata = { ...object.metadata, namespace: 'rendered' };
      // Strict: a field that the definition does not know is an error, and not dropped.
      const answer = await testbed.api.send({
        method: 'POST',
        path: `${path}?dryRun=All&fieldValidation=Strict`,
        body: { ...object, metadata },
      });
      expect(z.looseObject({ spec: z.unknown() }).parse(answer).spec).toEqual(object['spec']);
    }
  });
});

/** Providers whose objects need no controller of theirs to be made. */
const MADE = [
  'nginx',
  'skipper',
  'kubernetes',
  'linkerd',
  'osm',
  'smi:v1alpha1',
  'smi:v1alpha2',
  'smi:v1alpha3',
  'gatewayapi:v1',
  'gatewayapi:v1beta1',
];
const FIRST: readonly Rendering[] = RENDERINGS.filter(
  ({ provider }, index) =>
    MADE.includes(provider) && RENDERINGS.findIndex(each => each.provider === provider) === index,
);

describe.concurrent('what is rendered, initialized by the real Flagger', () => {
  test.for(FIRST)('$name', async (rendering, { expect }) => {
    const namespace = `made-${rendering.provider.replace(':', '-')}`;
    await testbed.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const rendered = await render(rendering);
    const around = readObjects(`${workload()}---\n${yaml(annotated(ingress('podinfo')))}`);
    for (const object of [...around, ...rendered]) await testbed.api.apply(placed(object, namespace));
    const path = `/apis/flagger.app/v1beta1/namespaces/${namespace}/canaries/podinfo`;
    const phaseSchema = z.object({ status: z.object({ phase: z.string() }).optional() });
    const end = Date.now() + 90_000;
    let phase: string | undefined;
    while (phase !== 'Initialized' && Date.now() < end) {
      await sleep(500);
      await testbed.processes.check();
      phase = phaseSchema.parse(await testbed.api.send({ path })).status?.phase;
    }
    expect(phase, phase === 'Initialized' ? '' : await saidIn(namespace)).toBe('Initialized');
  });
});

/** Flagger 1.44 dies of an Ingress without annotations when the provider is Skipper; the plan refuses that. */
function annotated(object: Fields): Fields {
  const { metadata } = object;
  return {
    ...object,
    metadata: { ...(metadata as Fields), annotations: { 'zalando.org/backend': 'podinfo' } },
  };
}

/** What Flagger said there, to tell why it did not come to an end. */
async function saidIn(namespace: string): Promise<string> {
  const listSchema = z.object({ items: z.array(z.object({ message: z.string().default('') })) });
  const { items } = listSchema.parse(
    await testbed.api.send({ path: `/api/v1/namespaces/${namespace}/events` }),
  );
  return items.map(({ message }) => message).join('\n');
}

function placed(object: KubeObject, namespace: string): KubeObject {
  const text = JSON.stringify({ ...object, metadata: { ...object.metadata, namespace } });
  return readObjects(text.replaceAll('"namespace":"rendered"', `"namespace":"${namespace}"`))[0] ?? object;
}
