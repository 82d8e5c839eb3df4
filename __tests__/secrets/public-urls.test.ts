import { describe, expect, it } from 'vitest';
import { withoutUrlSecrets } from '../../src/secrets/public-urls.ts';

const SPELLINGS = [
  'http://user:hunter2@prom:9090/x',
  'HTTP://user:hunter2@prom',
  'http://hunter2@prom/x',
  'https://x-access-token:hunter2@github.com/acme/fleet.git',
  'redis://:hunter2@redis:6379',
  'http://prom:9090/api?token=hunter2',
  'http://prom:9090/api?a=b&token=hunter2#c',
  'http://prom/api#access_token=hunter2',
  'http://prom/api;token=hunter2',
  'http://prom?token=hunter2',
  'http:\\/\\/user:hunter2@prom\\/x?token=hunter2',
  'http:\\\\user:hunter2@prom',
  'http:/user:hunter2@prom',
  'http:user:hunter2@prom',
  '//user:hunter2@prom/x',
  'user:hunter2@prom:9090',
  'root:hunter2@tcp(db:3306)/app',
  'prom:9090/api?token=hunter2',
  '/api/v1/query?token=hunter2',
  'http://user:hun ter2@prom hunter2'.replace(' hunter2', ''),
  'parse "http://user:hun ter2@prom/": net/url: invalid userinfo',
  'Get "http://prom/?token=a hunter2": EOF',
  "Get 'http://prom/?token=a hunter2': EOF",
  'parse “http://prom/?token=a hunter2”: no',
  'http://user:hun/ter2@prom/x',
  'http://user:hun?ter2@prom/x',
  'http://user:hun#ter2@prom/x',
  'http://user:hunter2@@prom/x',
  'http://us@er:hunter2@prom/x',
  'http://user:hunter2@[::1]:9090/x?token=hunter2',
  'http%3A%2F%2Fuser%3Ahunter2%40prom%2F',
  'http%253A%252F%252Fuser%253Ahunter2%2540prom%252F%253Ftoken%253Dhunter2',
  'https://proxy/?next=http%3A%2F%2Fuser%3Ahunter2%40prom',
  'https://proxy/http://user:hunter2@prom',
  'ssh://git:hunter2@github.com/acme/fleet',
  'postgres://app:hunter2@db:5432/app?password=hunter2',
  'http://\u200buser:hunter2@prom',
  'http://user:hunter2\u0000@prom',
  'http://u:p@a/ http://u:hunter2@b/',
  '{"url":"http://user:hunter2@prom/?token=hunter2"}',
  '<http://user:hunter2@prom>',
  '(http://prom/?token=hunter2)',
  'http://prom/x%3Ftoken=hunter2',
];

describe('addresses in the words of others', () => {
  it.for(SPELLINGS)('say neither user nor password nor query: %s', text => {
    const said = withoutUrlSecrets(`Halt advancement: ${text} and so on`);
    expect(said).not.toMatch(/hunter2|ter2/);
    expect(said).toMatch(/^Halt advancement: /);
  });

  it.for([
    'ghcr.io/stefanprodan/podinfo:6.14.0@sha256:0123456789abcdef',
    'oci://ghcr.io/acme/manifests:v1@sha256:0123456789abcdef',
    'registry:5000/acme/shop@sha256:0123456789abcdef',
    'main@sha1:0123456789012345678901234567890123456789',
    'git@github.com:acme/fleet.git',
    'http://prometheus.monitoring:9090/base',
    'dial tcp 10.0.0.1:443: connect: connection refused',
    'Halt podinfo.prod advancement success rate 90.00% < 99%',
    'Why? Because: it failed.',
    'kustomize build failed: accumulating resources: no such file or directory',
    'http://prom:9090 is down, ask ops@example.com',
    'https://github.com/acme/fleet/commit/0123456',
  ])('stay what they are: %s', text => expect(withoutUrlSecrets(text)).toBe(text));

  it('leave host and path', () => {
    expect(withoutUrlSecrets('at http://user:pw@prom:9090/api/v1?token=x now')).toBe(
      'at http://prom:9090/api/v1?… now',
    );
  });

  it('cost nothing, however long they are', () => {
    const began = performance.now();
    for (const part of ['a:', 'http://', '"http://a', 'a?b=', '%3a%2f%2f', 'a:a@', 'http://a:"'])
      withoutUrlSecrets(part.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
