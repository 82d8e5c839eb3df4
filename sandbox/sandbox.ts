import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type EmbeddedCluster, startCluster } from './cluster/embedded-cluster.ts';
import { textAt, valueAt, listAt } from './cluster/kube-object.ts';
import { type EmbeddedGitHub, type EmbeddedGitHubOptions, startGitHub } from './github/embedded-github.ts';
import { ImageAutomation } from './image-automation.ts';
import type { Files } from './github/repository-setup.ts';
import { canary, deployment, fluxObjects, KUSTOMIZATION, NAMESPACE } from './podinfo.ts';
import { type FinishedProcess, type RunningAction, startAction, type Step } from './runner/run-action.ts';

export const ENTRY = fileURLToPath(new URL('../dist/index.js', import.meta.url));
export const ACTION = fileURLToPath(new URL('../action.yml', import.meta.url));
export const SOURCE = 'acme/shop';
export const FLEET = 'acme/fleet';

export interface SandboxOptions {
  /** Files of the GitOps repository beside podinfo's; null leaves one of them out. */
  readonly files?: Files | ((cluster: EmbeddedCluster, github: EmbeddedGitHub) => Files);
  /** Further repositories (`acme/faces`), which belong to somebody else. */
  readonly repositories?: Readonly<Record<string, Files>>;
  /** rollout.yaml of the source repository. */
  readonly rollout?: string;
  /** How many times faster than real time cluster and action live; default 20. */
  readonly rate?: number;
  /** Folder that Flux applies; default apps. */
  readonly path?: string;
  /** Further lines of the Kustomization's spec. */
  readonly kustomizationSpec?: string;
  readonly github?: EmbeddedGitHubOptions;
  /** Wait until all Canaries are initialized; default true. */
  readonly initialized?: boolean;
}

export const ROLLOUT = `gitops: {repository: ${FLEET}}
target: [${NAMESPACE}/podinfo]
change: [{image: ghcr.io/stefanprodan/podinfo}]
`;

/** An embedded GitHub and an embedded cluster that follows it, with a runner for the built action. */
export class Sandbox {
  readonly github: EmbeddedGitHub;
  readonly cluster: EmbeddedCluster;
  readonly imageAutomation: ImageAutomation;
  readonly rate: number;
  rollout: string;
  private readonly running: RunningAction[] = [];
  private runs = 0;
  private said = 0;

  private constructor(on: {
    github: EmbeddedGitHub;
    cluster: EmbeddedCluster;
    rate: number;
    rollout: string;
  }) {
    this.github = on.github;
    this.cluster = on.cluster;
    this.imageAutomation = new ImageAutomation({ ...on, repository: FLEET });
    this.rate = on.rate;
    this.rollout = on.rollout;
  }

  static async start(options: SandboxOptions = {}): Promise<Sandbox> {
    const rate = options.rate ?? 20;
    const [github, cluster] = await Promise.all([startGitHub(options.github), startCluster({ rate })]);
    await github.createRepository(SOURCE, { files: { 'README.md': 'shop\n' } });
    for (const [name, theirs] of Object.entries(options.repositories ?? {})) {
      await github.createRepository(name, { files: theirs });
    }
    const files: Files = {
      'apps/deployment.yaml': deployment(),
      'apps/canary.yaml': canary(),
      'apps/kustomization.yaml': KUSTOMIZATION,
      ...(typeof options.files === 'function' ? options.files(cluster, github) : options.files),
    };
    const given = Object.entries(files).filter(([, file]) => file !== null);
    await github.createRepository(FLEET, { files: Object.fromEntries(given) });
    cluster.apply(
      fluxObjects({
        url: github.cloneUrl(FLEET),
        ...(options.path === undefined ? {} : { path: options.path }),
        ...(options.kustomizationSpec === undefined ? {} : { extra: options.kustomizationSpec }),
      }),
    );
    const sandbox = new Sandbox({ github, cluster, rate, rollout: options.rollout ?? ROLLOUT });
    if (options.initialized !== false) await sandbox.initialized();
    return sandbox;
  }

  /** Resolves when Flagger has initialized every Canary. */
  async initialized(): Promise<void> {
    await this.cluster.waitUntil('all Canaries initialized', () => {
      const canaries = this.cluster.list('Canary');
      return canaries.length > 0 && canaries.every(each => textAt(each, 'status', 'phase') === 'Initialized');
    });
  }

  /** A new commit of the source repository, as the merge of a pull request leaves it. */
  async commitSource(): Promise<string> {
    this.runs += 1;
    const version = String(this.runs);
    const pull = await this.github.proposeChange(SOURCE, {
      branch: `version-${version}`,
      files: { VERSION: `${version}\n` },
      title: `Version ${version}`,
    });
    return await this.github.mergePullRequest(SOURCE, pull);
  }

  /** Starts the step for a new source commit, or for the one given. */
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
      rate: this.rate,
      ...options,
      sha,
      env: { GATED_ROLLOUT_CLOCK_RATE: String(this.rate), ...options.env },
      inputs: {
        kubeconfig: this.cluster.kubeconfig,
        'gitops-token': this.github.addToken({ kind: 'app', slug: 'rollout', repositories: [FLEET] }),
        ...options.inputs,
      },
    });
    this.running.push(running);
    return running;
  }

  /** Releases a version and waits for the end of the step; its post step runs after it, as in every job. */
  async release(tag: string, options: Partial<Step> = {}): Promise<FinishedProcess> {
    const running = await this.start({ ...options, inputs: { set: `image=${tag}`, ...options.inputs } });
    const main = await running.done;
    await running.post();
    return main;
  }

  /** Tag and rollout id of a Deployment's template. */
  template(name: string): { readonly tag: string; readonly id: string } {
    const object = this.cluster.get('Deployment', NAMESPACE, name);
    const template = valueAt(object, 'spec', 'template');
    return {
      tag: textAt(listAt(template, 'spec', 'containers')[0], 'image').replace(/^.*:/, ''),
      id: textAt(template, 'metadata', 'annotations', 'gated-rollout/id'),
    };
  }

  phase(name = 'podinfo'): string {
    return this.cluster.phase(NAMESPACE, name);
  }

  waitForPhase(phase: string, name = 'podinfo'): Promise<void> {
    return this.cluster.waitUntil(`Canary ${name} is ${phase}`, () => this.phase(name) === phase);
  }

  /** One more event about each Canary, as a Flagger with many hooks writes them all the time. */
  chatter(): void {
    this.said += 1;
    for (const { metadata } of this.cluster.list('Canary')) {
      const { name, namespace = '', uid = '' } = metadata;
      const time = new Date(this.cluster.clock.now()).toISOString();
      this.cluster.apply(
        stringify({
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `${name}.chatter-${this.said}`, namespace },
          type: 'Normal',
          reason: 'Synced',
          message: `Rollback hook ${this.said} not signaling a rollback`,
          count: 1,
          firstTimestamp: time,
          lastTimestamp: time,
          source: { component: 'flagger' },
          involvedObject: { kind: 'Canary', namespace, name, uid },
        }),
      );
    }
  }

  /** Titles of the GitOps repository's commits, newest first. */
  async titles(): Promise<readonly string[]> {
    return (await this.github.log(FLEET)).map(({ title }) => title);
  }

  /** A file of the GitOps repository's branch. */
  async file(path: string): Promise<string | undefined> {
    return (await this.github.tree(FLEET)).get(path)?.content;
  }

  async close(): Promise<void> {
    await this.imageAutomation.stop();
    for (const running of this.running) await running.dispose();
    await this.cluster.close();
    await this.github.close();
  }
}
