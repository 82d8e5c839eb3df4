import { parse } from 'yaml';
import { z } from 'zod';

/**
 * What a security linter for workflows (zizmor) holds against one, as far as it can be told from its text: unpinned-uses,
 * artipacked, excessive-permissions, template-injection, secrets-outside-env, secrets-inherit, dangerous-triggers,
 * cache-poisoning, concurrency-limits. zizmor itself runs in CI.
 */
const stepSchema = z.looseObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const jobSchema = z.looseObject({
  permissions: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
  environment: z.unknown().optional(),
  secrets: z.unknown().optional(),
  uses: z.string().optional(),
  'timeout-minutes': z.number().optional(),
  steps: z.array(stepSchema).optional(),
});
const workflowSchema = z.object({
  on: z.unknown().optional(),
  permissions: z.unknown().optional(),
  concurrency: z.unknown().optional(),
  jobs: z.record(z.string(), jobSchema),
});
type Step = z.infer<typeof stepSchema>;
type Job = z.infer<typeof jobSchema>;

/** Findings in a workflow, or in a list of steps as a page shows it; empty when there are none. */
export function findings(text: string): string[] {
  const document: unknown = parse(text);
  if (Array.isArray(document)) return [...pins(text), ...z.array(stepSchema).parse(document).flatMap(inStep)];
  const workflow = workflowSchema.parse(document);
  const found = pins(text);
  const triggers = JSON.stringify(workflow.on ?? '');
  for (const trigger of ['pull_request_target', 'workflow_run']) {
    if (triggers.includes(`"${trigger}"`))
      found.push(`on: ${trigger} runs with secrets on what others wrote`);
  }
  if (!isEmptyMap(workflow.permissions)) found.push('permissions: not {} for the whole workflow');
  if (workflow.concurrency === undefined) found.push('concurrency: not said');
  for (const [name, job] of Object.entries(workflow.jobs)) {
    found.push(...inJob(job, triggers).map(words => `jobs.${name}: ${words}`));
  }
  return found;
}

function inJob(job: Job, triggers: string): string[] {
  const found = (job.steps ?? []).flatMap(inStep);
  if (typeof job.permissions !== 'object') found.push('permissions: not listed one by one');
  if (job['timeout-minutes'] === undefined && job.uses === undefined) found.push('timeout-minutes: not said');
  if (job.secrets === 'inherit') found.push('secrets: inherit gives all of them away');
  const secrets = JSON.stringify(job).match(/secrets\.(?!GITHUB_TOKEN)\w+/g) ?? [];
  if (secrets.length > 0 && job.environment === undefined) {
    found.push(`${secrets.join(', ')}: outside of an environment`);
  }
  if (triggers.includes('"tags"')) {
    for (const { uses = '', with: inputs } of job.steps ?? []) {
      if (uses.startsWith('actions/setup-') && inputs?.['package-manager-cache'] !== false) {
        found.push(`${uses}: a release takes nothing from a cache`);
      }
    }
  }
  return found;
}

function inStep({ uses = '', run = '', with: inputs }: Step): string[] {
  const found: string[] = [];
  if (uses.startsWith('actions/checkout@') && inputs?.['persist-credentials'] !== false) {
    found.push('actions/checkout: leaves the token in .git/config');
  }
  const script = uses.startsWith('actions/github-script@') ? inputs?.['script'] : undefined;
  if (run.includes('${{') || String(script).includes('${{')) {
    found.push('an expression within a script, where it should be a variable');
  }
  return found;
}

/** `COMMIT` is what pages write for a commit of this repository, which they cannot know. */
function pins(text: string): string[] {
  return [...text.matchAll(/^\s*(?:- )?uses: *(\S+)(.*)$/gm)]
    .filter(([, uses = '', rest = '']) => {
      const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses) || uses === 'OWNER/gated-rollout@COMMIT';
      return !uses.startsWith('./') && !(pinned && /^ # v\d+(\.\d+)*$/.test(rest));
    })
    .map(([line]) => `${line}: not pinned to a commit, with its version beside it`);
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
