import { folderOf } from '../config/folder-path.ts';
import { canaryAnalysis } from '../flagger/canary-analysis.ts';
import { walkKustomization } from './kustomize-walk.ts';
import { builtName, builtNamespace, isOfKind, objectsOf, refersTo, type Site } from './locate.ts';
import { record, text } from './patch-reach.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import { YamlText } from '../edit/yaml-text.ts';
import type {
  CanaryView,
  FluxChain,
  KustomizationView,
  Observation,
  TargetView,
} from '../rollout/observation.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';

/** Where a target comes from, as far as the repository alone says. */
export interface OfflineTarget {
  readonly chain: FluxChain;
  readonly view: TargetView;
  /** The pod template as it is written. */
  readonly template: unknown;
}

interface FoundKustomization {
  readonly file: string;
  readonly view: KustomizationView;
  /** `namespace/name` of its GitRepository. */
  readonly source: string;
  /** Of the GitRepository that it takes its files from, where its manifest is here, too. */
  readonly url?: string;
}

/** Whether a Git URL is that of the repository that is looked at. */
export type IsOurs = (url: string) => boolean;

/**
 * Without a cluster: the Flux Kustomization in this repository whose folder builds the target. What runs is not known
 * then, so nothing is proven by it.
 * @throws Refusal `not-managed` when there is none, `change-ambiguous` when there are several.
 */
export async function offlineTarget(
  files: RepositoryFiles,
  target: TargetRef,
  isOurs: IsOurs = () => true,
): Promise<OfflineTarget> {
  const everything = await kustomizationsIn(files);
  // A clone of a fork or of a mirror has another remote than Flux; then only a folder that is not here tells.
  const tells = everything.some(({ url }) => url !== undefined && isOurs(url));
  const foreign: FoundKustomization[] = [];
  for (const each of everything) {
    if (each.url === undefined || isOurs(each.url)) continue;
    if (tells || (await files.list(each.view.path)) === undefined) foreign.push(each);
  }
  const all = everything.filter(each => !foreign.includes(each));
  const found: { readonly of: FoundKustomization; readonly objects: readonly Site[] }[] = [];
  for (const each of all) {
    const objects = objectsOf(
      await walkKustomization(files, each.view.path).catch(() => emptyLayer(each.view.path)),
    );
    if (objects.some(site => isTarget(site, target, each.view))) found.push({ of: each, objects });
  }
  const [only] = found;
  const name = targetKey(target);
  if (!only) {
    const seen = all.map(({ file, view }) => `${view.namespace}/${view.name} (${file})`).join(', ');
    const elsewhere = foreign
      .map(({ file, view, url }) => `${view.namespace}/${view.name} (${file}) from ${url ?? '?'}`)
      .join(', ');
    throw new Refusal(
      'not-managed',
      `No Flux Kustomization in this folder builds ${name}; there are ${seen || 'none'}.${elsewhere === '' ? '' : ` What others build from other repositories only the cluster can say: ${elsewhere}.`}`,
      {
        remedy:
          'Give the root of the GitOps repository as --folder, or let the cluster be asked (no --offline).',
      },
    );
  }
  if (found.length > 1) {
    const names = found.map(({ of }) => `${of.view.namespace}/${of.view.name} (${of.file})`).join(', ');
    throw new Refusal('change-ambiguous', `Several Kustomizations build ${name}: ${names}.`, {
      remedy: 'Let the cluster be asked which of them applies it (no --offline).',
    });
  }
  const source = {
    kind: 'GitRepository',
    namespace: only.of.view.namespace,
    name: 'unknown',
    url: '',
  } as const;
  return {
    chain: {
      source: { ...source, suspended: false, intervalMs: 60_000, verifies: false },
      kustomizations: [only.of.view],
      links: [],
    },
    view: viewFrom(only.objects, target),
    template: record(only.objects.find(site => isTarget(site, target, only.of.view))?.data['spec'])[
      'template'
    ],
  };
}

function emptyLayer(folder: string) {
  return { folder, namePrefix: '', nameSuffix: '', images: [], patches: [], resources: [], children: [] };
}

function isTarget(site: Site, target: TargetRef, applier: KustomizationView): boolean {
  if (!isOfKind(site, target.kind) || builtName(site) !== target.name) return false;
  const namespace = builtNamespace(site, applier.targetNamespace);
  return namespace === undefined || namespace === target.namespace;
}

async function kustomizationsIn(files: RepositoryFiles): Promise<readonly FoundKustomization[]> {
  const found: FoundKustomization[] = [];
  const urls = new Map<string, string>();
  const pending = [''];
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    for (const { name, kind } of (await files.list(folder)) ?? []) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'folder' && name !== 'node_modules') pending.push(path);
      if (kind === 'file' && /\.ya?ml$/.test(name)) {
        const { kustomizations, sources } = await fluxObjectsOf(files, path);
        found.push(...kustomizations);
        for (const [source, url] of sources) urls.set(source, url);
      }
    }
  }
  return found.map(each => {
    const url = urls.get(each.source);
    return url === undefined ? each : { ...each, url };
  });
}

interface FluxObjects {
  readonly kustomizations: readonly FoundKustomization[];
  /** `namespace/name` of GitRepositories, and their URLs. */
  readonly sources: readonly (readonly [source: string, url: string])[];
}

async function fluxObjectsOf(files: RepositoryFiles, path: string): Promise<FluxObjects> {
  const blob = await files.read(path).catch(() => undefined);
  if (blob?.text.includes('.toolkit.fluxcd.io') !== true) return { kustomizations: [], sources: [] };
  // Templates and encrypted files are no YAML that we could read; they are nobody's Kustomization.
  const file = parsed(path, blob.text);
  const all = (file?.documents ?? []).map((_, document) => record(file?.data(document)));
  const sources = all
    .filter(({ kind }) => kind === 'GitRepository')
    .map(
      ({ metadata, spec }) => [idOf(record(metadata)), withoutUrlSecrets(text(record(spec)['url']))] as const,
    );
  const kustomizations = all.flatMap((data): readonly FoundKustomization[] => {
    if (data['kind'] !== 'Kustomization' || !text(data['apiVersion']).startsWith('kustomize.toolkit'))
      return [];
    const metadata = record(data['metadata']);
    const spec = record(data['spec']);
    const targetNamespace = text(spec['targetNamespace']);
    const view: KustomizationView = {
      namespace: text(metadata['namespace']) || 'flux-system',
      name: text(metadata['name']),
      path: folderOf(text(spec['path'])),
      suspended: spec['suspend'] === true,
      generation: 1,
      observedGeneration: 1,
      intervalMs: 60_000,
      waits: spec['wait'] === true,
      ...(targetNamespace === '' ? {} : { targetNamespace }),
    };
    const source = idOf({ namespace: view.namespace, ...record(spec['sourceRef']) });
    return [{ file: path, view, source }];
  });
  return { kustomizations, sources };
}

function idOf({ namespace, name }: Readonly<Record<string, unknown>>): string {
  return `${text(namespace) || 'flux-system'}/${text(name)}`;
}

function parsed(path: string, content: string): YamlText | undefined {
  try {
    return new YamlText(path, content);
  } catch {
    return undefined;
  }
}

/** The Canary as the repository has it, so that its schedule can be told; it says nothing of what runs. */
function viewFrom(objects: readonly Site[], target: TargetRef): TargetView {
  const site = objects.find(({ data }) => {
    const ref = record(data['spec'])['targetRef'];
    return data['kind'] === 'Canary' && refersTo(ref, target.kind, [target.name]);
  });
  if (!site) return { replicaSets: [], events: [] };
  const canary: CanaryView = {
    uid: '',
    namespace: target.namespace,
    name: builtName(site),
    resourceVersion: '',
    phase: '',
    canaryWeight: 0,
    iterations: 0,
    failedChecks: 0,
    lastAppliedSpec: '',
    lastPromotedSpec: '',
    trackedConfigs: {},
    suspended: false,
    skipAnalysis: false,
    progressDeadlineMs: 600_000,
    analysis: canaryAnalysis(record(site.data['spec'])),
    flaggerSkewMs: 0,
  };
  return { canary, replicaSets: [], events: [] };
}

/** All targets of a rollout, in the shape that a plan is made from. @throws as offlineTarget does. */
export async function offlineGround(
  files: RepositoryFiles,
  targets: readonly TargetRef[],
  isOurs?: IsOurs,
): Promise<{
  readonly chains: Readonly<Record<string, FluxChain>>;
  readonly observation: Observation;
}> {
  const found = await Promise.all(
    targets.map(async target => [targetKey(target), await offlineTarget(files, target, isOurs)] as const),
  );
  const views = Object.fromEntries(found.map(([key, { view }]) => [key, view]));
  return {
    chains: Object.fromEntries(found.map(([key, { chain }]) => [key, chain])),
    observation: { source: 'read', at: 0, targets: views, objects: {} },
  };
}
