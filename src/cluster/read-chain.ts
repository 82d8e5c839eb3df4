import { parseChartSource } from '../flux/parse-chart-source.ts';
import { parseGitRepository, parseKustomization } from '../flux/parse-flux.ts';
import { parseHelmRelease } from '../flux/parse-helm-release.ts';
import type {
  ChainLink,
  ChartSourceView,
  FluxChain,
  KustomizationView,
  SourceView,
} from '../rollout/observation.ts';
import { asking, ifAllowed } from './cluster-errors.ts';
import type { KubeClient } from './kube-client.ts';
import { objectPath } from './resources.ts';

/** The chain as it is now; an object that is gone keeps what was known of it. */
export async function readChain(kube: KubeClient, known: FluxChain): Promise<FluxChain> {
  const [source, kustomizations, links] = await Promise.all([
    readSource(kube, known.source),
    Promise.all(known.kustomizations.map(each => readKustomization(kube, each))),
    Promise.all(known.links.map(each => readLink(kube, each))),
  ]);
  return { source, kustomizations, links };
}

async function readSource(kube: KubeClient, known: SourceView): Promise<SourceView> {
  if (known.kind !== 'GitRepository') return known;
  const now = await asking(() => kube.get(objectPath({ ...known, kind: known.kind })));
  return now === undefined ? known : parseGitRepository(now);
}

async function readKustomization(kube: KubeClient, known: KustomizationView): Promise<KustomizationView> {
  const now = await asking(() => kube.get(objectPath({ ...known, kind: 'Kustomization' })));
  return now === undefined ? known : parseKustomization(now);
}

async function readLink(kube: KubeClient, known: ChainLink): Promise<ChainLink> {
  if (known.kind === 'Kustomization') {
    const [view, source] = await Promise.all([
      readKustomization(kube, known.view),
      readSource(kube, known.source),
    ]);
    return { ...known, view, source };
  }
  const [now, chartSource] = await Promise.all([
    asking(() => kube.get(objectPath({ ...known.view, kind: known.kind }))),
    known.chartSource && readChartSource(kube, known.chartSource),
  ]);
  return {
    ...known,
    ...(now === undefined ? {} : { view: parseHelmRelease(now) }),
    ...(chartSource ? { chartSource } : {}),
  };
}

async function readChartSource(kube: KubeClient, known: ChartSourceView): Promise<ChartSourceView> {
  const path = objectPath({ ...known, kind: 'OCIRepository' });
  const now = await ifAllowed(() => kube.get(path), undefined);
  return now === undefined ? known : parseChartSource(now);
}
