import { fileURLToPath } from 'node:url';
import { startCluster } from './cluster/embedded-cluster.js';
import { textAt, valueAt, listAt } from './cluster/kube-object.js';
import { startGitHub } from './github/embedded-github.js';
import { canary, deployment, fluxObjects, KUSTOMIZATION, NAMESPACE } from './podinfo.js';
import { startAction } from './runner/run-action.js';
export const ENTRY = fileURLToPath(new URL('../dist/index.js', import.meta.url));
export const ACTION = fileURLToPath(new URL('../action.yml', import.meta.url));
export const SOURCE = 'acme/shop';
export const FLEET = 'acme/fleet';
export const ROLLOUT = `gitops: {repository: ${FLEET}}
target: [${NAMESPACE}/podinfo]
change: [{image: ghcr.io/stefanprodan/podinfo}]
`;
/** An embedded GitHub and an embedded cluster that follows it, with a runner for the built action. */
export class Sandbox {
  github;
  cluster;
  rate;
  rollout;
  running = [];
  runs = 0;
  constructor(on) {
    this.github = on.github;
    this.cluster = on.cluster;
    this.rate = on.rate;
    this.rollout = on.rollout;
  }
  static async start(options = {}) {
    const rate = options.rate ?? 20;
    const [github, cluster] = await Promise.all([startGitHub(options.github), startCluster({ rate })]);
    await github.createRepository(SOURCE, { files: { 'README.md': 'shop\n' } });
    const files = {
      'apps/deployment.yaml': deployment(),
      'apps/canary.yaml': canary(),
      'apps/kustomization.yaml': KUSTOMIZATION,
      ...options.files,
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
  async initialized() {
    await this.cluster.waitUntil('all Canaries initialized', () => {
      const canaries = this.cluster.list('Canary');
      return canaries.length > 0 && canaries.every(each => textAt(each, 'status', 'phase') === 'Initialized');
    });
  }
  /** A new commit of the source repository, as a merge leaves it. */
  async commitSource() {
    this.runs += 1;
    return await this.github.push(SOURCE, {
      files: { VERSION: `${this.runs}\n` },
      message: `Version ${this.runs}`,
    });
  }
  /** Starts the step for a new source commit, or for the one given. */
  async start(options = {}) {
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
  async release(tag, options = {}) {
    const running = await this.start({ ...options, inputs: { set: `image=${tag}`, ...options.inputs } });
    const main = await running.done;
    await running.post();
    return main;
  }
  /** Tag and rollout id of a Deployment's template. */
  template(name) {
    const object = this.cluster.get('Deployment', NAMESPACE, name);
    const template = valueAt(object, 'spec', 'template');
    return {
      tag: textAt(listAt(template, 'spec', 'containers')[0], 'image').replace(/^.*:/, ''),
      id: textAt(template, 'metadata', 'annotations', 'gated-rollout/id'),
    };
  }
  phase(name = 'podinfo') {
    return this.cluster.phase(NAMESPACE, name);
  }
  waitForPhase(phase, name = 'podinfo') {
    return this.cluster.waitUntil(`Canary ${name} is ${phase}`, () => this.phase(name) === phase);
  }
  /** Titles of the GitOps repository's commits, newest first. */
  async titles() {
    return (await this.github.log(FLEET)).map(({ title }) => title);
  }
  /** A file of the GitOps repository's branch. */
  async file(path) {
    return (await this.github.tree(FLEET)).get(path)?.content;
  }
  async close() {
    for (const running of this.running) await running.dispose();
    await this.cluster.close();
    await this.github.close();
  }
}
