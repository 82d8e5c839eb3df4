const SECRETS = /^\/api\/v1\/(?:namespaces\/[^/]+\/)?secrets(\/)?/;

/**
 * What a request for a path accepts: of a Secret never more than its metadata (Kubernetes API concepts, "Metadata-only
 * fetches"), whoever asks and by whatever right. A list has a form of its own; the events of a watch are objects.
 */
export function acceptOf(path: string): string {
  const secrets = SECRETS.exec(path);
  if (!secrets) return 'application/json';
  const isList = secrets[1] === undefined && !/[?&]watch=/.test(path);
  return `application/json;as=PartialObjectMetadata${isList ? 'List' : ''};g=meta.k8s.io;v=v1`;
}
