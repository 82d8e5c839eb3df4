import { z } from 'zod';

/** The grammar of rollout.yaml, as written. What the words mean is in rollout-file.ts; the JSON schema is made of this. */

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const NAME = '[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?';
export const TARGET_PATTERN = new RegExp(`^(?:(Deployment|DaemonSet) )?(${NAME})/(${NAME})$`);
const VIA_PATTERN = new RegExp(`^(?:(Kustomization) )?(${NAME})/(${NAME})$`);
const REPOSITORY_PATTERN = /^[A-Za-z0-9](?:[-A-Za-z0-9]*)\/[-A-Za-z0-9._]+$/;
const OBJECT_PATTERN = new RegExp(`^([A-Z][A-Za-z0-9]*)/(?:(${NAME})/)?(${NAME})$`);
export { OBJECT_PATTERN, VIA_PATTERN };

export const targetSchema = z
  .string()
  .regex(TARGET_PATTERN, 'namespace/name, or DaemonSet namespace/name')
  .describe('What is released: namespace/name of a Deployment, or DaemonSet namespace/name.')
  .meta({ examples: ['prod/frontend', 'DaemonSet prod/agent'] });

const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);

export const changeSchema = z
  .strictObject({
    image: z
      .string()
      .min(1)
      .describe('Image repository, with the new tag or digest unless `set` gives it.')
      .meta({ examples: ['ghcr.io/acme/shop', 'ghcr.io/acme/shop:6.14.1'] })
      .optional(),
    env: z.string().min(1).describe('Environment variable of a container.').optional(),
    arg: z.string().min(1).describe('Argument of a container, such as --ui-logo.').optional(),
    at: z
      .strictObject({
        file: z.string().min(1).describe('File in the GitOps repository.'),
        object: z
          .string()
          .regex(OBJECT_PATTERN, 'Kind/name, or Kind/namespace/name')
          .describe('The object in that file: Kind/name.')
          .meta({ examples: ['ConfigMap/flags'] }),
        path: z
          .string()
          .min(1)
          .describe('Path of the field, its keys divided by dots; keys that have dots in brackets.')
          .meta({ examples: ['data.checkout', 'data["app.properties"]'] }),
      })
      .describe('Any field of any object.')
      .optional(),
    value: scalar.describe('The new value, unless `set` gives it.').optional(),
    name: z.string().min(1).describe('The name by which `set` gives the value.').optional(),
    container: z.string().min(1).describe('Container; default: the only one.').optional(),
    in: oneOrMore(targetSchema).describe('Targets it applies to; default: all.').optional(),
  })
  .describe('One change: image, env, arg or at.');

export const metricSchema = z.strictObject({
  name: z.string().min(1),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  interval: z.string().exactOptional(),
  query: z.string().describe('Becomes a MetricTemplate.').exactOptional(),
  provider: z.record(z.string(), z.unknown()).exactOptional(),
  templateRef: z.strictObject({ name: z.string(), namespace: z.string().exactOptional() }).exactOptional(),
  templateVariables: z.record(z.string(), z.string()).exactOptional(),
});

export const alertSchema = z.strictObject({
  type: z.enum(['slack', 'msteams', 'discord', 'rocket', 'gchat']),
  name: z.string().exactOptional(),
  channel: z.string().exactOptional(),
  username: z.string().exactOptional(),
  address: z.string().exactOptional(),
  secretRef: z.string().exactOptional(),
  severity: z.enum(['info', 'warn', 'error']).default('error'),
});

export const canarySchema = z
  .looseObject({
    file: z
      .string()
      .min(1)
      .describe('File in the GitOps repository; default: where the Canary is.')
      .optional(),
    name: z.string().min(1).describe('Name of a Canary that is created; default: the target’s.').optional(),
    provider: z.string().describe('As in Canary.spec.').optional(),
    ingressRef: z.record(z.string(), z.unknown()).describe('As in Canary.spec.').optional(),
    service: z.record(z.string(), z.unknown()).describe('As in Canary.spec.').optional(),
    analysis: z.record(z.string(), z.unknown()).describe('As in Canary.spec.').optional(),
    metrics: z.array(metricSchema).describe('Metrics of the analysis, in short form.').optional(),
    alerts: z.array(alertSchema).describe('Alerts of the analysis, in short form.').optional(),
  })
  .describe('Fields of the Canary; only those given are edited. Anything of Canary.spec may stand here.');

export const rolloutSchema = z
  .strictObject({
    name: z.string().min(1).describe('Name of the rollout; default: the first target’s.').optional(),
    gitops: z
      .strictObject({
        repository: z
          .string()
          .regex(REPOSITORY_PATTERN, 'owner/repo')
          .describe('The GitOps repository; default: this one.')
          .meta({ examples: ['acme/fleet'] })
          .optional(),
        branch: z.string().min(1).describe('Its branch; default: the one that Flux tracks.').optional(),
      })
      .optional(),
    target: oneOrMore(targetSchema).describe('What is released.'),
    via: z
      .string()
      .regex(VIA_PATTERN, 'namespace/name of a Flux Kustomization')
      .describe('The Flux Kustomization that applies the targets; default: traced from their labels.')
      .optional(),
    change: z.array(changeSchema).min(1).describe('What is changed, in one commit.'),
    write: z
      .enum(['overlay', 'base'])
      .describe('Where a line goes that several environments share; unsaid, such a line is refused.')
      .optional(),
    'image-automation': z
      .enum(['refuse', 'suspend', 'follow'])
      .describe('What to do when image automation writes the same line.')
      .default('refuse'),
    canary: z.record(targetSchema, canarySchema).describe('Canaries by target.').optional(),
    barrier: z.boolean().describe('Let several canaries promote together or not at all.').default(false),
  })
  .describe('A rollout: one commit, followed to its verdict.');

export type RolloutYaml = z.infer<typeof rolloutSchema>;
export type ChangeYaml = z.infer<typeof changeSchema>;
