import { isAlias, visit, type YAMLParseError } from 'yaml';
import { wordsOfError } from '../edit/yaml-words.ts';
import type { ConfigProblem } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

/** What keeps a file from being read as one YAML document. Of errors that follow from each other the first. */
export function syntaxProblems(yaml: YamlPositions): readonly ConfigProblem[] {
  const { errors, contents } = yaml.document;
  if (errors.length === 0 && contents === null) {
    return [
      {
        position: yaml.at(0),
        field: 'rollout.yaml',
        message: 'The file is empty.',
        allowed: 'at least target and change',
        example: '{target: prod/shop, change: [{image: ghcr.io/acme/shop}]}',
      },
    ];
  }
  const doubled = errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  const [first] = errors.filter(({ code }) => code !== 'DUPLICATE_KEY');
  return first ? [syntaxProblem(first, yaml)] : doubled.map(error => doubledKey(error, yaml));
}

function syntaxProblem(error: YAMLParseError, yaml: YamlPositions): ConfigProblem {
  const position = yaml.at(error.pos[0]);
  const line = yaml.lineText(position.line).trim();
  return {
    position,
    field: 'rollout.yaml',
    message: wordsOfError(error),
    found:
      error.code === 'MULTIPLE_DOCS'
        ? 'several documents'
        : line === ''
          ? 'the end of the file'
          : `“${line.slice(0, 80)}”`,
    allowed: 'one YAML document',
    ...(error.code === 'TAB_AS_INDENT' ? { remedy: 'Indent with spaces.' } : {}),
  };
}

function doubledKey(error: YAMLParseError, yaml: YamlPositions): ConfigProblem {
  const position = yaml.at(error.pos[0]);
  const key = yaml.textAt(error.pos[0]);
  return {
    position,
    field: 'rollout.yaml',
    message: `${key} stands twice in one map.`,
    allowed: 'each field once',
    remedy: `Take one of the two away, or make a list of what they say.`,
  };
}

/** Aliases without an anchor before them, each where it is. */
export function aliasProblems(yaml: YamlPositions): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(yaml.document, {
    Alias: (_key, node) => {
      if (isAlias(node) && node.resolve(yaml.document) === undefined) {
        problems.push({
          position: yaml.at(node.range?.[0] ?? 0),
          field: 'rollout.yaml',
          message: `There is no anchor &${node.source} before it.`,
          found: `*${node.source}`,
          allowed: 'aliases of anchors that stand before them; text that begins with * in quotes',
        });
      }
    },
  });
  return problems;
}

/** The document as data, where its aliases can be followed. */
export function plainData(
  yaml: YamlPositions,
): { readonly value: unknown } | { readonly problems: readonly ConfigProblem[] } {
  const problems = aliasProblems(yaml);
  if (problems.length > 0) return { problems };
  try {
    return { value: yaml.document.toJS({ maxAliasCount: 100 }) };
  } catch {
    return {
      problems: [
        {
          position: yaml.at(0),
          field: 'rollout.yaml',
          message: 'Its aliases cannot be followed.',
          found: 'more than 100 of them in each other, or one that holds itself',
          allowed: 'a few',
        },
      ],
    };
  }
}
