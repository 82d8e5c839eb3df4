import { z } from 'zod';
import type { BuiltObject } from '../../src/build/tree-builder.ts';
import type { KubeApi } from '../../testbed/kube-api.ts';

/** fluxcd/pkg/ssa: namespace_name_group_kind, and the version beside it. */
export function inventoryId({ apiVersion, kind, namespace = '', name }: BuiltObject): string {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  return `${namespace}_${name}_${group}_${kind}_${version}`;
}

const plurals = new Map<string, Promise<string>>();
const resourcesSchema = z.object({ resources: z.array(z.object({ name: z.string(), kind: z.string() })) });

async function pathOf(api: KubeApi, { apiVersion, kind, namespace, name }: BuiltObject): Promise<string> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const key = `${apiVersion}/${kind}`;
  const plural = plurals.get(key) ?? findPlural(api, root, kind);
  plurals.set(key, plural);
  return `${root}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${await plural}/${name}`;
}

async function findPlural(api: KubeApi, root: string, kind: string): Promise<string> {
  const { resources } = resourcesSchema.parse(await api.send({ path: root }));
  const found = resources.find(each => each.kind === kind && !each.name.includes('/'));
  if (!found) throw new Error(`no ${kind} in ${root}`);
  return found.name;
}

/** What fluxcd/pkg/ssa normalize.go makes of an object on its way: typed, with the empty fields of its type. */
const EMPTY_OF_ITS_TYPE = ['f:strategy', 'f:updateStrategy', 'f:resources'];

function normalized(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null) return fields;
  const kept = Object.entries(fields).filter(
    ([key, value]) => !(EMPTY_OF_ITS_TYPE.includes(key) && JSON.stringify(value) === '{}'),
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [key === 'f:stringData' ? 'f:data' : key, normalized(value)]),
  );
}

const liveSchema = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).default({}) }),
});

/** The object as it is, and as it would be if our build of it were applied in the controller's name. */
export async function appliedAgain(
  api: KubeApi,
  object: BuiltObject,
  owner: { readonly name: string; readonly namespace: string },
) {
  const path = await pathOf(api, object);
  const live = liveSchema.parse(await api.send({ path }));
  const metadata = z
    .looseObject({ labels: z.record(z.string(), z.string()).nullish() })
    .parse(object.data['metadata']);
  const owned = {
    'kustomize.toolkit.fluxcd.io/name': owner.name,
    'kustomize.toolkit.fluxcd.io/namespace': owner.namespace,
  };
  const body = { ...object.data, metadata: { ...metadata, labels: { ...metadata.labels, ...owned } } };
  const again = liveSchema.parse(
    await api.send({
      method: 'PATCH',
      path: `${path}?dryRun=All&force=true&fieldManager=kustomize-controller`,
      contentType: 'application/apply-patch+yaml',
      body,
    }),
  );
  return { live: comparable(live), again: comparable(again) };
}

function comparable({ metadata, ...rest }: z.infer<typeof liveSchema>) {
  const { managedFields, resourceVersion, ...kept } = metadata;
  return { ...rest, metadata: kept, managedFields: fieldsOf(managedFields) };
}

/** What kustomize-controller set, without the time at which it did. */
function fieldsOf(managed: unknown): unknown {
  const entries = z
    .array(z.looseObject({ manager: z.string(), fieldsV1: z.unknown(), subresource: z.string().optional() }))
    .parse(managed);
  return entries
    .filter(({ manager, subresource }) => manager === 'kustomize-controller' && subresource === undefined)
    .map(({ fieldsV1 }) => normalized(fieldsV1));
}
