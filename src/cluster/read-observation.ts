import type { CanaryView, FluxChain, Observation, TargetView } from '../rollout/observation.ts';
import type { Clock } from '../rollout/ports.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { asking, ifAllowed } from './cluster-errors.ts';
import type { FlaggerGauge } from './flagger-gauge.ts';
import type { KubeClient } from './kube-client.ts';
import { guardsTarget, parseCanary, parseEvents } from './parse-canary.ts';
import { parseKnativeService } from './parse-knative.ts';
import { parseReplicaSets, parseWorkload, selectorOf } from './parse-workload.ts';
import { readChain } from './read-chain.ts';
import { readNamed, readReferenced, type Watched } from './read-objects.ts';
import { collectionPath, objectPath, targetPath } from './resources.ts';

/** The Canary is read first and last; when it moved in between, what lies between may be of two moments. */
const MAX_READS = 5;

/**
 * One look at everything, by plain GETs.
 * @throws ClusterForbidden, ClusterUnavailable.
 */
export function readObservation(kube: KubeClient, on: ReadOptions): Promise<Observation> {
  return asking(() => lookAtAll(kube, on));
}

interface ReadOptions {
  readonly watched: Watched;
  /** For the values of metrics, while something is analysed. */
  readonly gauge?: FlaggerGauge | undefined;
  readonly clock: Clock;
  readonly source: Observation['source'];
}

async function lookAtAll(kube: KubeClient, on: ReadOptions): Promise<Observation> {
  const { watched, clock } = on;
  const chains = new Map<string, Promise<FluxChain>>();
  const chainOf = (key: TargetKey): Promise<FluxChain> | undefined => {
    const known = watched.chains[key];
    if (!known) return undefined;
    const names = JSON.stringify([
      known.source.name,
      known.kustomizations.map(({ name, namespace }) => [namespace, name]),
      known.links.map(({ kind, view }) => [kind, view.namespace, view.name]),
    ]);
    const reading = chains.get(names) ?? readChain(kube, known);
    chains.set(names, reading);
    return reading;
  };
  const [targets, named] = await Promise.all([
    Promise.all(
      watched.targets.map(async target => {
        const key = targetKey(target);
        const [view, flux] = await Promise.all([readTarget(kube, target), chainOf(key)]);
        return [key, { ...view, ...(flux ? { flux } : {}) }] as const;
      }),
    ),
    readNamed(kube, watched),
  ]);
  const referenced = await readReferenced(
    kube,
    watched,
    targets.map(([, view]) => view),
  );
  const analysing = targets.some(([, { canary }]) => canary?.phase === 'Progressing');
  const values = on.source === 'read' && analysing ? await on.gauge?.values() : undefined;
  const measured = targets.map(([key, view]) => {
    const metricValues = values?.get(key.slice(key.indexOf(' ') + 1));
    return [key, metricValues ? { ...view, metricValues } : view] as const;
  });
  return {
    source: on.source,
    at: clock.now(),
    targets: Object.fromEntries(measured),
    objects: Object.fromEntries([...referenced, ...named]),
  };
}

async function readTarget(kube: KubeClient, target: TargetRef): Promise<TargetView> {
  for (let attempt = 1; ; attempt += 1) {
    const canary = await findCanary(kube, target);
    const rest = await readAround(kube, target, canary);
    if (!canary) return rest;
    const again = await asking(() =>
      kube.get(objectPath({ kind: 'Canary', namespace: target.namespace, name: canary.name })),
    );
    const still = again !== undefined && parseCanary(again).resourceVersion === canary.resourceVersion;
    if (still || attempt >= MAX_READS)
      return { ...rest, canary: again === undefined ? canary : parseCanary(again) };
  }
}

/** The Canary whose targetRef names the target: its own name is anybody's choice. */
async function findCanary(kube: KubeClient, target: TargetRef): Promise<CanaryView | undefined> {
  const all = await asking(() => kube.list(collectionPath('Canary', target.namespace)));
  const found = all.find(object => guardsTarget(object, target));
  return found === undefined ? undefined : parseCanary(found);
}

async function readAround(
  kube: KubeClient,
  target: TargetRef,
  canary: CanaryView | undefined,
): Promise<TargetView> {
  const { kind, namespace, name } = target;
  if (kind === 'Service') {
    const [service, events] = await Promise.all([
      readKnativeService(kube, target),
      canary ? readEvents(kube, canary) : [],
    ]);
    return { replicaSets: [], ...service, events };
  }
  const [live, primary, events] = await Promise.all([
    asking(() => kube.get(targetPath(target))),
    asking(() => kube.get(objectPath({ kind, namespace, name: `${name}-primary` }))),
    canary ? readEvents(kube, canary) : [],
  ]);
  const selector = kind === 'Deployment' ? selectorOf(live) : undefined;
  const workload = live === undefined ? undefined : parseWorkload(kind, live);
  const replicaSets =
    selector === undefined || !workload
      ? []
      : parseReplicaSets(
          await ifAllowed(
            () => kube.list(collectionPath('ReplicaSet', namespace), { labelSelector: selector }),
            [],
          ),
          workload.uid,
        );
  return {
    ...(workload ? { target: workload } : {}),
    ...(primary === undefined ? {} : { primary: parseWorkload(kind, primary) }),
    replicaSets,
    events,
  };
}

async function readKnativeService(kube: KubeClient, target: TargetRef): Promise<Partial<TargetView>> {
  const service = await asking(() => kube.get(targetPath(target)));
  if (service === undefined) return {};
  // After the Service, so that what it names is among them.
  const labelSelector = `serving.knative.dev/service=${target.name}`;
  const path = collectionPath('Revision', target.namespace);
  return parseKnativeService(service, await asking(() => kube.list(path, { labelSelector })));
}

async function readEvents(kube: KubeClient, canary: CanaryView): Promise<TargetView['events']> {
  const fieldSelector = `involvedObject.kind=Canary,involvedObject.name=${canary.name}`;
  const path = collectionPath('Event', canary.namespace);
  return parseEvents(await ifAllowed(() => kube.list(path, { fieldSelector }), []), canary.uid);
}
