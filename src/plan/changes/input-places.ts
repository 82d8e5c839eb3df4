import { posix } from 'node:path';
import { items, record, text } from '../../build/json.ts';
import type { Change } from '../../config/settings.ts';
import type { Edits } from '../../edit/edits.ts';
import { isYamlFile } from '../../edit/places.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { keyLines, type LineFormat } from '../../rollout/key-lines.ts';
import { fieldInText } from '../../rollout/text-field.ts';
import { writtenInLine } from '../../edit/line-value.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { KUSTOMIZATION_NAMES } from '../tree/reach.ts';
import type { Ground } from './wanted.ts';

export type InputChange = Extract<Change, { kind: 'input' }>;

/** A place that rollout.yaml names, and how another value is written there. */
export interface NamedPlace {
  readonly current: string;
  /** 1-based. */
  readonly line: number;
  readonly lineText: string;
  readonly write: (edits: Edits, value: string) => void;
}

/** Where a value stands that a generator takes over: a line, a field of a file, or a literal. @throws Refusal. */
export async function inputPlace(change: InputChange, { tree, edits }: Ground): Promise<NamedPlace> {
  const content = edits.textOf(change.file) ?? (await tree.text(change.file));
  const isKustomization = KUSTOMIZATION_NAMES.includes(posix.basename(change.file));
  if (content !== undefined) {
    const place = isKustomization
      ? literal(change, content)
      : isYamlFile(change.file)
        ? inDocument(change, content)
        : inLines(change, content);
    if (place) return place;
  }
  const where = `${change.position.file}:${change.position.line}`;
  const path = change.path.join('.');
  throw new Refusal(
    'change-not-found',
    content === undefined
      ? `${change.file}, which ${where} names, does not exist in the GitOps repository.`
      : isKustomization
        ? `${change.file} has no literal ${path} (${where}); it has ${literalsIn(content).join(', ') || 'none'}.`
        : `${change.file} has no single value ${path} (${where}).`,
    {
      remedy: isKustomization
        ? 'A literal’s path is configMapGenerator.NAME.KEY, or secretGenerator.NAME.KEY.'
        : 'Check the path; keys that have dots stand in brackets: ["app.mode"].',
    },
  );
}

/** `configMapGenerator.NAME.KEY`. */
function literal(change: InputChange, content: string): NamedPlace | undefined {
  const [list = '', name, ...rest] = change.path;
  const key = rest.join('.');
  const file = new YamlText(change.file, content);
  const generators = items(record(file.data(0))[list]).map(record);
  const index = generators.findIndex(
    generator => generator['name'] === name && literalsOf(generator).some(each => each.startsWith(`${key}=`)),
  );
  const at = literalsOf(generators[index] ?? {}).findIndex(each => each.startsWith(`${key}=`));
  const found = literalsOf(generators[index] ?? {})[at];
  if (found === undefined) return undefined;
  const path = [list, index, 'literals', at];
  return {
    // kustomize api/kv/kv.go takes quotes around the value away.
    current: found.slice(key.length + 1).replace(/^["']+|["']+$/g, ''),
    line: file.lineOf(0, path),
    lineText: file.lineText(0, path),
    write: (edits, value) => edits.update(file, now => now.setString(0, path, `${key}=${value}`)),
  };
}

function literalsOf(generator: Readonly<Record<string, unknown>>): readonly string[] {
  return items(generator['literals']).map(text);
}

function literalsIn(content: string): readonly string[] {
  const data = record(new YamlText('kustomization.yaml', content).data(0));
  return ['configMapGenerator', 'secretGenerator'].flatMap(list =>
    items(data[list])
      .map(record)
      .flatMap(generator =>
        literalsOf(generator).map(
          each => `${list}.${text(generator['name'])}.${each.slice(0, Math.max(0, each.indexOf('=')))}`,
        ),
      ),
  );
}

function inDocument(change: InputChange, content: string): NamedPlace | undefined {
  const file = new YamlText(change.file, content);
  const value = fieldInText(content, { format: 'yaml', path: change.path });
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!scalar || file.documents.length !== 1) return undefined;
  return {
    current: String(value),
    line: file.lineOf(0, change.path),
    lineText: file.lineText(0, change.path),
    write: (edits, wanted) => edits.update(file, now => now.setScalar(0, change.path, wanted)),
  };
}

function inLines(change: InputChange, content: string): NamedPlace | undefined {
  const key = change.path.join('.');
  const format = lineFormat(change.file);
  const at = keyLines(content, format).findLast(line => line.key === key);
  if (!at) return undefined;
  return {
    current: at.value,
    line: at.line,
    lineText: content.split('\n')[at.line - 1] ?? '',
    write: (edits, value) => {
      const text = writtenInLine(value, { path: change.file, format, key });
      edits.writeText(change.file, `${content.slice(0, at.start)}${text}${content.slice(at.end)}`);
    },
  };
}

/** How kustomize or Java reads the lines of a file. */
export function lineFormat(path: string): LineFormat {
  return /\.env$/i.test(path) ? 'env' : 'properties';
}
