import { z } from 'zod';
import { METRIC_PRESETS, type MetricPresetName } from '../flagger/metric-presets.ts';

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
    env: z.string().min(1).describe('Environment variable of a container.').optional(),
    arg: z.string().min(1).describe('Argument of a container, such as --ui-logo.').optional(),
    chart: z
      .string()
      .min(1)
      .describe('Version of the Helm chart that a HelmRelease brings the target from.')
      .meta({ examples: ['shop'] })
      .optional(),
    at: z
      .strictObject({
        file: z.string().min(1).describe('File in the GitOps repository.'),
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
      .optional(),
    value: scalar.describe('The new value, unless `set` gives it.').optional(),
    name: z.string().min(1).describe('The name by which `set` gives the value.').optional(),
    container: z.string().min(1).describe('Container; default: the only one.').optional(),
    in: oneOrMore(targetSchema).describe('Targets it applies to; default: all.').optional(),
  })
  .describe('One change: image, env, arg, chart or at.');

const PRESETS = Object.keys(METRIC_PRESETS) as [MetricPresetName, ...MetricPresetName[]];

export const metricSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe('Name in the Canary; Flagger’s own are request-success-rate and request-duration.'),
    min: z.number().describe('The least value that passes.').exactOptional(),
    max: z.number().describe('The greatest value that passes.').exactOptional(),
    interval: z.string().describe('The time that the query looks back over; default 1m.').exactOptional(),
    preset: z.enum(PRESETS).describe('A ready-made query; becomes a MetricTemplate.').exactOptional(),
    query: z.string().describe('A query of your own; becomes a MetricTemplate.').exactOptional(),
    provider: z
      .record(z.string(), z.unknown())
      .describe('Where it is asked: type, address, region, secretRef, as in MetricTemplate.spec.provider.')
      .exactOptional(),
    templateRef: z
      .strictObject({
        name: z.string().describe('Its name.'),
        namespace: z.string().describe('Its namespace; default: the Canary’s.').exactOptional(),
      })
      .describe('A MetricTemplate that exists.')
      .exactOptional(),
    templateVariables: z
      .record(z.string(), z.string())
      .describe('What the query gets as {{ variables.NAME }}.')
      .exactOptional(),
  })
  .describe('A metric that is checked at each step.')
  .meta({ examples: [{ name: 'success', preset: 'linkerd-success-rate', min: 99 }] });

const tester = z
  .string()
  .regex(/^https?:\/\/\S+$/, 'http://HOST')
  .describe('Address of Flagger’s load tester.')
  .meta({ examples: ['http://flagger-loadtester.test'] });

/** The common uses of Flagger's load tester, or any webhook in Flagger's own words. */
export const webhookSchema = z
  .union([
    z
      .strictObject({
        load: z.string().min(1).describe('Command that makes traffic during the analysis.'),
        tester,
        name: z.string().min(1).exactOptional(),
      })
      .describe('Traffic from the load tester, at each step.'),
    z
      .strictObject({
        test: z.string().min(1).describe('Shell command that must succeed before traffic moves.'),
        tester,
        name: z.string().min(1).exactOptional(),
        timeout: z.string().exactOptional(),
      })
      .describe('A test by the load tester, before the first step.'),
    z
      .strictObject({
        gate: z.enum(['confirm-rollout', 'confirm-traffic-increase', 'confirm-promotion', 'rollback']),
        tester,
        name: z.string().min(1).exactOptional(),
      })
      .describe('A gate that the load tester keeps closed until somebody opens it.'),
    z
      .looseObject({ name: z.string().min(1), url: z.string().min(1), type: z.string().exactOptional() })
      .describe('A webhook in Flagger’s own words.'),
  ])
  .describe('A webhook of the analysis.')
  .meta({ examples: [{ gate: 'confirm-promotion', tester: 'http://flagger-loadtester.test' }] });

export const alertSchema = z
  .strictObject({
    type: z.enum(['slack', 'msteams', 'discord', 'rocket', 'gchat']).describe('Where it is posted.'),
    name: z
      .string()
      .describe('Of the AlertProvider; default: the Canary’s name and the type.')
      .exactOptional(),
    channel: z.string().exactOptional(),
    username: z.string().exactOptional(),
    address: z.string().describe('Of the incoming webhook; better kept in a Secret.').exactOptional(),
    secretRef: z.string().describe('Secret with the key address, or token for Slack’s API.').exactOptional(),
    proxy: z.string().exactOptional(),
    severity: z.enum(['info', 'warn', 'error']).describe('The least that is posted.').default('error'),
  })
  .describe('Becomes an AlertProvider.')
  .meta({ examples: [{ type: 'slack', channel: 'deploys', secretRef: 'slack', severity: 'error' }] });

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
    'service-upstream': z
      .boolean()
      .describe(
        'Add nginx.ingress.kubernetes.io/service-upstream to the Ingress, for NGINX in front of a mesh.',
      )
      .optional(),
    service: z.record(z.string(), z.unknown()).describe('As in Canary.spec.').optional(),
    analysis: z.record(z.string(), z.unknown()).describe('As in Canary.spec.').optional(),
    metrics: z.array(metricSchema).describe('Metrics of the analysis, in short form.').optional(),
    webhooks: z.array(webhookSchema).describe('Webhooks of the analysis, in short form or whole.').optional(),
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
      .describe('Where the manifests are.')
      .optional(),
    target: oneOrMore(targetSchema).describe('What is released.'),
    via: z
      .string()
      .regex(VIA_PATTERN, 'namespace/name of a Flux Kustomization, or the file of its manifest')
      .describe(
        'The Flux Kustomization that applies the targets; default: traced from their labels. Where no cluster is asked, the file of its manifest tells several clusters apart.',
      )
      .meta({ examples: ['flux-system/apps', 'clusters/prod/apps.yaml'] })
      .optional(),
    change: z.array(changeSchema).min(1).describe('What is changed, in one commit.'),
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
    canary: z.record(targetSchema, canarySchema).describe('Canaries by target.').optional(),
    barrier: z.boolean().describe('Let several canaries promote together or not at all.').default(false),
  })
  .describe('A rollout: one commit, followed to its verdict.');

export type RolloutYaml = z.infer<typeof rolloutSchema>;
export type ChangeYaml = z.infer<typeof changeSchema>;
