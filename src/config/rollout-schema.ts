import { z } from 'zod';
import { canarySchema } from './canary-schema.ts';

/** The grammar of rollout.yaml, as written. What the words mean is in rollout-file.ts; the JSON schema is made of this. */

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const NAME = '[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?';
export const TARGET_PATTERN = new RegExp(`^(?:(Deployment|DaemonSet|Service) )?(${NAME})/(${NAME})$`);
const VIA_PATTERN = new RegExp(
  `^(?!\\S+\\.(?:ya?ml|json)$)(?:(Kustomization) )?(${NAME})/(${NAME})$|^[^\\s]+\\.(?:ya?ml|json)$`,
);
const REPOSITORY_PATTERN = /^[A-Za-z0-9](?:[-A-Za-z0-9]*)\/[-A-Za-z0-9._]+$/;
const OBJECT_PATTERN = new RegExp(`^([A-Z][A-Za-z0-9]*)/(?:(${NAME})/)?(${NAME})$`);

export { OBJECT_PATTERN, VIA_PATTERN };

export const targetSchema = z
  .string()
  .regex(TARGET_PATTERN, 'namespace/name, DaemonSet namespace/name or Service namespace/name (Knative)')
  .describe(
    'What is released: namespace/name of a Deployment, `DaemonSet namespace/name`, or `Service namespace/name` for a Knative Service.',
  )
  .meta({ examples: ['prod/frontend', 'DaemonSet prod/agent', 'Service prod/hello'] });

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);

export const changeSchema = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .describe('Image repository, with the new tag or digest unless `set` gives it.')
      .meta({ examples: ['ghcr.io/acme/shop', 'ghcr.io/acme/shop:6.14.1'] })
      .optional(),
    repositories: z
      .array(z.string().min(1))
      .min(1)
      .describe(
        'Other repositories that a value of `set` may name in full (`image=ghcr.io/acme/shop-rc:1`); unsaid, none: whoever may run the step could release any image.',
      )
      .meta({ examples: [['ghcr.io/acme/shop-rc']] })
      .optional(),
    env: z
      .string()
      .min(1)
      .describe('Environment variable of a container.')
      .meta({ examples: ['LOG_LEVEL'] })
      .optional(),
    arg: z
      .string()
      .min(1)
      .describe('Argument of a container, such as --ui-logo.')
      .meta({ examples: ['--ui-logo'] })
      .optional(),
    chart: z
      .string()
      .min(1)
      .describe('Version of the Helm chart that a HelmRelease brings the target from.')
      .meta({ examples: ['shop'] })
      .optional(),
    at: z
      .strictObject({
        file: z
          .string()
          .min(1)
          .describe('File in the GitOps repository.')
          .meta({ examples: ['apps/flags.yaml'] }),
        object: z
          .string()
          .regex(OBJECT_PATTERN, 'Kind/name, or Kind/namespace/name')
          .describe(
            'The object in that file: Kind/name. Without it the file is one that a configMapGenerator or secretGenerator reads (YAML, JSON, .env, .properties), or the kustomization with its literals.',
          )
          .meta({ examples: ['ConfigMap/flags'] })
          .optional(),
        path: z
          .string()
          .min(1)
          .describe('Path of the field, its keys divided by dots; keys that have dots in brackets.')
          .meta({
            examples: ['data.checkout', 'data["app.properties"]', 'configMapGenerator.settings.CHECKOUT'],
          }),
      })
      .describe('Any field of any object, or of a file that is no object.')
      .meta({ examples: [{ file: 'apps/flags.yaml', object: 'ConfigMap/flags', path: 'data.checkout' }] })
      .optional(),
    value: scalar
      .describe('The new value, unless `set` gives it.')
      .meta({ examples: ['6.14.1'] })
      .optional(),
    name: z
      .string()
      .min(1)
      .describe('The name by which `set` gives the value.')
      .meta({ examples: ['version'] })
      .optional(),
    container: z
      .string()
      .min(1)
      .describe('Container; default: the only one.')
      .meta({ examples: ['app'] })
      .optional(),
    in: oneOrMore(targetSchema)
      .describe('Targets it applies to; default: all.')
      .meta({ examples: ['prod/shop'] })
      .optional(),
  })
  .describe('One change: image, env, arg, chart or at.')
  .meta({ examples: [{ image: 'ghcr.io/acme/shop', value: '6.14.1' }] });

export const rolloutSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe('Name of the rollout; default: the first target’s.')
      .meta({ examples: ['shop'] })
      .optional(),
    gitops: z
      .strictObject({
        repository: z
          .string()
          .regex(REPOSITORY_PATTERN, 'owner/repo')
          .describe('The GitOps repository; default: this one.')
          .meta({ examples: ['acme/fleet'] })
          .optional(),
        branch: z
          .string()
          .min(1)
          .describe('Its branch; default: the one that Flux tracks.')
          .meta({ examples: ['main'] })
          .optional(),
      })
      .describe('Where the manifests are.')
      .meta({ examples: [{ repository: 'acme/fleet' }] })
      .optional(),
    target: oneOrMore(targetSchema)
      .describe('What is released.')
      .meta({ examples: [['prod/shop']] }),
    via: z
      .string()
      .regex(VIA_PATTERN, 'namespace/name of a Flux Kustomization, or the file of its manifest')
      .describe(
        'The Flux Kustomization that applies the targets; default: traced from their labels. Where no cluster is asked, the file of its manifest tells several clusters apart.',
      )
      .meta({ examples: ['flux-system/apps', 'clusters/prod/apps.yaml'] })
      .optional(),
    change: z
      .array(changeSchema)
      .min(1)
      .describe('What is changed, in one commit.')
      .meta({ examples: [[{ image: 'ghcr.io/acme/shop' }]] }),
    write: z
      .enum(['overlay', 'base'])
      .describe(
        'Where a line goes that several environments share, or that another repository sets; unsaid, such a line is refused.',
      )
      .optional(),
    'id-path': z
      .string()
      .min(1)
      .describe(
        'For targets of a HelmRelease: path in its values to the annotations of the pods, where the chart has one; default: a postRenderer is added.',
      )
      .meta({ examples: ['podAnnotations'] })
      .optional(),
    'image-automation': z
      .enum(['refuse', 'suspend', 'follow'])
      .describe(
        'What to do with a line that image automation writes ($imagepolicy): refuse it, suspend image automation for as long as our commit is followed, or follow its commit.',
      )
      .default('refuse'),
    canary: z
      .record(targetSchema, canarySchema)
      .describe('Canaries by target.')
      .meta({
        examples: [
          { 'prod/shop': { analysis: { interval: '30s', threshold: 5, stepWeight: 5, maxWeight: 50 } } },
        ],
      })
      .optional(),
    barrier: z.boolean().describe('Let several canaries promote together or not at all.').default(false),
  })
  .describe('A rollout: one commit, followed to its verdict.')
  .meta({ examples: [{ target: 'prod/shop', change: [{ image: 'ghcr.io/acme/shop' }] }] });

export type RolloutYaml = z.infer<typeof rolloutSchema>;
export type ChangeYaml = z.infer<typeof changeSchema>;
