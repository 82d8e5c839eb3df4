import { record } from '../build/json.ts';
import type { BuiltObject } from '../build/tree-builder.ts';
import type { TargetRef } from '../rollout/target.ts';
import type { Applier, FluxObjects, FoundObject, SourceRef } from './flux-objects.ts';
import type { Chosen } from './tree-choice.ts';
import { builtBy, DEFAULT_NAMESPACE, type Forest, lineOf, type TreeNode } from './tree-forest.ts';

/** The objects of Flux above one target, as the repository's own tree has them. */
export class TreeFlux implements FluxObjects {
  /** Bootstrap leaves the source out of Git now and then, and so do those who install Flux by an operator. */
  readonly sourcesMayBeHidden = true;
  private readonly forest: Forest;
  private readonly chosen: Chosen;
  private readonly line: readonly TreeNode[];

  constructor(forest: Forest, chosen: Chosen) {
    this.forest = forest;
    this.chosen = chosen;
    this.line = lineOf(chosen.node);
  }

  applierOf(_target: TargetRef): Promise<Applier> {
    const { node, release } = this.chosen;
    return Promise.resolve(release ? named('HelmRelease', release) : named('Kustomization', node));
  }

  find(applier: Applier): Promise<FoundObject | undefined> {
    const { node, release } = this.chosen;
    if (applier.kind === 'HelmRelease') {
      return Promise.resolve(release && found(release, named('Kustomization', node)));
    }
    const at = this.line.find(each => each.namespace === applier.namespace && each.name === applier.name);
    return Promise.resolve(
      at && {
        object: withNamespace(at.object, at.namespace),
        manifest: at.manifest,
        applier: at.parent && named('Kustomization', at.parent),
      },
    );
  }

  source(ref: SourceRef): Promise<unknown> {
    const object = this.forest.source({ ...ref, namespace: ref.namespace || DEFAULT_NAMESPACE }, this.line);
    return Promise.resolve(object && withNamespace(object, ref.namespace || DEFAULT_NAMESPACE));
  }

  /** What the applier builds beside the target. */
  get built(): readonly BuiltObject[] {
    return builtBy(this.chosen.node);
  }
}

function found(release: BuiltObject, applier: Applier): FoundObject {
  const manifest = release.origin?.path;
  return { object: release.data, applier, ...(manifest === undefined ? {} : { manifest }) };
}

function named(
  kind: Applier['kind'],
  { namespace = DEFAULT_NAMESPACE, name }: { readonly namespace?: string; readonly name: string },
): Applier {
  return { kind, namespace, name };
}

function withNamespace(object: TreeNode['object'], namespace: string): unknown {
  return { ...object, metadata: { ...record(object['metadata']), namespace } };
}
