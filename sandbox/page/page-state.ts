import { marked } from 'marked';
import { fieldsAt, type KubeObject, listAt, numberAt, textAt, valueAt } from '../cluster/kube-object.ts';
import { FLEET, type Sandbox, SOURCE } from '../sandbox.ts';

/** What the page shows, as HTML where GitHub would render markdown. */
export interface PageState {
  readonly pulls: readonly {
    readonly number: number;
    readonly title: string;
    readonly repository: string;
    readonly state: string;
    readonly comments: readonly { readonly author: string; readonly html: string }[];
    readonly checks: readonly CheckState[];
  }[];
  readonly commits: readonly {
    readonly sha: string;
    readonly title: string;
    readonly verified: boolean;
    readonly applied: boolean;
  }[];
  readonly canaries: readonly CanaryState[];
  readonly deployments: readonly {
    readonly environment: string;
    readonly state: string;
    readonly words: string;
  }[];
}

interface CheckState {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string;
  readonly title: string;
  readonly html: string;
}

interface CanaryState {
  readonly name: string;
  readonly phase: string;
  readonly weight: number;
  readonly iterations: number;
  readonly failedChecks: number;
  /** The versions: of the pods that serve the users, and of what is tried. */
  readonly target: string;
  readonly primary: string;
}

/** The newest pull request first, as a reader of GitHub would open it. */
export async function pageState(sandbox: Sandbox): Promise<PageState> {
  const pulls = [SOURCE, FLEET].flatMap(repository =>
    sandbox.github.pullRequests(repository).map(pull => ({ repository, pull })),
  );
  const applied = new Set(
    sandbox.cluster
      .list('Kustomization')
      .map(each => textAt(each, 'status', 'lastAppliedRevision').slice(-40)),
  );
  const log = await sandbox.github.log(FLEET);
  return {
    pulls: pulls.toReversed().map(({ repository, pull }) => ({
      number: pull.number,
      title: pull.title,
      repository,
      state: pull.merge ? 'merged' : pull.state,
      comments: sandbox.github
        .comments(repository, pull.number)
        .map(({ body, user }) => ({ author: user, html: rendered(body) })),
      checks: checksOf(sandbox, repository, pull.merge?.sha ?? ''),
    })),
    commits: log.map(({ sha, title, verified }) => ({ sha, title, verified, applied: applied.has(sha) })),
    canaries: sandbox.cluster.list('Canary').map(canary => canaryState(sandbox, canary)),
    deployments: sandbox.github.deployments(SOURCE).map(({ environment, statuses }) => {
      const last = statuses.at(-1);
      return { environment, state: last?.state ?? 'pending', words: last?.description ?? '' };
    }),
  };
}

function checksOf(sandbox: Sandbox, repository: string, sha: string): readonly CheckState[] {
  if (sha === '') return [];
  return sandbox.github.checkRuns(repository, sha).map(({ name, status, conclusion, output }) => ({
    name,
    status,
    conclusion: conclusion ?? '',
    title: output.title ?? '',
    html: rendered(output.summary ?? ''),
  }));
}

function canaryState(sandbox: Sandbox, canary: KubeObject): CanaryState {
  const { namespace = '', name } = canary.metadata;
  const target = textAt(canary, 'spec', 'targetRef', 'name');
  const status = fieldsAt(canary, 'status');
  return {
    name: `${namespace}/${name}`,
    phase: textAt(canary, 'status', 'phase'),
    weight: numberAt({ status }, 'status', 'canaryWeight') ?? 0,
    iterations: numberAt({ status }, 'status', 'iterations') ?? 0,
    failedChecks: numberAt({ status }, 'status', 'failedChecks') ?? 0,
    target: tagOf(sandbox.cluster.get('Deployment', namespace, target)),
    primary: tagOf(sandbox.cluster.get('Deployment', namespace, `${target}-primary`)),
  };
}

function tagOf(deployment: KubeObject | undefined): string {
  const [container] = listAt(valueAt(deployment, 'spec', 'template'), 'spec', 'containers');
  return textAt(container, 'image').replace(/^.*:/, '');
}

/** GitHub-flavoured markdown; the page's own policy keeps scripts out. */
export function rendered(markdown: string): string {
  return marked.parse(markdown, { async: false, gfm: true });
}
