import { record, text } from '../../build/json.ts';
import type { Change } from '../../config/settings.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { objectsIn } from '../tree/manifests.ts';
import type { NamedPlace } from './input-places.ts';
import type { Ground } from './wanted.ts';

export type FieldChange = Extract<Change, { kind: 'field' }>;

/** A field of an object: file and object are named, so that nothing is searched for. */
export async function fieldPlace(change: FieldChange, { tree, edits }: Ground): Promise<NamedPlace> {
  const content = edits.textOf(change.file) ?? (await tree.text(change.file));
  const where = `${change.position.file}:${change.position.line}`;
  if (content === undefined) {
    throw new Refusal(
      'change-not-found',
      `${change.file}, which ${where} names, does not exist in the GitOps repository.`,
      { remedy: 'Name the file by its path from the root of that repository.' },
    );
  }
  const file = new YamlText(change.file, content);
  const { kind, name, namespace } = change.object;
  const objects = objectsIn(file).map(each => ({ ...each, data: record(each.data) }));
  const found = objects.find(({ data }) => {
    const metadata = record(data['metadata']);
    const ofNamespace =
      namespace === undefined || metadata['namespace'] === undefined || metadata['namespace'] === namespace;
    return data['kind'] === kind && metadata['name'] === name && ofNamespace;
  });
  if (!found) {
    const seen = objects.map(({ data }) => `${text(data['kind'])}/${text(record(data['metadata'])['name'])}`);
    throw new Refusal(
      'change-not-found',
      `${change.file} has no ${kind}/${name} (${where}); it has ${seen.join(', ')}.`,
      { remedy: 'Check the object’s kind and name as they are written in the file.' },
    );
  }
  const { document } = found;
  const path = [...found.root, ...change.path];
  const value = file.scalar(document, path)?.value;
  if (value === undefined || value === null) {
    throw new Refusal(
      'change-not-found',
      `${change.file}: ${kind}/${name} has no single value at ${change.path.join('.')} (${where}).`,
      { remedy: 'Check the path; keys that have dots stand in brackets: data["app.properties"].' },
    );
  }
  return {
    current: String(value),
    line: file.lineOf(document, path),
    lineText: file.lineText(document, path),
    write: (to, wanted) => to.update(file, now => now.setScalar(document, path, wanted)),
  };
}
