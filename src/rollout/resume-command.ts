import type { FluxChain, Observation, SourceView, TargetView } from './observation.ts';

/** What makes Flux and Flagger go on, as far as the last look tells what holds them up; each command once. */
export function resumeCommands(observation: Observation | undefined): readonly string[] {
  const views = Object.values(observation?.targets ?? {});
  return [...new Set(views.flatMap(view => [...fluxCommands(view.flux), ...canaryCommands(view)]))];
}

/** Of the flux command line; an ExternalArtifact is somebody else's object. */
const SOURCES: Readonly<Record<SourceView['kind'], string | undefined>> = {
  GitRepository: 'source git',
  OCIRepository: 'source oci',
  Bucket: 'source bucket',
  ExternalArtifact: undefined,
};

function fluxCommands(flux: FluxChain | undefined): readonly string[] {
  if (!flux) return [];
  const source = SOURCES[flux.source.kind];
  const links = flux.links.filter(({ view }) => view.suspended);
  return [
    ...(source !== undefined && flux.source.suspended ? [resume(source, flux.source)] : []),
    ...flux.kustomizations.filter(({ suspended }) => suspended).map(each => resume('kustomization', each)),
    ...links.map(({ kind, view }) => resume(kind.toLowerCase(), view)),
  ];
}

function resume(what: string, on: { readonly namespace: string; readonly name: string }): string {
  return `flux resume ${what} ${on.name} -n ${on.namespace}`;
}

/** Flagger api/v1beta1: spec.suspend of the Canary. */
function canaryCommands({ canary }: TargetView): readonly string[] {
  if (!canary?.suspended) return [];
  return [
    `kubectl -n ${canary.namespace} patch canary ${canary.name} --type merge -p '{"spec":{"suspend":false}}'`,
  ];
}
