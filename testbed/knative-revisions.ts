import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { KubeApi } from './kube-api.ts';

/**
 * A stand-in for the controllers of Knative Serving, and not Knative Serving itself: no container runs, nothing is
 * routed, no webhook validates or fills in defaults. For each Knative Service it does what Flagger and the action see of
 * them: a Revision for each change of the template, with the template's annotations, and the status of both. A Revision
 * whose image tag ends in `-never-ready` never becomes ready; a Service with the annotation `testbed/hold` is not looked at.
 */

const API = '/apis/serving.knative.dev/v1';
const EVERY_MS = 200;
const SERVICE = 'serving.knative.dev/service';
const GENERATION = 'serving.knative.dev/configurationGeneration';
const TEMPLATE = 'testbed/template';
const HOLD = 'testbed/hold';

type Fields = Readonly<Record<string, unknown>>;

const fieldsSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  generation: z.number().default(1),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
const trafficSchema = z.looseObject({
  latestRevision: z.boolean().optional(),
  revisionName: z.string().optional(),
  percent: z.number().optional(),
});
const serviceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
      spec: fieldsSchema,
    }),
    traffic: z.array(trafficSchema).nullish(),
  }),
  status: fieldsSchema.default({}),
});
const revisionSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({ containers: z.array(z.looseObject({ image: z.string().default('') })).default([]) }),
  status: z.looseObject({ observedGeneration: z.number().optional() }).default({}),
});
type Service = z.infer<typeof serviceSchema>;
type Revision = z.infer<typeof revisionSchema>;

/** Looks at all Knative Services again and again, until it is stopped. */
export function startKnativeRevisions(api: KubeApi): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      // The API server may be down, or an object gone in between: the next look is soon.
      await lookAtAll(api).catch(() => {});
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function lookAtAll(api: KubeApi): Promise<void> {
  const services = await list(api, 'services', serviceSchema);
  if (services.length === 0) return;
  const revisions = await list(api, 'revisions', revisionSchema);
  await Promise.all(
    services.map(service => {
      const { name, namespace, annotations } = service.metadata;
      if (annotations[HOLD] !== undefined) return undefined;
      const own = revisions
        .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels[SERVICE] === name)
        .toSorted((one, other) => generationOf(other) - generationOf(one));
      return reconcile(api, service, own).catch(() => {});
    }),
  );
}

/** @param known newest first */
async function reconcile(api: KubeApi, service: Service, known: readonly Revision[]): Promise<void> {
  const [latest] = known;
  const template = canonical(service.spec.template);
  const current = latest?.metadata.annotations[TEMPLATE] === template ? latest : undefined;
  const created = current ?? (await createRevision(api, service, (latest ? generationOf(latest) : 0) + 1));
  const all = current ? known : [created, ...known];
  for (const revision of all) {
    if (revision.status.observedGeneration === undefined) await setRevisionStatus(api, revision);
  }
  const ready = all.find(isReady)?.metadata.name;
  await setServiceStatus(api, service, { created, ready });
}

async function createRevision(api: KubeApi, service: Service, generation: number): Promise<Revision> {
  const { name, namespace, uid } = service.metadata;
  const { template } = service.spec;
  const body = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: `${name}-${String(generation).padStart(5, '0')}`,
      namespace,
      labels: { [SERVICE]: name, [GENERATION]: String(generation) },
      annotations: { ...template.metadata?.annotations, [TEMPLATE]: canonical(template) },
      // Of a Configuration in truth, which the Service owns.
      ownerReferences: [{ apiVersion: 'serving.knative.dev/v1', kind: 'Service', name, uid }],
    },
    spec: template.spec,
  };
  const path = `${API}/namespaces/${namespace}/revisions`;
  return revisionSchema.parse(await api.send({ method: 'POST', path, body }));
}

async function setRevisionStatus(api: KubeApi, revision: Revision): Promise<void> {
  const { name, namespace, generation } = revision.metadata;
  const image = revision.spec.containers[0]?.image;
  const ready = isReady(revision)
    ? condition('Ready', 'True')
    : condition('Ready', 'False', 'ContainerMissing', `Unable to fetch image "${image}"`);
  await patchStatus(api, `${API}/namespaces/${namespace}/revisions/${name}`, {
    observedGeneration: generation,
    conditions: [ready],
  });
}

async function setServiceStatus(
  api: KubeApi,
  service: Service,
  on: { readonly created: Revision; readonly ready: string | undefined },
): Promise<void> {
  const { name, namespace, generation } = service.metadata;
  const latest = on.created.metadata.name;
  const targets = service.spec.traffic ?? [{ latestRevision: true, percent: 100 }];
  const status = {
    observedGeneration: generation,
    latestCreatedRevisionName: latest,
    ...(on.ready === undefined ? {} : { latestReadyRevisionName: on.ready }),
    conditions: [
      on.ready === latest
        ? condition('Ready', 'True')
        : condition(
            'Ready',
            'False',
            'RevisionFailed',
            `Revision "${latest}" failed with message: not ready.`,
          ),
    ],
    // Flagger's GetRoutes reads latestRevision of every part without looking whether it is there.
    traffic: targets.map(({ revisionName = '', percent }) => ({
      // Knative's route_defaults.go: a part that names no Revision is the latest's.
      latestRevision: revisionName === '',
      revisionName: revisionName || (on.ready ?? latest),
      percent: percent ?? 0,
    })),
  };
  if (
    Object.entries(status).every(([field, value]) => canonical(service.status[field]) === canonical(value))
  ) {
    return;
  }
  await patchStatus(api, `${API}/namespaces/${namespace}/services/${name}`, status);
}

async function patchStatus(api: KubeApi, path: string, status: Fields): Promise<void> {
  const contentType = 'application/merge-patch+json';
  await api.send({ method: 'PATCH', path: `${path}/status`, contentType, body: { status } });
}

function isReady({ spec }: Revision): boolean {
  return !spec.containers.some(({ image }) => image.endsWith('-never-ready'));
}

function generationOf({ metadata }: Revision): number {
  return Number(metadata.labels[GENERATION] ?? 0);
}

function condition(type: string, status: 'True' | 'False', reason?: string, message?: string): Fields {
  return { type, status, ...(reason === undefined ? {} : { reason, message }) };
}

async function list<T>(api: KubeApi, plural: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const answer = await api.send({ path: `${API}/${plural}` });
  return z.object({ items: z.array(schema) }).parse(answer).items;
}

/** Sorted, and without empty fields, which Flagger's typed client adds when it updates a Service. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, at: unknown) => {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return at;
    const kept = Object.entries(at).filter(([, field]) => !isEmpty(field));
    return Object.fromEntries(kept.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
