import { posix } from 'node:path';
import { items, record, text } from '../../../build/json.ts';
import type { YamlPath } from '../../../edit/yaml-text.ts';
import { YamlText } from '../../../edit/yaml-text.ts';
import { ID_PATCH_HEADER, type TargetKey } from '../../../rollout/target.ts';
import type { PatchedObject } from '../../patch-list.ts';
import type { Layer } from '../../tree/layers.ts';
import type { Manifest } from '../../tree/manifests.ts';
import type { IdWay } from '../target-source.ts';
import { idPatchesIn, isSame, rendererOf, withIdPatch } from './id-patch.ts';

interface Placing {
  readonly target: TargetKey;
  /** The workload as Helm renders it. */
  readonly workload: PatchedObject;
  readonly annotations: Readonly<Record<string, string>>;
}

/** By a value, where the chart has one for annotations of its pods. */
export function inValues(on: Placing & { readonly manifest: Manifest; readonly idPath: YamlPath }): IdWay {
  const { target, annotations } = on;
  const { file, document, root } = on.manifest;
  const path = [...root, 'spec', 'values', ...on.idPath];
  return {
    write: edits => {
      edits.update(file, start =>
        Object.entries(annotations).reduce(
          (now, [key, value]) => now.set(document, [...path, key], value),
          start,
        ),
      );
      return { kind: 'annotations', target, path: file.path, document, annotations: path };
    },
  };
}

/** By a postRenderer of the manifest, which every chart can have. */
export function inRenderers(on: Placing & { readonly manifest: Manifest }): IdWay {
  const { target, workload, annotations } = on;
  const { file, document, root } = on.manifest;
  const list = [...root, 'spec', 'postRenderers'];
  return {
    write: edits => {
      edits.update(file, at => withIdPatch(at, { document, list, workload, annotations }));
      return { kind: 'in-post-renderers', target, path: file.path, document, list, workload };
    },
  };
}

/** By operations in a small patch of a kustomization around it: a merge would replace the list of postRenderers. */
export function inOperations(
  on: Placing & {
    readonly layer: Layer;
    /** The HelmRelease as it is written. */
    readonly release: string;
    /** It has no postRenderers there. */
    readonly isFirst: boolean;
  },
): IdWay {
  const { target, workload, annotations, layer } = on;
  const name = `${on.release}-rollout.yaml`;
  const path = posix.join(layer.folder, name);
  return {
    write: edits => {
      const written = edits.current(new YamlText(path, ''));
      const isOurs = idPatchesIn(written.documents.length > 0 ? written.data(0) : []).some(
        each => Object.values(annotations).includes(each.id) && !isSame(each.workload, workload),
      );
      if (isOurs) {
        // Another target of the same HelmRelease was first.
        edits.update(written, file => withIdPatch(file, { document: 0, list: [], workload, annotations }));
      } else {
        const operations = [
          ...(on.isFirst ? [{ op: 'add', path: '/spec/postRenderers', value: [] }] : []),
          { op: 'add', path: '/spec/postRenderers/-', value: rendererOf(workload, annotations) },
        ];
        edits.write(path, new YamlText(path, ID_PATCH_HEADER).withFirstDocument(operations).text);
      }
      edits.update(layer.file, file => {
        const patches = items(record(file.data(0))['patches']).map(record);
        const entry = { path: name, target: { kind: 'HelmRelease', name: on.release } };
        return patches.some(each => text(each['path']) === name) ? file : file.append(0, ['patches'], entry);
      });
      return { kind: 'in-post-renderers', target, path, document: 0, list: [], workload };
    },
  };
}
