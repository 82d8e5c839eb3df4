import { Agent, request } from 'undici';
import { z } from 'zod';
/** The server said no; `status` is the HTTP status. */
export class KubeApiError extends Error {
  name = 'KubeApiError';
  status;
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}
const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});
const watchEvent = z.object({ type: z.string(), object: z.unknown() });
export function kubeApi(server) {
  const dispatcher = new Agent({ connect: { ca: server.ca }, bodyTimeout: 0, headersTimeout: 30_000 });
  const headers = { authorization: `Bearer ${server.token}`, accept: 'application/json' };
  const kinds = new Map();
  const api = {
    async send({ method = 'GET', path, body, contentType = 'application/json' }) {
      const answer = await request(server.url + path, {
        dispatcher,
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': contentType }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) {
        throw new KubeApiError(
          `${method} ${path}: ${answer.statusCode} ${text.slice(0, 2000)}`,
          answer.statusCode,
        );
      }
      return String(answer.headers['content-type']).startsWith('application/json') ? JSON.parse(text) : text;
    },
    async apply(object) {
      const collection = await collectionOf(object);
      return api.send({
        method: 'PATCH',
        path: `${collection}/${object.metadata.name}?fieldManager=testbed&force=true`,
        contentType: 'application/apply-patch+yaml',
        body: object,
      });
    },
    async watch({ path, signal, onEvent }) {
      try {
        const answer = await request(server.url + path, { dispatcher, headers, signal });
        if (answer.statusCode !== 200) {
          throw new KubeApiError(
            `watch ${path}: ${answer.statusCode} ${await answer.body.text()}`,
            answer.statusCode,
          );
        }
        for await (const line of lines(answer.body)) onEvent(watchEvent.parse(JSON.parse(line)));
      } catch (cause) {
        if (!signal.aborted) throw cause;
      }
    },
    close: () => dispatcher.destroy(),
  };
  async function collectionOf(object) {
    const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const known = kinds.get(root) ?? api.send({ path: root }).then(answer => resourceList.parse(answer));
    kinds.set(root, known);
    // A failed discovery, or one from before a definition was applied, is asked again the next time.
    const list = await known.catch(cause => {
      kinds.delete(root);
      throw cause;
    });
    const resource = list.resources.find(each => each.kind === object.kind && !each.name.includes('/'));
    if (resource === undefined) {
      kinds.delete(root);
      throw new KubeApiError(`The server has no ${object.kind} in ${object.apiVersion}.`, 404);
    }
    const namespace = object.metadata.namespace ?? 'default';
    return resource.namespaced
      ? `${root}/namespaces/${namespace}/${resource.name}`
      : `${root}/${resource.name}`;
  }
  return api;
}
async function* lines(body) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter(line => line !== '');
  }
}
