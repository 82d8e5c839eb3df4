import { z } from 'zod';
import { folderOf } from '../config/folder-path.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { FluxObjects, SourceRef } from './flux-objects.ts';
import { metadataSchema } from './kube-shapes.ts';

/** An artifact that source-watcher makes out of one repository. */
export interface GeneratedArtifact {
  readonly repository: SourceRef;
  /** The folder of the repository that a path of the artifact was copied from. @throws Refusal `wrong-source`. */
  readonly folderOf: (path: string) => string;
}

const artifactSchema = z.looseObject({
  spec: z
    .looseObject({
      sourceRef: z
        .looseObject({
          apiVersion: z.string().default(''),
          kind: z.string(),
          name: z.string(),
          namespace: z.string().optional(),
        })
        .nullish(),
    })
    .prefault({}),
});

const generatorSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    sources: z.array(
      z.looseObject({
        alias: z.string(),
        kind: z.string(),
        name: z.string(),
        namespace: z.string().optional(),
      }),
    ),
    artifacts: z.array(
      z.looseObject({
        name: z.string(),
        revision: z.string().optional(),
        copy: z.array(
          z.looseObject({ from: z.string(), to: z.string(), exclude: z.array(z.string()).nullish() }),
        ),
      }),
    ),
  }),
});

/**
 * What an ExternalArtifact is made from, where the objects say so: by an ArtifactGenerator (source-watcher
 * api/v1beta1 artifactgenerator_types.go), under the revision of a GitRepository (`revision: "@alias"`), by which its
 * Kustomization then tells our commit. Undefined where it is made in another way.
 */
export async function generatedFrom(
  objects: FluxObjects,
  ref: SourceRef,
): Promise<GeneratedArtifact | undefined> {
  const artifact = artifactSchema.safeParse(await objects.source(ref)).data;
  const maker = artifact?.spec.sourceRef;
  if (maker?.kind !== 'ArtifactGenerator' || !maker.apiVersion.startsWith('source.extensions.fluxcd.io/')) {
    return undefined;
  }
  const { kind, name, namespace = ref.namespace } = maker;
  const generator = generatorSchema.safeParse(await objects.source({ kind, name, namespace })).data;
  const made = generator?.spec.artifacts.find(each => each.name === ref.name);
  if (!generator || made?.revision === undefined) return undefined;
  const alias = made.revision.replace(/^@/, '');
  const source = generator.spec.sources.find(each => each.alias === alias);
  if (source?.kind !== 'GitRepository') return undefined;
  const copies = made.copy.map(copy => folderCopy(copy, alias));
  return {
    repository: {
      kind: source.kind,
      name: source.name,
      namespace: source.namespace ?? generator.metadata.namespace,
    },
    folderOf: path => {
      const folders = copies.map(copy => copy && originOf(copy, path));
      const [folder, ...others] = new Set(folders);
      if (folder !== undefined && others.length === 0) return folder;
      throw new Refusal(
        'wrong-source',
        `ArtifactGenerator ${namespace}/${name} does not copy ./${path} of the artifact ${ref.name} as a whole folder of ${source.name}: which file is released cannot be told.`,
        {
          remedy: `Copy whole folders of one source only: from: "@${alias}/FOLDER/**", to: "@artifact/".`,
        },
      );
    },
  };
}

interface FolderCopy {
  readonly from: string;
  readonly to: string;
}

/** `from: "@alias/FOLDER/**"` strips the folder (internal/builder/builder.go, calculateGlobDestination). */
function folderCopy(
  copy: {
    readonly from: string;
    readonly to: string;
    readonly exclude?: readonly string[] | null | undefined;
  },
  alias: string,
): FolderCopy | undefined {
  const from = new RegExp(`^@${alias}/(?:([^*?[\\]{}]*)/)?\\*\\*$`).exec(copy.from);
  const to = /^@artifact\/(.*)$/.exec(copy.to);
  if (!from || !to || (copy.exclude ?? []).length > 0) return undefined;
  return { from: folderOf(from[1] ?? ''), to: folderOf(to[1] ?? '') };
}

function originOf({ from, to }: FolderCopy, path: string): string | undefined {
  if (path !== to && to !== '' && !path.startsWith(`${to}/`)) return undefined;
  const below = to === '' ? path : path.slice(to.length + 1);
  return [from, below].filter(part => part !== '').join('/');
}
