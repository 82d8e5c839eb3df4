import type { AutomationHold } from '../rollout/automation-hold.ts';
import type { SourceView } from '../rollout/observation.ts';
import { type Clock, ClusterForbidden } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking, clusterError, ifAllowed } from './cluster-errors.ts';
import { type KubeClient, KubeError, KubeUnreachable } from './kube-client.ts';
import { parseGitRepository } from '../flux/parse-flux.ts';
import {
  HELD_ANNOTATION,
  KEPT_ANNOTATION,
  parseImageAutomation,
  type RawAutomation,
} from './parse-image-automation.ts';
import { objectPath } from './resources.ts';

/** An ImageUpdateAutomation that takes its files from the GitOps repository. */
export interface ImageAutomation {
  readonly namespace: string;
  readonly name: string;
  /** Folder that it rewrites; '' is the whole repository. */
  readonly path: string;
  /** Where it pushes to. */
  readonly branch: string;
  readonly hold: AutomationHold;
}

export interface ImageAutomations {
  readonly all: readonly ImageAutomation[];
  /** Every namespace was looked into; else only those of the sources. */
  readonly everywhere: boolean;
}

export interface AutomationsOn {
  readonly kube: KubeClient;
  readonly clock: Clock;
  /** Whether a Git URL is the GitOps repository's. */
  readonly isOurs: (url: string) => Promise<boolean>;
}

const GROUP = 'apis/image.toolkit.fluxcd.io';
/** Flux 2.7 serves v1; those before it v1beta2. */
const VERSIONS = ['v1', 'v1beta2'];
const PLURAL = 'imageupdateautomations';
/** Not `kubectl`, whose fields kustomize-controller takes back. */
const MANAGER = 'gated-rollout';
const RIGHTS = 'get, list and patch on imageupdateautomations (image.toolkit.fluxcd.io)';
const TRIES = 5;
const TRY_AGAIN_MS = 300;

/**
 * All that write to the repository, whichever object of Flux names it.
 * @throws Refusal `image-automation` where the cluster serves none; ClusterForbidden with the right that is missing;
 * ClusterUnavailable.
 */
export async function readAutomations(
  on: AutomationsOn,
  sources: readonly SourceView[],
): Promise<ImageAutomations> {
  for (const version of VERSIONS) {
    const found = await listVersion(on.kube, version, sources);
    if (found === undefined) continue;
    const branches = new Map(sources.map(source => [`${source.namespace}/${source.name}`, source.branch]));
    const all = await Promise.all(
      found.objects.map(object => automationOf(on, parseImageAutomation(object), branches)),
    );
    return { all: all.filter(each => each !== undefined), everywhere: found.everywhere };
  }
  throw new Refusal(
    'image-automation',
    'The cluster knows no ImageUpdateAutomation (image.toolkit.fluxcd.io v1 or v1beta2), so that there is none to be suspended or followed.',
    {
      remedy:
        'Look whether the kubeconfig is of the cluster where image automation runs, or take image-automation out of rollout.yaml.',
    },
  );
}

async function listVersion(kube: KubeClient, version: string, sources: readonly SourceView[]) {
  try {
    const objects = await kube.list(`/${GROUP}/${version}/${PLURAL}`);
    return { objects, everywhere: true };
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    if (!(error instanceof KubeError && error.status === 403)) throw clusterError(error);
  }
  const namespaces = [...new Set(sources.map(({ namespace }) => namespace))];
  try {
    const lists = await Promise.all(
      namespaces.map(namespace => kube.list(`/${GROUP}/${version}/namespaces/${namespace}/${PLURAL}`)),
    );
    return { objects: lists.flat(), everywhere: false };
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw withRights(error);
  }
}

async function automationOf(
  on: AutomationsOn,
  raw: RawAutomation,
  branches: ReadonlyMap<string, string | undefined>,
): Promise<ImageAutomation | undefined> {
  const { namespace, name, path, hold, sourceRef } = raw;
  if (sourceRef.kind !== 'GitRepository') return undefined;
  const key = `${sourceRef.namespace}/${sourceRef.name}`;
  const branch = branches.has(key) ? branches.get(key) : await branchOfOther(on, sourceRef);
  if (branch === undefined) return undefined;
  return { namespace, name, path, branch: raw.branch ?? branch, hold };
}

/** Of another object that names the same repository; undefined when it names another one. */
async function branchOfOther(
  on: AutomationsOn,
  ref: { readonly namespace: string; readonly name: string },
): Promise<string | undefined> {
  const path = objectPath({ kind: 'GitRepository', namespace: ref.namespace, name: ref.name });
  const object = await ifAllowed(() => on.kube.get(path), undefined);
  if (object === undefined) return undefined;
  const { url, branch } = parseGitRepository(object);
  return (await on.isOurs(url)) ? branch : undefined;
}

/**
 * Changes how one is held. Others may change it at the same time: what is decided is decided anew then.
 * @throws ClusterForbidden with the right that is missing, ClusterUnavailable.
 */
export async function changeHold(
  on: Pick<AutomationsOn, 'kube' | 'clock'>,
  automation: { readonly namespace: string; readonly name: string },
  next: (hold: AutomationHold) => AutomationHold,
): Promise<AutomationHold> {
  for (let attempt = 1; ; attempt += 1) {
    const { path, raw } = await readOne(on.kube, automation);
    const wanted = next(raw.hold);
    if (same(wanted, raw.hold)) return wanted;
    try {
      await on.kube.mergePatch(`${path}?fieldManager=${MANAGER}`, patchOf(wanted, raw.resourceVersion));
      return wanted;
    } catch (error) {
      if (!mayPass(error) || attempt >= TRIES) throw withRights(error);
      await on.clock.sleep(TRY_AGAIN_MS * attempt);
    }
  }
}

/** Whether they may be suspended, asked without suspending. @throws as changeHold. */
export async function checkMayHold(
  kube: KubeClient,
  automation: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const { path } = await readOne(kube, automation);
  try {
    await kube.mergePatch(`${path}?dryRun=All&fieldManager=${MANAGER}`, {});
  } catch (error) {
    throw withRights(error);
  }
}

async function readOne(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<{ readonly path: string; readonly raw: RawAutomation }> {
  for (const version of VERSIONS) {
    const path = `/${GROUP}/${version}/namespaces/${namespace}/${PLURAL}/${name}`;
    const object = await asking(() => kube.get(path)).catch((error: unknown) => {
      throw withRights(error);
    });
    if (object !== undefined) return { path, raw: parseImageAutomation(object) };
  }
  throw withRights(new KubeError(404, `there is no ImageUpdateAutomation ${namespace}/${name} any more`));
}

/** As `flux suspend image update` and `flux resume image update` write it, and our marks. */
function patchOf(hold: AutomationHold, resourceVersion: string): unknown {
  return {
    metadata: {
      resourceVersion,
      annotations: {
        [HELD_ANNOTATION]: hold.heldFor.join(' ') || null,
        [KEPT_ANNOTATION]: hold.keptFor.join(' ') || null,
      },
    },
    spec: { suspend: hold.suspended ? true : null },
  };
}

function same(one: AutomationHold, other: AutomationHold): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** 409: it was changed in between. A lost answer is no answer: the next look tells. */
function mayPass(error: unknown): boolean {
  if (error instanceof KubeUnreachable) return true;
  return error instanceof KubeError && ([401, 409, 429].includes(error.status) || error.status >= 500);
}

function withRights(error: unknown): unknown {
  const known = clusterError(error);
  if (!(known instanceof ClusterForbidden)) return known;
  return new ClusterForbidden(`${known.message}. Needed: ${RIGHTS}.`, { cause: error });
}
