import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { startGitHub } from '../../sandbox/github/embedded-github.js';
import { startAction } from '../../sandbox/runner/run-action.js';
import { deployment, fluxObjects, surroundings } from '../testbed/podinfo.js';
export const ENTRY = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
export const ACTION = fileURLToPath(new URL('../../action.yml', import.meta.url));
export const SOURCE = 'acme/shop';
export const FLEET = 'acme/fleet';
const minute = 60_000;
const canarySchema = z.object({
  spec: z.looseObject({}),
  status: z.looseObject({ phase: z.string().optional(), canaryWeight: z.number().optional() }).optional(),
});
const workloadSchema = z.object({
  spec: z.object({
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).optional() }),
      spec: z.object({ containers: z.array(z.object({ image: z.string() })) }),
    }),
  }),
});
/** One GitHub, one namespace, one canary of the real control plane, and the built action. */
export class ClusterScenario {
  github;
  testbed;
  namespace;
  rollout;
  running = [];
  runs = 0;
  constructor(on) {
    this.github = on.github;
    this.testbed = on.testbed;
    this.namespace = on.namespace;
    this.rollout = on.rollout;
  }
  static async start(options) {
    const { testbed, namespace } = options;
    const github = await startGitHub();
    await github.createRepository(SOURCE, { files: { 'README.md': 'shop' } });
    await github.createRepository(FLEET, {
      files: {
        'apps/deployment.yaml': deployment({ tag: '6.14.0', rolloutId: '0' }),
        'apps/canary.yaml': surroundings({ namespace, metricsServer: testbed.metrics.server(namespace) }),
        ...options.files,
      },
    });
    testbed.metrics.set('success_rate', { namespace }, 100);
    for (const object of fluxObjects({ namespace, url: github.cloneUrl(FLEET), path: './apps' })) {
      await testbed.api.apply(object);
    }
    const rollout =
      options.rollout ??
      `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [{image: ghcr.io/stefanprodan/podinfo}]\n`;
    const scenario = new ClusterScenario({ github, testbed, namespace, rollout });
    if (options.initialized !== false) await scenario.waitForPhase('Initialized');
    return scenario;
  }
  /** Starts the action for a new source commit, or for one that is given. */
  async start(options = {}) {
    this.runs += 1;
    const sha =
      options.sha ??
      (await this.github.push(SOURCE, {
        files: { VERSION: String(this.runs) },
        message: `Version ${this.runs}`,
      }));
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
  async release(tag, options = {}) {
    const running = await this.start({ ...options, inputs: { set: `image=${tag}`, ...options.inputs } });
    const main = await running.done;
    await running.post();
    return main;
  }
  canary() {
    return this.object('/apis/flagger.app/v1beta1', 'canaries', 'podinfo', canarySchema);
  }
  /** Image and rollout id of a workload's template. */
  async template(name) {
    const found = await this.object('/apis/apps/v1', 'deployments', name, workloadSchema);
    const { template } = found?.spec ?? {};
    return {
      image: template?.spec.containers[0]?.image.replace(/^.*:/, '') ?? '',
      id: template?.metadata.annotations?.['gated-rollout/id'],
    };
  }
  async waitForPhase(phase, timeoutMs = 3 * minute) {
    await this.waitUntil(
      `phase ${phase}`,
      async () => (await this.canary())?.status?.phase === phase,
      timeoutMs,
    );
  }
  async waitUntil(what, holds, timeoutMs = 3 * minute) {
    const end = Date.now() + timeoutMs;
    while (!(await holds().catch(() => false))) {
      if (Date.now() > end) throw new Error(`${this.namespace}: no ${what} within ${timeoutMs / 1000} s`);
      await sleep(250);
    }
  }
  /** Titles of the GitOps repository's commits, newest first. */
  async titles() {
    return (await this.github.log(FLEET)).map(({ title }) => title);
  }
  async patch(path, body) {
    await this.testbed.api.send({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
  }
  async end() {
    for (const running of this.running) await running.dispose();
    await this.github.close();
  }
  async object(api, plural, name, schema) {
    const path = `${api}/namespaces/${this.namespace}/${plural}/${name}`;
    const parsed = schema.safeParse(await this.testbed.api.send({ path }).catch(() => undefined));
    return parsed.data;
  }
}
