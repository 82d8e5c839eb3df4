import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { z } from 'zod';

/** A request to the API server, as it noted it. */
export interface AuditedRequest {
  readonly verb: string;
  /** '' is the core group. */
  readonly group: string;
  /** `services/proxy` where a subresource was asked for. */
  readonly resource: string;
  readonly namespace: string;
  readonly status: number;
  /** RBAC let it through. */
  readonly allowed: boolean;
  /** With the query. */
  readonly uri: string;
}

const eventSchema = z.object({
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({
      resource: z.string().default(''),
      subresource: z.string().optional(),
      apiGroup: z.string().default(''),
      namespace: z.string().default(''),
    })
    .optional(),
  responseStatus: z.object({ code: z.number().default(0) }).optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** Of limited users only, without bodies; a request is noted when it is answered, a watch when it has begun. */
export function auditPolicy(group: string): string {
  return stringify({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'Panic'],
    rules: [{ level: 'Metadata', userGroups: [group] }, { level: 'None' }],
  });
}

/** All requests of a user so far, in the order of their answers. */
export async function auditedRequests(file: string, user: string): Promise<readonly AuditedRequest[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line !== '');
  return lines.flatMap(line => {
    const event = eventSchema.parse(JSON.parse(line));
    if (event.user.username !== user) return [];
    const { resource = '', subresource, apiGroup = '', namespace = '' } = event.objectRef ?? {};
    return [
      {
        verb: event.verb,
        group: apiGroup,
        resource: subresource === undefined ? resource : `${resource}/${subresource}`,
        namespace,
        status: event.responseStatus?.code ?? 0,
        allowed: event.annotations['authorization.k8s.io/decision'] === 'allow',
        uri: event.requestURI,
      },
    ];
  });
}
