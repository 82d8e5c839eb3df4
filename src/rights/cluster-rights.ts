/**
 * Every right that is ever used in the cluster. The only table of them: the Roles in deploy/rbac.yaml, the table in
 * README.md, what the preflight asks for and `check --rights` are made from it, and a test on a real control plane holds
 * the API server's audit log against it.
 */

export type Verb = 'get' | 'list' | 'watch' | 'patch' | 'create';

/** In whose namespace a right is needed. */
export type Place =
  /** A target's. */
  | 'target'
  /** The GitRepositories that deliver it. */
  | 'source'
  /** The Kustomizations between a source and the target. */
  | 'kustomization'
  /** The HelmReleases between a Kustomization and the target. */
  | 'release'
  /** The Service behind which Flagger serves its metrics. */
  | 'flagger'
  /** The Prometheus that MetricTemplates name. */
  | 'prometheus'
  /** All namespaces. */
  | 'everywhere';

/** For which rollouts. */
export type Occasion =
  | 'always'
  | 'Deployment'
  | 'DaemonSet'
  /** Knative's. */
  | 'Service'
  | 'HelmRelease'
  /** A Kustomization that takes its files from another repository. */
  | 'foreign'
  /** `at` without `object`: a file that a generator reads. */
  | 'generated'
  | 'image-automation'
  /** rollout.yaml says something of the Canary. */
  | 'canary';

export interface ClusterRight {
  /** '' is the core group. */
  readonly group: string;
  /** Plural; `services/proxy` is a subresource. */
  readonly resource: string;
  readonly verbs: readonly Verb[];
  /** Only objects of these names; absent: all. */
  readonly names?: readonly string[];
  readonly place: Place;
  readonly on: Occasion;
  readonly purpose: string;
  /** What is lost without it; absent: such a rollout does not go without it. */
  readonly without?: string;
}

const SLOWER = 'changes are looked for every 5 s instead of being told at once';
const NO_NAMES = 'a target that does not exist is refused without saying what there is instead';
const DRY_RUN = {
  place: 'target',
  on: 'canary',
  purpose: 'the API server’s own dry run of what rollout.yaml makes of a Canary; nothing is kept of it',
  without: 'it is checked against Flagger’s published definitions only',
} as const;

export const CLUSTER_RIGHTS: readonly ClusterRight[] = [
  {
    group: 'flagger.app',
    resource: 'canaries',
    verbs: ['get', 'list'],
    place: 'target',
    on: 'always',
    purpose: 'the Canary that guards the target, and how its analysis goes',
  },
  {
    group: 'flagger.app',
    resource: 'canaries',
    verbs: ['watch'],
    place: 'target',
    on: 'always',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'apps',
    resource: 'deployments',
    verbs: ['get'],
    place: 'target',
    on: 'Deployment',
    purpose: 'the target and its primary',
  },
  {
    group: 'apps',
    resource: 'deployments',
    verbs: ['watch'],
    place: 'target',
    on: 'Deployment',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'apps',
    resource: 'deployments',
    verbs: ['list'],
    place: 'target',
    on: 'Deployment',
    purpose: 'the names that there are, when a target is mistyped',
    without: NO_NAMES,
  },
  {
    group: 'apps',
    resource: 'daemonsets',
    verbs: ['get'],
    place: 'target',
    on: 'DaemonSet',
    purpose: 'the target and its primary',
  },
  {
    group: 'apps',
    resource: 'daemonsets',
    verbs: ['watch'],
    place: 'target',
    on: 'DaemonSet',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'apps',
    resource: 'daemonsets',
    verbs: ['list'],
    place: 'target',
    on: 'DaemonSet',
    purpose: 'the names that there are, when a target is mistyped',
    without: NO_NAMES,
  },
  {
    group: 'serving.knative.dev',
    resource: 'services',
    verbs: ['get'],
    place: 'target',
    on: 'Service',
    purpose: 'the target and its traffic',
  },
  {
    group: 'serving.knative.dev',
    resource: 'revisions',
    verbs: ['list'],
    place: 'target',
    on: 'Service',
    purpose: 'the Revisions, the primary among them',
  },
  {
    group: 'serving.knative.dev',
    resource: 'services',
    verbs: ['watch'],
    place: 'target',
    on: 'Service',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'serving.knative.dev',
    resource: 'services',
    verbs: ['list'],
    place: 'target',
    on: 'Service',
    purpose: 'the names that there are, when a target is mistyped',
    without: NO_NAMES,
  },
  {
    group: '',
    resource: 'services',
    verbs: ['get'],
    place: 'target',
    on: 'Service',
    purpose: 'telling a core Service that was meant for a Knative one',
    without: NO_NAMES,
  },
  {
    group: 'apps',
    resource: 'replicasets',
    verbs: ['list'],
    place: 'target',
    on: 'Deployment',
    purpose: 'the pods of each version',
    without: 'a rollout that was replaced by a newer one may be recognised later',
  },
  {
    group: '',
    resource: 'events',
    verbs: ['list'],
    place: 'target',
    on: 'always',
    purpose: 'Flagger’s words about each check',
    without: 'which metric or webhook failed is not known, and values of metrics are missing',
  },
  {
    group: '',
    resource: 'configmaps',
    verbs: ['get'],
    place: 'target',
    on: 'generated',
    purpose: 'the ConfigMaps that the target refers to',
  },
  {
    group: '',
    resource: 'secrets',
    verbs: ['get'],
    place: 'target',
    on: 'canary',
    purpose: 'whether the Secrets are there that alerts and metrics of rollout.yaml name',
    without: 'a missing one is noticed by Flagger only',
  },
  {
    group: 'flagger.app',
    resource: 'metrictemplates',
    verbs: ['get'],
    place: 'target',
    on: 'always',
    purpose: 'asking for a metric’s value now, in a plan',
    without: 'a plan does not say what the metrics say now',
  },
  {
    group: '',
    resource: 'services/proxy',
    verbs: ['get'],
    names: ['http:prometheus:9090'],
    place: 'prometheus',
    on: 'always',
    purpose: 'the same, of the Prometheus that a MetricTemplate names',
    without: 'a plan does not say what the metrics say now',
  },
  {
    group: '',
    resource: 'services/proxy',
    verbs: ['get'],
    names: ['flagger:http'],
    place: 'flagger',
    on: 'always',
    purpose: 'the values that Flagger measured (input `flagger-metrics`)',
    without: 'only values of failed checks are shown',
  },
  {
    group: 'source.toolkit.fluxcd.io',
    resource: 'gitrepositories',
    verbs: ['get'],
    place: 'source',
    on: 'always',
    purpose: 'the repository and branch that Flux follows, and what it fetched',
  },
  {
    group: 'source.toolkit.fluxcd.io',
    resource: 'gitrepositories',
    verbs: ['watch'],
    place: 'source',
    on: 'always',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'source.toolkit.fluxcd.io',
    resource: 'gitrepositories',
    verbs: ['patch'],
    place: 'source',
    on: 'always',
    purpose: 'asking Flux to look at once (an annotation)',
    without: 'a commit waits for the interval of the GitRepository',
  },
  {
    group: 'source.toolkit.fluxcd.io',
    resource: 'ocirepositories',
    verbs: ['get'],
    place: 'source',
    on: 'HelmRelease',
    purpose: 'the chart that a HelmRelease takes by chartRef',
    without: 'a chart by chartRef cannot be released',
  },
  {
    group: 'source.toolkit.fluxcd.io',
    resource: 'externalartifacts',
    verbs: ['get'],
    place: 'source',
    on: 'foreign',
    purpose: 'an artifact that was made from this repository',
    without: 'such an artifact is taken for another source',
  },
  {
    group: 'source.extensions.fluxcd.io',
    resource: 'artifactgenerators',
    verbs: ['get'],
    place: 'source',
    on: 'foreign',
    purpose: 'what that artifact was made from',
    without: 'such an artifact is taken for another source',
  },
  {
    group: 'kustomize.toolkit.fluxcd.io',
    resource: 'kustomizations',
    verbs: ['get'],
    place: 'kustomization',
    on: 'always',
    purpose: 'what applies the target, and what it applied',
  },
  {
    group: 'kustomize.toolkit.fluxcd.io',
    resource: 'kustomizations',
    verbs: ['watch'],
    place: 'kustomization',
    on: 'always',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'kustomize.toolkit.fluxcd.io',
    resource: 'kustomizations',
    verbs: ['patch'],
    place: 'kustomization',
    on: 'foreign',
    purpose: 'asking a Kustomization of another repository’s files to look at once (an annotation)',
    without: 'a commit waits for the interval of that Kustomization',
  },
  {
    group: 'helm.toolkit.fluxcd.io',
    resource: 'helmreleases',
    verbs: ['get'],
    place: 'release',
    on: 'HelmRelease',
    purpose: 'the HelmRelease that renders the target',
  },
  {
    group: 'helm.toolkit.fluxcd.io',
    resource: 'helmreleases',
    verbs: ['watch'],
    place: 'release',
    on: 'HelmRelease',
    purpose: 'changes, as they happen',
    without: SLOWER,
  },
  {
    group: 'helm.toolkit.fluxcd.io',
    resource: 'helmreleases',
    verbs: ['patch'],
    place: 'release',
    on: 'HelmRelease',
    purpose: 'asking it to look at once (an annotation)',
    without: 'a commit waits for the interval of the HelmRelease',
  },
  {
    group: '',
    resource: 'services',
    verbs: ['get'],
    place: 'target',
    on: 'HelmRelease',
    purpose: 'whether the chart and Flagger would both write the Service',
    without: 'such a fight is not noticed beforehand',
  },
  { ...DRY_RUN, group: 'flagger.app', resource: 'canaries', verbs: ['patch', 'create'] },
  { ...DRY_RUN, group: 'flagger.app', resource: 'metrictemplates', verbs: ['patch', 'create'] },
  { ...DRY_RUN, group: 'flagger.app', resource: 'alertproviders', verbs: ['patch', 'create'] },
  {
    group: 'image.toolkit.fluxcd.io',
    resource: 'imageupdateautomations',
    verbs: ['get', 'list', 'patch'],
    place: 'source',
    on: 'image-automation',
    purpose: 'suspending the image automation that writes the same line, and letting it go on',
  },
  {
    group: 'image.toolkit.fluxcd.io',
    resource: 'imageupdateautomations',
    verbs: ['list'],
    place: 'everywhere',
    on: 'image-automation',
    purpose: 'finding those in other namespaces that write to the same repository',
    without: 'only those in the namespace of the GitRepository are seen',
  },
];
