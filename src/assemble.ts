import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as core from '@actions/core';
import { Cluster } from './cluster/run-cluster.ts';
import { FlaggerGauge, type FlaggerService } from './cluster/flagger-gauge.ts';
import { createKubeClient, type KubeClient } from './cluster/kube-client.ts';
import { loadKubeconfig } from './cluster/login/kubeconfig.ts';
import type { RunPurpose } from './config/event-mode.ts';
import { FluxBuilder } from './build/flux-builder.ts';
import type { TreeBuilder } from './build/tree-builder.ts';
import type { Inputs, RepositoryName, RolloutFile } from './config/settings.ts';
import { CheckRunSink } from './github/check-run.ts';
import { createClientTransport, createGitHubClient, type GitHubClient } from './github/client.ts';
import { DeploymentSink } from './github/deployment.ts';
import { checkReach } from './github/tokens/gitops-reach.ts';
import { gitopsAccess } from './github/tokens/gitops-tokens.ts';
import { ownLogin } from './github/own-login.ts';
import { PullRequestCommentSink } from './github/pull-request-comment.ts';
import { pullRequestsOf } from './github/pull-requests.ts';
import { checkTokenLife } from './github/tokens/token-life.ts';
import { renamedRepository } from './github/renamed-repository.ts';
import { givenToken, type TokenSource } from './github/tokens/token-source.ts';
import { readBranchRules } from './gitops/branch-rules.ts';
import { FolderFiles } from './gitops/folder-files.ts';
import { GitOpsRepository } from './gitops/git-ops-repository.ts';
import { requireAllowedSource } from './gitops/allowed-source.ts';
import { type OurRepository, sameRepository } from './gitops/same-repository.ts';
import { originOfSource, relation } from './gitops/source-relation.ts';
import { ReleasePlanner } from './plan/planner.ts';
import { Reporter } from './report/reporter.ts';
import { HtmlReportSink } from './report/html/html-report-sink.ts';
import { SummarySink } from './report/summary-sink.ts';
import type { Clock } from './rollout/ports.ts';
import type { Memory } from './run/memory.ts';
import { objectsOf } from './run/observed-objects.ts';
import type { RunParts, RunReporter, SourceOrigin } from './run/parts.ts';
import { keptSecrets, publicNames, SecretKeepingPlanner } from './run/secret-keeping-planner.ts';
import { HiddenValues } from './secrets/hidden-values.ts';
import { TreeSecrets } from './secrets/tree-secrets.ts';
import type { Log } from './runtime/log.ts';
import type { ReportIds } from './runtime/outputs.ts';
import { saveTokens } from './runtime/saved-state.ts';
import type { WorkflowRun } from './runtime/workflow-run.ts';

export interface Assembly {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inputs: Inputs;
  readonly run: WorkflowRun;
  readonly rollout: RolloutFile;
  readonly purpose: RunPurpose;
  readonly clock: Clock;
  readonly cancel: AbortSignal;
  readonly log: Log;
  readonly remember: (memory: Memory) => void;
  readonly mayWrite: () => Promise<void>;
  /** Tokens of main that the post step may have to revoke, as main has saved them. */
  readonly sealedTokens?: string | undefined;
  /** Reports of this run go on where another process began them. */
  readonly resumed: boolean;
}

export interface Assembled {
  readonly parts: RunParts;
  /** Who made the source commit: releasing one of our own would start the next one, for ever. */
  readonly originOfSource: () => Promise<SourceOrigin>;
  /** Of the newest check run and comment that were written. */
  readonly ids: () => ReportIds;
  readonly requests: () => number;
  close(): Promise<void>;
}

/** The only place where the parts of the action meet. */
export function assemble(on: Assembly): Assembled {
  const { env, inputs, run, rollout, purpose, clock } = on;
  const startedAt = clock.now();
  const secrets = new TreeSecrets(new HiddenValues(publicNames(rollout, run.repository)));
  const random = Math.random;
  const mask = (secret: string): void => core.setSecret(secret);
  let requests = 0;
  const onRequest = () => {
    requests += 1;
  };
  const fetch = createClientTransport({ env, clock, onRequest });
  const client = (apiUrl: string, tokens: TokenSource): GitHubClient =>
    createGitHubClient({ apiUrl, tokens, clock, random, env, fetch, warn: message => on.log.debug(message) });

  const repository = rollout.gitops.repository ?? run.repository;
  const access = gitopsAccess({
    inputs,
    ownApiUrl: run.apiUrl,
    repository,
    mode: purpose.mode,
    fetch,
    clock,
    mask,
    keep: saveTokens,
    sealed: on.sealedTokens,
    warn: message => on.log.warning(message),
  });
  const source = client(run.apiUrl, givenToken(inputs.token));
  const gitops = client(access.apiUrl, access.tokens);
  const login = once(() => ownLogin(gitops));
  const reportLogin = once(() => ownLogin(source));

  let kube: KubeClient | undefined;
  const host = hostOf(inputs.gitopsApiUrl ?? run.serverUrl);
  const ours = { repository, host, isRenamed: renamedRepository(gitops, repository) };
  const isOurs = (url: string): Promise<boolean> => sameRepository(url, ours);
  const cluster = once(() => {
    const connection = createKubeClient({
      load: () => loadKubeconfig({ kubeconfig: inputs.kubeconfig, context: inputs.kubeContext, mask }),
      env,
      mask,
      say: line => on.log.info(line),
    });
    kube = connection;
    const gauge = inputs.flaggerMetrics && gaugeOf(kube, inputs.flaggerMetrics, on.log);
    const objects = objectsOf(rollout);
    const { flaggerMetrics: flagger, metricsNamespaces } = inputs;
    const name = `${repository.owner}/${repository.repo} on ${host}`;
    const what = { rollout, objects, flagger, metricsNamespaces, repository: name, isOurs };
    return new Cluster({ kube: connection, clock, random, gauge, ...what });
  });

  const builder = new FluxBuilder();
  let ids: ReportIds = { checkRun: undefined, comment: undefined };
  const pulls = once(async () =>
    purpose.pullRequests.length > 0 || purpose.commits.length === 0
      ? purpose.pullRequests
      : await pullRequestsOf({ client: source, repository: run.repository, commits: purpose.commits }),
  );
  const used = { requests: () => requests };
  const localSinks = [
    ...(env['GITHUB_STEP_SUMMARY'] === undefined
      ? []
      : [new SummarySink({ file: env['GITHUB_STEP_SUMMARY'], ...used })]),
    ...(inputs.reportFile === undefined
      ? []
      : [new HtmlReportSink({ file: resolve(run.workspace, inputs.reportFile), ...used })]),
  ];
  const reporterFor = (of: { readonly id: string; readonly sourceSha: string }): RunReporter => {
    const ours = of.sourceSha === purpose.sourceSha;
    let checkUrl: string | undefined;
    const reporter = new Reporter({
      clock,
      log: on.log,
      sinks: [
        ...localSinks,
        new CheckRunSink({
          client: source,
          repository: run.repository,
          sha: of.sourceSha,
          name: `${purpose.mode === 'plan' ? 'rollout plan' : 'rollout'} / ${rollout.name}`,
          externalId: of.id,
          resumed: on.resumed || !ours,
          onId: (checkRun, url) => {
            checkUrl = url;
            if (ours) ids = { ...ids, checkRun };
          },
        }),
        new PullRequestCommentSink({
          client: source,
          repository: run.repository,
          pullRequests: ours
            ? pulls
            : () => pullRequestsOf({ client: source, repository: run.repository, commits: [of.sourceSha] }),
          ownLogin: reportLogin,
          checkUrl: () => checkUrl,
          onId: comment => {
            if (ours) ids = { ...ids, comment };
          },
        }),
        ...(inputs.environment === undefined || purpose.mode === 'plan'
          ? []
          : [
              new DeploymentSink({
                client: source,
                repository: run.repository,
                sha: of.sourceSha,
                environment: inputs.environment,
                rolloutId: of.id,
                resumed: on.resumed || !ours,
              }),
            ]),
      ],
    });
    return {
      update: view => reporter.update(secrets.values.hideIn(view)),
      finish: view => reporter.finish(secrets.values.hideIn(view)),
    };
  };

  const parts: RunParts = {
    run: {
      repository: `${run.repository.owner}/${run.repository.repo}`,
      sha: purpose.sourceSha,
      url: run.runUrl,
      id: run.runId,
      attempt: run.runAttempt,
    },
    inputs,
    rollout,
    clock,
    random,
    cancel: on.cancel,
    cluster: {
      trace: async () => await cluster().trace(),
      preflight: async chains => await cluster().preflight(chains),
      missingSecrets: async objects => await cluster().missingSecrets(objects),
      metricsNow: async plan => await cluster().metricsNow(plan),
      dryRun: async objects => await cluster().dryRun(objects),
      automations: async chains => await cluster().automations(chains),
      changeHold: async (automation, next) => await cluster().changeHold(automation, next),
      checkMayHold: async automation => await cluster().checkMayHold(automation),
      view: query => cluster().view(query),
    },
    openRepository: async branch => {
      const identity = { login: await login(), warn: (message: string) => on.log.warning(message) };
      if (inputs.gitops.kind === 'job' && !same(repository, run.repository)) {
        await checkReach({ client: gitops, repository, own: run.repository, login: identity.login });
      }
      return {
        name: { repository: `${repository.owner}/${repository.repo}`, branch },
        gitops: new GitOpsRepository({ client: gitops, repository, branch, ...identity }),
        check: async ({ verifies }) => {
          const { signatures, warnings } = await readBranchRules({ client: gitops, repository, branch });
          return { mustBeVerified: signatures || verifies, warnings };
        },
      };
    },
    planner: plannerOf(on, { builder, secrets }),
    secrets: keptSecrets(secrets),
    ...(purpose.withoutSecrets ? { workspaceOnly: workspaceOf(run, { repository, host, builder }) } : {}),
    reporterFor,
    say: line => on.log.info(secrets.values.hide(line)),
    remember: on.remember,
    mayWrite: on.mayWrite,
    requireAllowedSource: mode =>
      requireAllowedSource({
        client: source,
        repository: run.repository,
        purpose,
        mode,
        allowed: inputs.branches,
      }),
    sourceRelation: delivered => relation(source, run.repository, delivered, purpose.sourceSha),
    checkTokenLife: neededMs => checkTokenLife({ tokens: [access.tokens], neededMs, now: clock.now() }),
    startedAt,
  };
  return {
    parts,
    originOfSource: async () => {
      if (!same(repository, run.repository)) return 'foreign';
      const { sourceSha: sha } = purpose;
      const branch = rollout.gitops.branch ?? run.ref.replace(/^refs\/heads\//, '');
      return await originOfSource({ client: gitops, repository, branch, sha, login: await login() });
    },
    ids: () => ids,
    requests: () => requests,
    close: async () => {
      await Promise.all([kube?.close(), access.revoke()]);
    },
  };
}

/** What a run without secrets can look at: the GitOps repository, where it is the one that was checked out. */
function workspaceOf(
  run: WorkflowRun,
  ours: OurRepository & { readonly builder: FluxBuilder },
): NonNullable<RunParts['workspaceOnly']> {
  const name = `${ours.repository.owner}/${ours.repository.repo}`;
  if (same(run.repository, ours.repository)) {
    const isOurs = (url: string): Promise<boolean> => sameRepository(url, ours);
    const tree = { builder: ours.builder, isOurs, repository: `${name} on ${ours.host}` };
    return { files: new FolderFiles(run.workspace, run.sha), tree };
  }
  const impossible = `This run comes from a fork or Dependabot and has no secrets, and the GitOps repository ${name} is another one: there is nothing to plan from.`;
  return { impossible };
}

function gaugeOf(kube: KubeClient, service: FlaggerService, log: Log): FlaggerGauge {
  const onMissing = (why: string): void =>
    log.info(
      `Metric values are shown as far as Flagger speaks of them; its own metrics cannot be read: ${why} (input flagger-metrics).`,
    );
  return new FlaggerGauge({ kube, service, onMissing });
}

function plannerOf(
  { rollout, purpose }: Assembly,
  { builder, secrets }: { readonly builder: TreeBuilder; readonly secrets: TreeSecrets },
): RunParts['planner'] {
  const planner = new ReleasePlanner({ rollout, sourceSha: purpose.sourceSha, builder });
  return new SecretKeepingPlanner(planner, { secrets, rollout });
}

/** The host that Git URLs have: `api.github.com` serves what lies on github.com. */
function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^api\./, '');
}

function same(one: RepositoryName, other: RepositoryName): boolean {
  return `${one.owner}/${one.repo}`.toLowerCase() === `${other.owner}/${other.repo}`.toLowerCase();
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The file's text; undefined when there is none. */
export function readWorkspaceFile(workspace: string, path: string): string | undefined {
  try {
    return readFileSync(resolve(workspace, path), 'utf8');
  } catch {
    return undefined;
  }
}
