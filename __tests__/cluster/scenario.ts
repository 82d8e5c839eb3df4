import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type EmbeddedGitHub, startGitHub } from '../../sandbox/github/embedded-github.ts';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import {
  type FinishedProcess,
  type RunningAction,
  startAction,
  type Step,
} from '../../sandbox/runner/run-action.ts';
import type { KubeObject } from '../../testbed/kube-api.ts';
import type { Testbed } from '../../testbed/start.ts';
import { fluxObjects } from '../testbed/podinfo.ts';
import { type CanaryOptions, type Fields, folder } from './folder.ts';
import { knativeTemplate } from './knative-objects.ts';

export const ENTRY = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
export const ACTION = fileURLToPath(new URL('../../action.yml', import.meta.url));
export const SOURCE = 'acme/shop';
export const FLEET = 'acme/fleet';

const minute = 60_000;
const SOURCES = 'apis/source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'apis/kustomize.toolkit.fluxcd.io/v1';
const canarySchema = z.object({
  metadata: z.object({ uid: z.string() }),
  spec: z.looseObject({}),
  status: z
    .looseObject({
      phase: z.string().default(''),
      canaryWeight: z.number().default(0),
      lastAppliedSpec: z.string().default(''),
      lastPromotedSpec: z.string().default(''),
    })
    .prefault({}),
});
const workloadSchema = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
    }),
  }),
});

export interface ScenarioOptions {
  readonly testbed: Testbed;
  readonly namespace: string;
  /** Default: podinfo, weighted by NGINX. */
  readonly canaries?: readonly CanaryOptions[];
  /** Beside what the canaries need; null leaves a file out. */
  readonly files?: Files | ((github: EmbeddedGitHub) => Files);
  /** Further repositories (`acme/faces`), which belong to somebody else. */
  readonly repositories?: Readonly<Record<string, Files>>;
  readonly rollout?: string;
  /** Folder that Flux applies; default `./apps`. */
  readonly path?: string;
  /** Further fields of the Kustomization's spec. */
  readonly kustomization?: Fields;
  /** Applied before Flux is told of the repository, as somebody else's objects. */
  readonly objects?: readonly KubeObject[];
  /** Whether Flux is told of the repository at all; default true. */
  readonly flux?: boolean;
  /** Wait until Flagger has initialized the canaries; default true. */
  readonly initialized?: boolean;
}

/** One GitHub, one namespace of the real control plane, and the built action. */
export class ClusterScenario {
  readonly github: EmbeddedGitHub;
  readonly testbed: Testbed;
  readonly namespace: string;
  /** Names of the Canaries. */
  readonly canaryNames: readonly string[];
  rollout: string;
  private readonly running: RunningAction[] = [];
  private readonly uids = new Map<string, string>();
  private runs = 0;

  private constructor(
    on: { readonly github: EmbeddedGitHub; readonly rollout: string } & Pick<
      ScenarioOptions,
      'testbed' | 'namespace' | 'canaries'
    >,
  ) {
    this.github = on.github;
    this.testbed = on.testbed;
    this.namespace = on.namespace;
    this.rollout = on.rollout;
    this.canaryNames = (on.canaries ?? [{}]).map(({ name = 'podinfo' }) => name);
  }

  static async start(options: ScenarioOptions): Promise<ClusterScenario> {
    const { testbed, namespace } = options;
    const github = await startGitHub();
    await github.createRepository(SOURCE, { files: { 'README.md': 'shop' } });
    for (const [name, theirs] of Object.entries(options.repositories ?? {})) {
      await github.createRepository(name, { files: theirs });
    }
    const all: Files = {
      ...folder({
        namespace,
        server: testbed.metrics.server(namespace),
        ...(options.canaries ? { canaries: options.canaries } : {}),
      }),
      ...(typeof options.files === 'function' ? options.files(github) : options.files),
    };
    const files = Object.fromEntries(Object.entries(all).filter(([, file]) => file !== null));
    await github.createRepository(FLEET, { files });
    const rollout = options.rollout ?? rolloutOf(namespace);
    const scenario = new ClusterScenario({ ...options, github, rollout });
    for (const name of scenario.canaryNames) scenario.setMetric(100, name);
    const path = options.path ?? './apps';
    for (const object of fluxObjects({ namespace, url: github.cloneUrl(FLEET), path })) {
      if (object.kind === 'Namespace') {
        await testbed.api.apply(object);
        for (const other of options.objects ?? []) await testbed.api.apply(other);
      } else if (options.flux !== false) {
        const spec = { ...(object['spec'] as Fields) };
        await testbed.api.apply({
          ...object,
          spec: object.kind === 'Kustomization' ? { ...spec, ...options.kustomization } : spec,
        });
      }
    }
    if (options.initialized !== false) await scenario.initialized();
    return scenario;
  }

  /** Resolves when Flagger has initialized every Canary, and remembers which ones they are. */
  async initialized(): Promise<void> {
    for (const name of this.canaryNames) {
      await this.waitForPhase('Initialized', name);
      this.uids.set(name, (await this.canary(name))?.metadata.uid ?? '');
    }
  }

  /** Uids of the Canaries as they were when they were initialized. */
  get canaryUids(): ReadonlyMap<string, string> {
    return this.uids;
  }

  /** A new commit of the source repository. */
  async commitSource(): Promise<string> {
    this.runs += 1;
    const files = { VERSION: String(this.runs) };
    return await this.github.push(SOURCE, { files, message: `Version ${this.runs}` });
  }

  /** Starts the action for a new source commit, or for one that is given. */
  async start(options: Partial<Step> = {}): Promise<RunningAction> {
    const sha = options.sha ?? (await this.commitSource());
    this.runs += 1;
    const running = await startAction({
      entry: ENTRY,
      action: ACTION,
      token: this.github.addToken({ kind: 'actions', repository: SOURCE }),
      repository: SOURCE,
      event: { name: 'push', payload: {} },
      apiUrl: this.github.apiUrl,
      serverUrl: this.github.serverUrl,
      workspace: { 'rollout.yaml': this.rollout },
      runId: 1000 + this.runs,
      ...options,
      sha,
      inputs: {
        kubeconfig: this.testbed.kubeconfig,
        'gitops-token': this.github.addToken({ kind: 'app', slug: 'rollout', repositories: [FLEET] }),
        'back-timeout': '3m',
        ...options.inputs,
      },
    });
    this.running.push(running);
    return running;
  }

  /** Releases a version and waits for the end of the step and of its post step. */
  async release(tag: string, options: Partial<Step> = {}): Promise<FinishedProcess> {
    const running = await this.start({ ...options, inputs: { set: `image=${tag}`, ...options.inputs } });
    const main = await running.done;
    await running.post();
    return main;
  }

  canary(name = 'podinfo'): Promise<z.infer<typeof canarySchema> | undefined> {
    return this.object('apis/flagger.app/v1beta1', 'canaries', name, canarySchema);
  }

  /** Image tag and rollout id of a workload's template; `services` are Knative's. */
  async template(
    name: string,
    plural: 'deployments' | 'daemonsets' | 'services' = 'deployments',
  ): Promise<{ readonly image: string; readonly id: string | undefined }> {
    if (plural === 'services') return await knativeTemplate(this, name);
    const found = await this.object('apis/apps/v1', plural, name, workloadSchema);
    const { template } = found?.spec ?? {};
    return {
      image: template?.spec.containers[0]?.image.replace(/^.*:/, '') ?? '',
      id: template?.metadata.annotations?.['gated-rollout/id'],
    };
  }

  async waitForPhase(phase: string, name = 'podinfo', timeoutMs = 4 * minute): Promise<void> {
    await this.waitUntil(
      `phase ${phase} of ${name}`,
      async () => (await this.canary(name))?.status.phase === phase,
      timeoutMs,
    );
  }

  async waitUntil(what: string, holds: () => Promise<boolean>, timeoutMs = 4 * minute): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!(await holds().catch(() => false))) {
      if (Date.now() > end) {
        const said = this.running.map(({ log }) => log.text.slice(-2_000)).join('\n');
        throw new Error(`${this.namespace}: no ${what} within ${timeoutMs / 1000} s\n${said}`);
      }
      await sleep(200);
    }
  }

  /** What the metric of a canary says from now on, in per cent; Prometheus knows it a second later. */
  setMetric(value: number, name = 'podinfo'): void {
    this.testbed.metrics.set('success_rate', { namespace: this.namespace, canary: name }, value);
  }

  /** The same, and Prometheus knows it. */
  async metric(value: number, name = 'podinfo'): Promise<void> {
    this.setMetric(value, name);
    await this.testbed.metrics.settled();
  }

  /** A commit of somebody else to the GitOps repository, and Flux is asked to look. */
  async push(files: Files, message: string): Promise<string> {
    const sha = await this.github.push(FLEET, { files, message });
    await this.reconcile();
    return sha;
  }

  async reconcile(): Promise<void> {
    await this.patchFlux('gitrepositories', {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
    });
  }

  /** A merge patch of the scenario's GitRepository or Kustomization, as by hand. */
  async patchFlux(plural: 'gitrepositories' | 'kustomizations', body: unknown): Promise<void> {
    const [api, name] = plural === 'gitrepositories' ? [SOURCES, 'fleet'] : [KUSTOMIZE, 'apps'];
    await this.patch(`/${api}/namespaces/${this.namespace}/${plural}/${name}`, body);
  }

  /** A merge patch of a Canary, as by hand. */
  async patchCanary(body: unknown, name = 'podinfo'): Promise<void> {
    await this.patch(`/apis/flagger.app/v1beta1/namespaces/${this.namespace}/canaries/${name}`, body);
  }

  async patch(path: string, body: unknown): Promise<void> {
    await this.testbed.api.send({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
  }

  /** A file of the GitOps repository's branch. */
  async file(path: string): Promise<string | undefined> {
    return (await this.github.tree(FLEET)).get(path)?.content;
  }

  /** Titles of the GitOps repository's commits, newest first. */
  async titles(): Promise<readonly string[]> {
    return (await this.github.log(FLEET)).map(({ title }) => title);
  }

  async end(): Promise<void> {
    for (const running of this.running) await running.dispose();
    await this.github.close();
  }

  async object<T>(api: string, plural: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const path = `/${api}/namespaces/${this.namespace}/${plural}/${name}`;
    const parsed = schema.safeParse(await this.testbed.api.send({ path }).catch(() => undefined));
    return parsed.data;
  }
}

/** The least rollout.yaml for an image of podinfo, with further lines. */
export function rolloutOf(namespace: string, more = ''): string {
  return `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [{image: ghcr.io/stefanprodan/podinfo}]\n${more}`;
}
