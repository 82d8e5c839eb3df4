import { z } from 'zod';
import type { Build, BuiltObject, Origin } from './tree-builder.ts';

const originSchema = z.object({
  path: z.string().optional(),
  configuredIn: z.string().optional(),
  configuredBy: z.object({ kind: z.string().optional(), name: z.string().optional() }).optional(),
});
const objectSchema = z.object({
  data: z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  }),
  origin: originSchema.optional(),
  transformers: z.array(originSchema).optional(),
});
const answerSchema = z.object({
  objects: z.array(objectSchema).optional(),
  unknown: z.array(z.string()).nullish(),
  unset: z.array(z.string()).nullish(),
  broken: z.string().optional(),
  remote: z.string().optional(),
  excluded: z.array(z.string()).optional(),
});

/** What the program says (flux-build/build.go `answer`). */
export function parseAnswer(json: string, reached: readonly string[]): Build {
  const answer = answerSchema.parse(JSON.parse(json));
  if (answer.remote !== undefined) {
    const words = `${answer.remote} is fetched from elsewhere when Flux builds this; nothing but the repository is read here`;
    return { kind: 'unsupported', words };
  }
  if (answer.broken !== undefined) {
    const left = answer.excluded ?? [];
    const also =
      left.length === 0
        ? ''
        : ` (in Git, but left out of what Flux packs by its defaults, .sourceignore or spec.ignore: ${left.join(', ')})`;
    return { kind: 'broken', words: `${withoutContent(answer.broken)}${also}` };
  }
  return {
    kind: 'built',
    objects: (answer.objects ?? []).map(objectOf),
    reached,
    unknownVariables: answer.unknown ?? [],
    unsetVariables: answer.unset ?? [],
  };
}

function objectOf({ data, origin, transformers = [] }: z.infer<typeof objectSchema>): BuiltObject {
  const { namespace, name } = data.metadata;
  return {
    apiVersion: data.apiVersion,
    kind: data.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    data,
    ...(origin ? { origin: originOf(origin) } : {}),
    transformers: transformers.map(originOf),
  };
}

function originOf({ path, configuredIn, configuredBy }: z.infer<typeof originSchema>): Origin {
  return {
    ...(path === undefined || path === '' ? {} : { path }),
    ...(configuredIn === undefined || configuredIn === '' ? {} : { configuredIn }),
    ...(configuredBy?.kind === undefined
      ? {}
      : {
          configuredBy: {
            kind: configuredBy.kind,
            ...(configuredBy.name === undefined ? {} : { name: configuredBy.name }),
          },
        }),
  };
}

/** kustomize quotes what it cannot read, a patch on a Secret and a generator's literals alike. */
function withoutContent(words: string): string {
  return words
    .replace(/ ?with config: [\s\S]*$/, ' (its configuration is not shown)')
    .replace(/literal sources \[[\s\S]*?\]/g, 'literal sources (not shown)')
    .replace(/node contents:[\s\S]*$/, 'its contents are not shown');
}
