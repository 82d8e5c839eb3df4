import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { hasCondition, waitUntil } from './health.js';
const kubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
/** Reads the objects of a YAML text with any number of documents; aliases are resolved, empty documents skipped. */
export function readObjects(yaml) {
  return parseAllDocuments(yaml)
    .map(document => document.toJS())
    .filter(value => value !== null)
    .map(value => {
      const object = kubeObject.parse(value);
      const { namespace, ...metadata } = object.metadata;
      return { ...object, metadata: namespace === undefined ? metadata : { ...metadata, namespace } };
    });
}
/** Applies every definition that was built, and waits until the server serves them. */
export async function applyDefinitions(api, crds) {
  const files = (await readdir(crds, { recursive: true })).filter(file => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map(file => readFile(join(crds, file), 'utf8')));
  texts.push(
    await readFile(fileURLToPath(new URL('./manifests/smi-traffic-split.yaml', import.meta.url)), 'utf8'),
  );
  const definitions = texts.flatMap(readObjects);
  // Created, not applied: Flagger's definition has stray fields (unquoted commas in a description), which a server-side
  // apply refuses and a create ignores.
  await Promise.all(
    definitions.map(body =>
      api.send({ method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body }),
    ),
  );
  await waitUntil('the custom resource definitions are served', async () => {
    const established = await Promise.all(
      definitions.map(({ metadata }) => isEstablished(api, metadata.name)),
    );
    return established.every(Boolean);
  });
}
async function isEstablished(api, name) {
  const answer = await api.send({ path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}` });
  return hasCondition(answer, 'Established');
}
/** The Flux namespace and the one node that every pod lands on. */
export async function applyBase(api) {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  await api.apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'testbed',
      labels: { 'kubernetes.io/hostname': 'testbed', 'kubernetes.io/os': 'linux' },
    },
  });
  const room = { cpu: '1000', memory: '1000Gi', pods: '10000' };
  await api.send({
    method: 'PATCH',
    path: '/api/v1/nodes/testbed/status',
    contentType: 'application/merge-patch+json',
    body: { status: { allocatable: room, capacity: room } },
  });
}
