import { APP_PERMISSIONS, JOB_PERMISSIONS, permissionLine } from '../src/rights/github-permissions.ts';
import {
  CLUSTER_RIGHTS,
  type ClusterRight,
  type Occasion,
  type Place,
} from '../src/rights/cluster-rights.ts';
import { ruleLine, rulesOf } from '../src/rights/needed-rights.ts';

/** Rights as files and as the README's table, all from the tables in src/rights. */

const OCCASIONS: Readonly<Record<Occasion, string>> = {
  always: '',
  Deployment: 'Deployments',
  DaemonSet: 'DaemonSets',
  Service: 'Knative Services',
  HelmRelease: 'targets of HelmReleases',
  foreign: 'Kustomizations of other repositories',
  generated: '`at` without `object`',
  'image-automation': '`image-automation: suspend` or `follow`',
  canary: '`canary:` in rollout.yaml',
};

const PLACES: Readonly<Record<Place, { readonly namespace: string | undefined; readonly words: string }>> = {
  target: { namespace: 'prod', words: 'the target’s' },
  source: { namespace: 'flux-system', words: 'Flux’s' },
  kustomization: { namespace: 'flux-system', words: 'Flux’s' },
  release: { namespace: 'flux-system', words: 'the HelmRelease’s' },
  flagger: { namespace: 'flagger-system', words: 'Flagger’s' },
  prometheus: { namespace: 'monitoring', words: 'Prometheus’s' },
  everywhere: { namespace: undefined, words: 'all' },
};

const ACCOUNT = { kind: 'ServiceAccount', name: 'gated-rollout', namespace: 'flux-system' } as const;
const NAMESPACES = ['prod', 'flux-system', 'flagger-system', 'monitoring', undefined] as const;

const HEAD = `# Rights of Gated Rollout in the cluster: a Role for each namespace, all that is ever used and no more.
# Written by \`npm run schemas\` from src/rights/cluster-rights.ts; a test on a real control plane holds the API server's
# audit log against it. Change the namespaces: prod is a target's (repeat its Roles for each), flux-system that of the
# GitRepository, Kustomization and HelmRelease (repeat for each), flagger-system that of the input flagger-metrics,
# monitoring that of your Prometheus. Leave out what you have no use for; what is optional says what is lost.
#
# First what reads, then, below "What writes", what asks Flux to look at once, dry runs, and image automation.
`;

export function rbacFile(): string {
  const reading = CLUSTER_RIGHTS.filter(right => !writes(right));
  const writing = CLUSTER_RIGHTS.filter(writes);
  return [
    HEAD,
    account(),
    ...roles('gated-rollout', reading),
    '\n# What writes.\n',
    ...roles('gated-rollout-patch', writing),
  ].join('');
}

function writes({ verbs }: ClusterRight): boolean {
  return verbs.some(verb => verb === 'patch' || verb === 'create');
}

function account(): string {
  const { name, namespace } = ACCOUNT;
  return `---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}, namespace: ${namespace}}\n`;
}

function roles(name: string, rights: readonly ClusterRight[]): readonly string[] {
  return NAMESPACES.flatMap(namespace => {
    const here = rights.filter(({ place }) => PLACES[place].namespace === namespace);
    return here.length === 0 ? [] : [role(name, namespace, here)];
  });
}

function role(name: string, namespace: string | undefined, rights: readonly ClusterRight[]): string {
  const prefix = namespace === undefined ? 'Cluster' : '';
  const metadata = namespace === undefined ? `{name: ${name}}` : `{name: ${name}, namespace: ${namespace}}`;
  const rules = rights.flatMap(right => [`# ${comment(right)}`, ...rulesOf([right]).map(ruleLine)]);
  const api = 'rbac.authorization.k8s.io';
  return `---
apiVersion: ${api}/v1
kind: ${prefix}Role
metadata: ${metadata}
rules:
${rules.join('\n')}
---
apiVersion: ${api}/v1
kind: ${prefix}RoleBinding
metadata: ${metadata}
roleRef: {apiGroup: ${api}, kind: ${prefix}Role, name: ${name}}
subjects:
- {kind: ${ACCOUNT.kind}, name: ${ACCOUNT.name}, namespace: ${ACCOUNT.namespace}}
`;
}

function comment({ on, purpose, without }: ClusterRight): string {
  const occasion = OCCASIONS[on] === '' ? '' : `${OCCASIONS[on]}: `;
  return `${occasion}${purpose}${without === undefined ? '' : ` (optional; without it ${without})`}`;
}

/** As GitHub's manifest flow takes it (docs "Registering a GitHub App from a manifest"). */
export function appManifest(): string {
  const permissions = Object.fromEntries(APP_PERMISSIONS.map(({ name, access }) => [name, access]));
  const manifest = {
    name: 'Gated Rollout',
    url: 'https://github.com/OWNER/gated-rollout',
    description: 'Commits releases to the GitOps repository, and takes back what fails.',
    public: false,
    hook_attributes: { url: 'https://example.com', active: false },
    default_events: [],
    default_permissions: permissions,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export const RIGHTS_BEGIN = '<!-- rights: written by `npm run schemas` -->';
export const RIGHTS_END = '<!-- end of rights -->';

/** The README with the tables of rights as the code has them. */
export function withRights(readme: string): string {
  const begin = readme.indexOf(RIGHTS_BEGIN);
  const end = readme.indexOf(RIGHTS_END);
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the rights.');
  return `${readme.slice(0, begin + RIGHTS_BEGIN.length)}\n${tables()}${readme.slice(end)}`;
}

function tables(): string {
  const app = APP_PERMISSIONS.map(each => permissionRow('the App, on the GitOps repository', each));
  const job = JOB_PERMISSIONS.map(each => permissionRow('`token`, on the workflow’s repository', each));
  return `
| Whose | Permission | For | Without it |
|---|---|---|---|
${[...app, ...job].join('\n')}

| In namespace | Resource | Needed | Optional | For | Without the optional |
|---|---|---|---|---|---|
${merged().map(clusterRow).join('\n')}

`;
}

function permissionRow(whose: string, each: (typeof APP_PERMISSIONS | typeof JOB_PERMISSIONS)[number]) {
  const without = 'without' in each ? each.without : 'nothing works';
  return `| ${whose} | \`${permissionLine(each)}\` | ${each.purpose} | ${without} |`;
}

/** Rights of one resource on one occasion, in one place: a row. */
function merged(): readonly (readonly ClusterRight[])[] {
  const rows = new Map<string, ClusterRight[]>();
  for (const right of CLUSTER_RIGHTS) {
    const { place, on, group, resource } = right;
    const key = JSON.stringify([PLACES[place].words, on, group, resource]);
    const row = rows.get(key) ?? [];
    row.push(right);
    rows.set(key, row);
  }
  return [...rows.values()];
}

function clusterRow(rights: readonly ClusterRight[]): string {
  const [first] = rights;
  if (!first) throw new Error('unreachable: a row has a right');
  const verbs = (optional: boolean) =>
    rights
      .filter(({ without }) => (without !== undefined) === optional)
      .flatMap(right => right.verbs.map(verb => `\`${verb}\``))
      .join(', ');
  const resource = first.group === '' ? `\`${first.resource}\`` : `\`${first.resource}\` (${first.group})`;
  const occasion = OCCASIONS[first.on] === '' ? '' : `${OCCASIONS[first.on]}: `;
  const purpose = `${occasion}${[...new Set(rights.map(each => each.purpose))].join('; ')}`;
  const lost = [...new Set(rights.flatMap(({ without }) => without ?? []))].join('; ');
  return `| ${PLACES[first.place].words} | ${resource} | ${verbs(false)} | ${verbs(true)} | ${purpose} | ${lost} |`;
}
