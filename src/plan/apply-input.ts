import { posix } from 'node:path';
import type { Change } from '../config/settings.ts';
import { type LineFormat, keyLines } from '../rollout/key-lines.ts';
import { fieldInText, type TextFormat } from '../rollout/text-field.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { writtenInLine } from '../edit/line-value.ts';
import { type AppliedChange, type ChangeOn, guardLine } from './apply-change.ts';
import type { Edits } from '../edit/edits.ts';
import { type Generator, generatorsOf } from './generator-inputs.ts';
import type { HelmSite } from './helm/helm-site.ts';
import { takesValuesFrom } from './helm/helm-values.ts';
import { KUSTOMIZATION_NAMES } from './kustomize-walk.ts';
import type { Site } from './locate.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import { YamlText } from '../edit/yaml-text.ts';

type InputChange = Extract<Change, { kind: 'input' }>;

/** Where a value stands that a generator takes over, and where the generated object has it. */
interface Input {
  readonly generator: Generator;
  readonly line: number;
  readonly lineText: string;
  readonly current: string;
  /** In the generated object's data. */
  readonly key: string;
  readonly within?: { readonly format: TextFormat; readonly path: InputChange['path'] };
  readonly write: (edits: Edits) => void;
}

interface InputOn {
  readonly edits: Edits;
  readonly files: RepositoryFiles;
  readonly settings: ChangeOn['settings'];
  readonly targets: readonly {
    readonly target: TargetRef;
    readonly site: Site;
    readonly objects: readonly Site[];
    readonly helm?: HelmSite;
  }[];
}

/**
 * A value in a file that a configMapGenerator or secretGenerator reads, or in its literals. Its delivery is proven by the
 * generated ConfigMap that the target refers to; of a Secret nothing is read, and nothing is shown.
 * @throws Refusal.
 */
export async function applyToInput(change: InputChange, on: InputOn): Promise<readonly AppliedChange[]> {
  const applied: AppliedChange[] = [];
  for (const { target, site, objects, helm } of on.targets) {
    const key = targetKey(target);
    if (!change.in.includes(key)) continue;
    for (const input of await inputsFor(change, { ...on, site })) {
      guardLine(
        change,
        { edits: on.edits, target: key, site, objects, sites: on.targets, settings: on.settings },
        { path: change.file, line: input.line, text: input.lineText, shared: isOutside(change.file, site) },
      );
      if (input.current !== change.value) input.write(on.edits);
      const { generator } = input;
      const isOfValues =
        helm !== undefined && takesValuesFrom(helm.object, generator.kind, generator.builtName);
      const done = appliedTo(change, input, target);
      applied.push(isOfValues ? withoutExpectation(done) : done);
    }
  }
  return applied;
}

function appliedTo(change: InputChange, input: Input, target: TargetRef): AppliedChange {
  const { generator, current, line, within } = input;
  const key = targetKey(target);
  const object = { kind: generator.kind, namespace: target.namespace, name: generator.builtName };
  const found = {
    change: `${generator.kind} ${generator.builtName} ${change.path.at(-1) ?? ''}`,
    target: key,
    path: change.file,
    line,
  };
  if (generator.kind === 'Secret') {
    return { subject: object, found: { ...found, current: 'a secret', requested: 'another one' } };
  }
  const expectation = {
    kind: 'field',
    target: key,
    object,
    path: ['data', input.key],
    ...(within ? { within } : {}),
  } as const;
  return {
    subject: object,
    found: {
      ...found,
      current,
      requested: change.value,
      currentExpectation: { ...expectation, value: current },
    },
    expectation: { ...expectation, value: change.value },
  };
}

/** Values of Helm are no ConfigMap of the target's own; the id in the same HelmRelease proves the delivery. */
function withoutExpectation({ subject, found }: AppliedChange): AppliedChange {
  const { currentExpectation: _expectation, ...shown } = found;
  return { ...(subject ? { subject } : {}), found: shown };
}

function isOutside(file: string, site: Site): boolean {
  const root = site.layers[0]?.folder ?? '';
  return root !== '' && !file.startsWith(`${root}/`);
}

async function inputsFor(
  change: InputChange,
  on: InputOn & { readonly site: Site },
): Promise<readonly Input[]> {
  const [root] = on.site.layers;
  const generators = root ? generatorsOf(root) : [];
  const literal = KUSTOMIZATION_NAMES.includes(posix.basename(change.file));
  const inputs = literal ? literalsOf(change, generators, on.edits) : await sourcesOf(change, generators, on);
  if (inputs.length > 0) return referred(inputs, on.site);
  throw noInput(change, { generators, literal, folder: root?.folder ?? '' });
}

/** A file may feed several generators: those count that the target speaks of, if it speaks of any. */
function referred(inputs: readonly Input[], site: Site): readonly Input[] {
  const words = JSON.stringify(site.data);
  const some = inputs.filter(({ generator }) => words.includes(JSON.stringify(generator.name)));
  return some.length > 0 ? some : inputs;
}

/** `configMapGenerator.NAME.KEY`. */
function literalsOf(change: InputChange, generators: readonly Generator[], edits: Edits): readonly Input[] {
  const [list, name, ...rest] = change.path;
  const key = rest.join('.');
  return generators
    .filter(each => each.kustomization.path === change.file && each.list === list && each.name === name)
    .flatMap((generator): readonly Input[] => {
      const at = generator.literals.findIndex(each => each.startsWith(`${key}=`));
      const literal = generator.literals[at];
      if (literal === undefined) return [];
      const file = edits.current(generator.kustomization);
      const path = [generator.list, generator.index, 'literals', at];
      return [
        {
          generator,
          key,
          // kustomize api/kv/kv.go takes quotes around the value away.
          current: literal.slice(key.length + 1).replace(/^["']+|["']+$/g, ''),
          line: file.lineOf(0, path),
          lineText: file.lineText(0, path),
          write: to =>
            to.update(generator.kustomization, now => now.setString(0, path, `${key}=${change.value}`)),
        },
      ];
    });
}

async function sourcesOf(
  change: InputChange,
  generators: readonly Generator[],
  on: InputOn,
): Promise<readonly Input[]> {
  const read = generators.flatMap(generator =>
    generator.sources.filter(({ path }) => path === change.file).map(source => ({ generator, source })),
  );
  if (read.length === 0) return [];
  const blob = await on.files.read(change.file);
  const now = on.edits.textOf(change.file) ?? blob?.text;
  if (now === undefined) return [];
  return read.flatMap(({ generator, source }): readonly Input[] => {
    const lines = 'lines' in source.as;
    const format = lines ? 'env' : formatOf(change.file);
    const place = format === 'yaml' ? inDocument(change, now) : inLines(change, now, format);
    if (!place) return [];
    const dataKey = 'key' in source.as ? source.as.key : change.path.join('.');
    return [
      {
        generator,
        key: dataKey,
        ...place,
        lineText: now.split('\n')[place.line - 1] ?? '',
        ...(lines ? {} : { within: { format, path: change.path } }),
      },
    ];
  });
}

type Place = Pick<Input, 'current' | 'line' | 'write'>;

function inDocument(change: InputChange, content: string): Place | undefined {
  const file = new YamlText(change.file, content);
  const value = fieldInText(content, { format: 'yaml', path: change.path });
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!scalar || file.documents.length !== 1) return undefined;
  return {
    current: String(value),
    line: file.lineOf(0, change.path),
    write: edits => edits.update(file, now => now.setScalar(0, change.path, change.value)),
  };
}

function formatOf(path: string): TextFormat {
  if (/\.(?:ya?ml|json)$/i.test(path)) return 'yaml';
  return /\.env$/i.test(path) ? 'env' : 'properties';
}

function inLines(change: InputChange, content: string, format: LineFormat): Place | undefined {
  const key = change.path.join('.');
  const at = keyLines(content, format).findLast(line => line.key === key);
  if (!at) return undefined;
  const text = writtenInLine(change.value, { path: change.file, format, key });
  return {
    current: at.value,
    line: at.line,
    write: edits =>
      edits.writeText(change.file, `${content.slice(0, at.start)}${text}${content.slice(at.end)}`),
  };
}

function noInput(
  change: InputChange,
  on: { readonly generators: readonly Generator[]; readonly literal: boolean; readonly folder: string },
): Refusal {
  const where = `${change.position.file}:${change.position.line}`;
  const path = change.path.join('.');
  const folder = on.folder === '' ? 'the root folder' : on.folder;
  const fed = on.generators.some(({ sources }) => sources.some(source => source.path === change.file));
  if (fed) {
    return new Refusal('change-not-found', `${change.file} has no single value ${path} (${where}).`, {
      remedy: 'Check the path; keys that have dots stand in brackets: ["app.mode"].',
    });
  }
  const seen = on.generators.map(({ kind, name, sources, literals }) => {
    const keys = literals.map(each => each.slice(0, Math.max(0, each.indexOf('='))));
    return `${kind} ${name} (${[...sources.map(source => source.path), ...keys].join(', ') || 'nothing'})`;
  });
  const what = on.literal
    ? `${change.file} has no literal ${path}`
    : `No generator of what Flux builds from ${folder} reads ${change.file}`;
  return new Refusal(
    'change-not-found',
    `${what} (${where}). The generators and what they read: ${seen.join('; ') || 'there are none'}.`,
    {
      remedy: on.literal
        ? 'A literal’s path is configMapGenerator.NAME.KEY, or secretGenerator.NAME.KEY.'
        : 'Name a file that a generator reads, or the object in the file (at.object: Kind/name).',
    },
  );
}
