import { posix } from 'node:path';
import { items, record, text } from '../build/json.ts';
import { ID_PATCH_HEADER, type TargetKey } from '../rollout/target.ts';
import { YamlText } from '../edit/yaml-text.ts';
import type { PatchedWorkload } from './changes/wanted.ts';
import { TEMPLATE_ANNOTATIONS, withAnnotations } from './patch-list.ts';
import type { IdWay } from './sources/target-source.ts';
import type { Layer } from './tree/layers.ts';
import type { Manifest } from './tree/manifests.ts';

interface Placing {
  readonly target: TargetKey;
  readonly annotations: Readonly<Record<string, string>>;
}

/** On the pod template in the target's own manifest. */
export function inManifest({
  target,
  manifest,
  annotations,
}: Placing & { readonly manifest: Manifest }): IdWay {
  const { file, document, root } = manifest;
  const path = [...root, ...TEMPLATE_ANNOTATIONS];
  return {
    write: edits => {
      edits.update(file, start =>
        Object.entries(annotations).reduce(
          (at, [key, value]) => at.set(document, [...path, key], value),
          start,
        ),
      );
      return { kind: 'annotations', target, path: file.path, document, annotations: path };
    },
  };
}

/** By a small patch of its own in a kustomization around the target. */
export function inLayerPatch(
  on: Placing & { readonly layer: Layer; readonly workload: PatchedWorkload },
): IdWay {
  const { target, annotations, layer, workload } = on;
  const { apiVersion, kind, name, namespace } = workload;
  const fileName = `${name}-rollout.yaml`;
  const path = posix.join(layer.folder, fileName);
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const patch = { apiVersion, kind, metadata, spec: { template: { metadata: { annotations } } } };
  return {
    write: edits => {
      edits.write(path, new YamlText(path, ID_PATCH_HEADER).withFirstDocument(patch).text);
      edits.update(layer.file, file =>
        isListed(file, fileName)
          ? file
          : file.append(0, ['patches'], { path: fileName, ...on.workload.selected }),
      );
      return { kind: 'annotations', target, path, document: 0, annotations: TEMPLATE_ANNOTATIONS };
    },
  };
}

/** By a patch of the Kustomization itself. */
export function inPatchList(
  on: Placing & { readonly definition: Manifest; readonly workload: PatchedWorkload },
): IdWay {
  const { target, annotations, workload } = on;
  const { file, document, root } = on.definition;
  const object = { kind: workload.kind, name: workload.name };
  const list = [...root, 'spec', 'patches'];
  return {
    write: edits => {
      edits.update(file, at => withAnnotations(at, { document, path: list }, { object, annotations }));
      return { kind: 'in-patches', target, path: file.path, document, list, object };
    },
  };
}

function isListed(file: YamlText, path: string): boolean {
  const { patches, patchesStrategicMerge } = record(file.data(0));
  return (
    items(patches).some(each => text(record(each)['path']) === path) ||
    items(patchesStrategicMerge).includes(path)
  );
}
