import { z } from 'zod';
import { METRIC_PRESETS, type MetricPresetName } from '../flagger/metric-presets.ts';

/** The grammar of `canary` in rollout.yaml: fields of Canary.spec in Flagger's words, and short forms. */

const PRESETS = Object.keys(METRIC_PRESETS) as [MetricPresetName, ...MetricPresetName[]];

export const metricSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .describe('Name in the Canary; Flagger’s own are request-success-rate and request-duration.'),
    min: z
      .number()
      .describe('The least value that passes.')
      .meta({ examples: [99] })
      .exactOptional(),
    max: z
      .number()
      .describe('The greatest value that passes.')
      .meta({ examples: [500] })
      .exactOptional(),
    interval: z.string().describe('The time that the query looks back over; default 1m.').exactOptional(),
    preset: z.enum(PRESETS).describe('A ready-made query; becomes a MetricTemplate.').exactOptional(),
    query: z.string().describe('A query of your own; becomes a MetricTemplate.').exactOptional(),
    provider: z
      .record(z.string(), z.unknown())
      .describe('Where it is asked: type, address, region, secretRef, as in MetricTemplate.spec.provider.')
      .meta({ examples: [{ type: 'datadog', secretRef: 'datadog' }] })
      .exactOptional(),
    templateRef: z
      .strictObject({
        name: z.string().describe('Its name.'),
        namespace: z.string().describe('Its namespace; default: the Canary’s.').exactOptional(),
      })
      .describe('A MetricTemplate that exists.')
      .meta({ examples: [{ name: 'error-rate' }] })
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
        name: z.string().min(1).describe('Its name in the Canary.').exactOptional(),
      })
      .describe('Traffic from the load tester, at each step.'),
    z
      .strictObject({
        test: z.string().min(1).describe('Shell command that must succeed before traffic moves.'),
        tester,
        name: z.string().min(1).describe('Its name in the Canary.').exactOptional(),
        timeout: z
          .string()
          .describe('How long it may take.')
          .meta({ examples: ['30s'] })
          .exactOptional(),
      })
      .describe('A test by the load tester, before the first step.'),
    z
      .strictObject({
        gate: z
          .enum(['confirm-rollout', 'confirm-traffic-increase', 'confirm-promotion', 'rollback'])
          .describe(
            'Where it stops: before the first step, each step, the promotion; or, once opened, the whole of it.',
          ),
        tester,
        name: z.string().min(1).describe('Its name in the Canary.').exactOptional(),
      })
      .describe('A gate that the load tester keeps closed until somebody opens it.'),
    z
      .looseObject({
        name: z.string().min(1).describe('Its name in the Canary.'),
        url: z
          .string()
          .min(1)
          .describe('Address that Flagger asks.')
          .meta({ examples: ['http://tester.test/check'] }),
        type: z
          .string()
          .describe('When it is asked; Flagger’s words.')
          .meta({ examples: ['pre-rollout'] })
          .exactOptional(),
      })
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
    channel: z.string().describe('Channel that it is posted to.').exactOptional(),
    username: z.string().describe('Name that it is posted under.').exactOptional(),
    address: z.string().describe('Of the incoming webhook; better kept in a Secret.').exactOptional(),
    secretRef: z.string().describe('Secret with the key address, or token for Slack’s API.').exactOptional(),
    proxy: z.string().describe('Proxy that it goes through.').exactOptional(),
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
    provider: z
      .string()
      .describe('As in Canary.spec.')
      .meta({ examples: ['nginx'] })
      .optional(),
    ingressRef: z
      .record(z.string(), z.unknown())
      .describe('As in Canary.spec; kind and apiVersion are those of an Ingress unless said.')
      .meta({ examples: [{ name: 'shop' }] })
      .optional(),
    'service-upstream': z
      .boolean()
      .describe(
        'Add nginx.ingress.kubernetes.io/service-upstream to the Ingress, for NGINX in front of a mesh.',
      )
      .optional(),
    service: z
      .record(z.string(), z.unknown())
      .describe('As in Canary.spec.')
      .meta({ examples: [{ port: 80 }] })
      .optional(),
    analysis: z
      .record(z.string(), z.unknown())
      .describe('As in Canary.spec.')
      .meta({ examples: [{ interval: '30s', threshold: 5, stepWeight: 5, maxWeight: 50 }] })
      .optional(),
    metrics: z
      .array(metricSchema)
      .describe('Metrics of the analysis, in short form.')
      .meta({ examples: [[{ name: 'request-success-rate', min: 99 }]] })
      .optional(),
    webhooks: z.array(webhookSchema).describe('Webhooks of the analysis, in short form or whole.').optional(),
    alerts: z.array(alertSchema).describe('Alerts of the analysis, in short form.').optional(),
  })
  .describe('Fields of the Canary; only those given are edited. Anything of Canary.spec may stand here.');
