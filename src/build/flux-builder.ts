import { createHash } from 'node:crypto';
import { BuildThread, type Ran } from './build-thread.ts';
import { parseAnswer } from './build-answer.ts';
import { KnownFiles } from './known-files.ts';
import { BuildLimits } from './limits.ts';
import type { RepositoryFiles } from './repository-files.ts';
import { type Mount, SourceTree } from './source-tree.ts';
import type { ArtifactRules, Build, BuildQuery, TreeBuilder, VariableSource } from './tree-builder.ts';

/** Flux's own build, as WebAssembly, in a thread of its own. */
export class FluxBuilder implements TreeBuilder {
  private readonly limits: BuildLimits;
  private readonly known = new WeakMap<RepositoryFiles, KnownFiles>();
  private readonly answered = new WeakMap<RepositoryFiles, Map<string, Promise<Build>>>();
  private thread: BuildThread | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private builds = 0;

  constructor(limits = new BuildLimits()) {
    this.limits = limits;
  }

  build(query: BuildQuery): Promise<Build> {
    const answers = this.answered.get(query.files) ?? new Map<string, Promise<Build>>();
    this.answered.set(query.files, answers);
    const key = keyOf(query);
    const before = answers.get(key);
    if (before) return before;
    const build = this.turn.then(() => this.once(query));
    this.turn = build.catch(() => undefined);
    answers.set(key, build);
    // What could not be read may be readable later.
    build.catch(() => answers.delete(key));
    return build;
  }

  async close(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.end();
  }

  private async once(query: BuildQuery): Promise<Build> {
    this.builds += 1;
    if (this.builds > this.limits.builds) {
      return { kind: 'too-large', words: `more than ${this.limits.builds} builds were needed` };
    }
    const files = this.knownOf(query.files);
    const rules = query.artifact ?? {};
    const tree = new SourceTree(files, {
      overlay: query.overlay ?? new Map(),
      rules,
      mounts: this.mountsOf(rules),
      limits: this.limits,
    });
    // It loads while the repository is asked.
    this.thread ??= new BuildThread(this.limits);
    const { thread } = this;
    await files.prefetch(specPath(query.kustomization));
    const ran = await thread.run(programQuery(query), tree);
    if (ran.kind !== 'answer') await this.close();
    return asBuild(ran, tree);
  }

  private mountsOf(rules: ArtifactRules): readonly Mount[] {
    return (rules.include ?? []).map(({ name, fromPath, toPath, files }) => ({
      name,
      fromPath: normal(fromPath),
      toPath: normal(toPath),
      files: files && this.knownOf(files),
    }));
  }

  private knownOf(files: RepositoryFiles): KnownFiles {
    const known = this.known.get(files) ?? new KnownFiles(files);
    this.known.set(files, known);
    return known;
  }
}

function asBuild(ran: Ran, tree: SourceTree): Build {
  switch (ran.kind) {
    case 'failed':
      throw ran.error;
    case 'answer':
      return tree.trouble ?? parseAnswer(ran.json, tree.reached);
    case 'too-slow':
      return { kind: 'too-large', words: 'building it takes too long' };
    case 'too-big':
      return { kind: 'too-large', words: 'building it takes too much memory' };
    case 'crashed':
      return { kind: 'unsupported', words: `the builder broke down: ${ran.words}` };
    case 'ended':
      return { kind: 'unsupported', words: 'the builder was ended before it was done' };
  }
}

/**
 * What the build reads of spec (kustomize_generator.go, kustomization_controller.go). An interval, a status or a label
 * makes no other question.
 */
const SPEC_FIELDS = [
  'path',
  'targetNamespace',
  'namePrefix',
  'nameSuffix',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'components',
  'ignoreMissingComponents',
  'images',
  'buildMetadata',
  'postBuild',
  'commonMetadata',
];

/** As flux-build/build.go reads it. */
function programQuery(query: BuildQuery): string {
  const { kustomization, artifact, substituteFrom = [], strictSubstitution = false, explain = false } = query;
  const spec = field(kustomization, 'spec');
  const given = SPEC_FIELDS.map(name => [name, field(spec, name)] as const);
  const namespace = field(field(kustomization, 'metadata'), 'namespace');
  return JSON.stringify({
    kustomization: { metadata: { namespace }, spec: Object.fromEntries(given) },
    explain,
    ignore: artifact?.ignore ?? '',
    variables: substituteFrom.map(variableOf),
    strict: strictSubstitution,
  });
}

function variableOf({ kind, name, content }: VariableSource): object {
  switch (content.kind) {
    case 'data':
      return { kind, name, data: content.data };
    case 'keys':
      return { kind, name, keys: content.keys };
    case 'absent':
      return { kind, name, absent: true };
  }
}

function keyOf(query: BuildQuery): string {
  const { sparseCheckout, recurseSubmodules, include } = query.artifact ?? {};
  const included = include?.map(({ name, fromPath, toPath, files }) => [name, fromPath, toPath, files?.head]);
  const overlay = [...(query.overlay ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const all = [programQuery(query), overlay, sparseCheckout, recurseSubmodules, included];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

function specPath(kustomization: unknown): string {
  const path = field(field(kustomization, 'spec'), 'path');
  return normal(typeof path === 'string' ? path : '');
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

function normal(path: string): string {
  return path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/');
}
