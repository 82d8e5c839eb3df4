import type { Mode } from '../config/settings.ts';

/** A permission as GitHub's API names it (`pull_requests`); in a workflow's `permissions:` it has dashes. */
export interface GitHubPermission {
  readonly name: 'checks' | 'contents' | 'deployments' | 'metadata' | 'pull_requests';
  readonly access: 'read' | 'write';
  /** What it is for, to be read after "for". */
  readonly purpose: string;
  /** What is lost without it; undefined: nothing goes without it. */
  readonly without?: string;
}

/** Of the GitHub App (or the `gitops-token`), on the GitOps repository. */
export const APP_PERMISSIONS = [
  {
    name: 'metadata',
    access: 'read',
    purpose: 'the repository and its rules; GitHub gives it with any other',
  },
  { name: 'contents', access: 'write', purpose: 'the commit of a release and its revert' },
  {
    name: 'pull_requests',
    access: 'write',
    purpose: 'the pull request that asks a person when a revert would overwrite newer changes',
    without: 'that pull request cannot be opened; the report says what to revert by hand',
  },
] as const satisfies readonly GitHubPermission[];

/** Of the job's own token, on the repository of the workflow. */
export const JOB_PERMISSIONS = [
  {
    name: 'contents',
    access: 'read',
    purpose: 'rollout.yaml, and the order of source commits',
  },
  {
    name: 'checks',
    access: 'write',
    purpose: 'the check run',
    without: 'the rollout is shown in the job summary and the comment only',
  },
  {
    name: 'pull_requests',
    access: 'write',
    purpose: 'the comment on the pull request',
    without: 'the rollout is shown in the job summary and the check run only',
  },
  {
    name: 'deployments',
    access: 'write',
    purpose: 'the GitHub Deployment of the input `environment`',
    without: 'no Deployment is made',
  },
] as const satisfies readonly GitHubPermission[];

export type AppPermissions = Readonly<
  Partial<Record<(typeof APP_PERMISSIONS)[number]['name'], 'read' | 'write'>>
>;

/** What tokens of the App are minted with: a plan only reads. */
export function appPermissions(mode: Mode): AppPermissions {
  if (mode === 'plan') return { contents: 'read', metadata: 'read' };
  return Object.fromEntries(APP_PERMISSIONS.map(({ name, access }) => [name, access]));
}

/** Permissions of the App that a run goes without. */
export function isOptional(permission: string): boolean {
  return APP_PERMISSIONS.some(each => each.name === permission && 'without' in each);
}

/** `pull-requests: write`, the line as it stands under `permissions:` of a job. */
export function permissionLine({ name, access }: Pick<GitHubPermission, 'name' | 'access'>): string {
  return `${name.replaceAll('_', '-')}: ${access}`;
}
