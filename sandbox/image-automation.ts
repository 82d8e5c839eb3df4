import type { EmbeddedCluster } from './cluster/embedded-cluster.ts';
import { type KubeObject, textAt, valueAt } from './cluster/kube-object.ts';
import type { EmbeddedGitHub } from './github/embedded-github.ts';

const FLUXBOT = { name: 'fluxbot', email: 'fluxbot@example.com' };
/** How often it looks, ms of the cluster's time. */
const INTERVAL_MS = 5_000;

/** An ImageUpdateAutomation of the sandbox's fleet. */
export function imageUpdateAutomation(
  options: { readonly name?: string; readonly path?: string; readonly push?: string } = {},
): string {
  const { name = 'podinfo', path = './apps', push } = options;
  return `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: ${name}, namespace: flux-system}
spec:
  interval: 1m
  sourceRef: {kind: GitRepository, name: fleet}
  git:
    commit: {author: {name: fluxbot, email: fluxbot@example.com}}
${push === undefined ? '' : `    push: {branch: ${push}}\n`}  update: {strategy: Setters, path: ${path}}
`;
}

/**
 * image-automation-controller, as far as rollouts have to do with it: lines with an `$imagepolicy` marker are made to
 * say the newest version, in a commit of its own, again and again as long as it is not suspended.
 */
export class ImageAutomation {
  private readonly on: {
    readonly github: EmbeddedGitHub;
    readonly cluster: EmbeddedCluster;
    readonly repository: string;
  };
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private version = '';

  constructor(on: ImageAutomation['on']) {
    this.on = on;
  }

  /** The newest version that its policy finds, from now on. */
  finds(version: string): void {
    this.version = version;
    this.running ??= this.loop();
  }

  /** One reconciliation of all automations. */
  async reconcile(): Promise<void> {
    for (const automation of this.on.cluster.list('ImageUpdateAutomation')) await this.update(automation);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.reconcile();
      await this.on.cluster.clock.sleep(INTERVAL_MS, signal);
    }
  }

  private async update(automation: KubeObject): Promise<void> {
    if (valueAt(automation, 'spec', 'suspend') === true) return;
    const { github, repository } = this.on;
    const folder = textAt(automation, 'spec', 'update', 'path').replace(/^\.\//, '');
    const changed: Record<string, string> = {};
    for (const [path, { content }] of await github.tree(repository)) {
      if (!path.startsWith(folder)) continue;
      const text = content
        .split('\n')
        .map(line => this.set(line))
        .join('\n');
      if (text !== content) changed[path] = text;
    }
    if (Object.keys(changed).length === 0) return;
    await github.push(repository, {
      files: changed,
      message: `Update from image update automation\n\nFiles:\n${Object.keys(changed).join('\n')}`,
      author: FLUXBOT,
    });
  }

  private set(line: string): string {
    if (!line.includes('$imagepolicy')) return line;
    const comment = line.indexOf('#');
    const code = line.slice(0, comment);
    const value = line.includes(':tag"')
      ? code.replace(/(:\s*"?)[^\s"]+("?\s*)$/, `$1${this.version}$2`)
      : code.replace(/:[^\s":/]+("?\s*)$/, `:${this.version}$1`);
    return `${value}${line.slice(comment)}`;
  }
}
