/**
 * What of an object may be fetched: of a Secret never more than its metadata (Kubernetes API concepts, "Metadata-only
 * fetches"), whoever asks and by whatever right.
 */
const AS_METADATA = ['PartialObjectMetadata', 'PartialObjectMetadataList']
  .map(kind => `application/json;as=${kind};g=meta.k8s.io;v=v1`)
  .join(',');
const SECRETS = /^\/api\/v1\/(?:namespaces\/[^/]+\/)?secrets(?:[/?]|$)/;

/** What a request for a path accepts. */
export function acceptOf(path: string): string {
  return SECRETS.test(path) ? AS_METADATA : 'application/json';
}
