import { isAncestor } from '../git/history.ts';
import type { GitHubState } from '../github-state.ts';
import { nodeId, simpleUser } from '../json/accounts.ts';
import { pageOf } from '../pagination.ts';
import type { ActivityState, RepositoryState } from '../repository-state.ts';
import type { ApiAnswer, ApiRequest, Route } from '../router.ts';

const NOWHERE = '0'.repeat(40);

async function typeOf(repository: RepositoryState, { kind, before, after }: ActivityState): Promise<string> {
  if (before === undefined) return 'branch_creation';
  if (after === undefined) return 'branch_deletion';
  if (kind !== 'push') return kind;
  return (await isAncestor(repository.git, before, after)) ? 'push' : 'force_push';
}

/** Who moved which branch from where to where, newest first. Pages go by a cursor, which nobody asks for here. */
async function listActivity(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const ref = request.query.get('ref')?.replace(/^(?!refs\/)/, 'refs/heads/');
  const actor = request.query.get('actor');
  const wanted = repository.activity.filter(
    entry => (ref === undefined || entry.ref === ref) && (actor === null || entry.actor === actor),
  );
  const body = await Promise.all(
    wanted
      .toReversed()
      .slice(0, pageOf(request.query).perPage)
      .map(async entry => ({
        id: entry.id,
        node_id: nodeId('PSH', entry.id),
        before: entry.before ?? NOWHERE,
        after: entry.after ?? NOWHERE,
        ref: entry.ref,
        timestamp: entry.at,
        activity_type: await typeOf(repository, entry),
        actor: simpleUser(state, entry.actor),
      })),
  );
  return { status: 200, body };
}

/** The activity of a repository: GitHub's own record of pushes and merges. */
export function activityRoutes(state: GitHubState): Route[] {
  return [
    {
      method: 'GET',
      template: '/repos/{owner}/{repo}/activity',
      needs: [{ permission: 'contents', access: 'read' }],
      handle: request => listActivity(state, request),
    },
  ];
}
