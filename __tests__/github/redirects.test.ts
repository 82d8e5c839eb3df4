import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createGitHubClient } from '../../src/github/client.ts';
import { givenToken } from '../../src/github/tokens/token-source.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(
  answer: (request: IncomingMessage) => readonly [status: number, headers: Readonly<Record<string, string>>],
): Promise<string> {
  const server = createServer((request, response) => {
    const [status, headers] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

describe('a token', () => {
  it.each([301, 302, 307, 308])('is not carried to another host by a redirect (%i)', async status => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve(request => {
      seen.push(request.headers.authorization);
      return [200, {}];
    });
    const own: (string | undefined)[] = [];
    const apiUrl = await serve(request => {
      own.push(request.headers.authorization);
      return [status, { location: `${elsewhere}/stolen` }];
    });
    const client = createGitHubClient({
      apiUrl,
      tokens: givenToken('ghs_secret'),
      clock: systemClock,
      random: Math.random,
      env: {},
    });
    await client.call({ method: 'GET', route: '/user', schema: z.unknown(), resend: 'once' });
    expect(own).toEqual(['Bearer ghs_secret']);
    expect(seen).toEqual([undefined]);
  });
});
