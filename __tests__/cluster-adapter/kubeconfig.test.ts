import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadKubeconfig, tlsWarnings } from '../../src/cluster/login/kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every leaf that is a secret holds SECRET; masked must be those and nothing else. */
const document = {
  apiVersion: 'v1',
  kind: 'Config',
  preferences: {},
  clusters: [
    {
      name: 'prod',
      cluster: {
        server: 'https://api.prod.example:6443',
        'certificate-authority-data': 'Q0E=',
        'proxy-url': 'http://who:SECRET-proxy@proxy.example:3128',
      },
    },
    { name: 'test', cluster: { server: 'https://api.test.example' } },
  ],
  users: [
    { name: 'ci', user: { token: 'SECRET-token', 'client-key-data': 'U0VDUkVULWtleQ==' } },
    { name: 'basic', user: { username: 'admin', password: 'SECRET pass: {word}' } },
    { name: 'digits', user: { token: 12345678901234567890n } },
    {
      name: 'eks',
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1beta1',
          command: 'kubelogin',
          args: [
            'get-token',
            '--client-secret',
            'SECRET-arg',
            '--token=SECRET-flag',
            '--server-id',
            'open-id',
          ],
          env: [
            { name: 'AWS_PROFILE', value: 'prod' },
            { name: 'AWS_SECRET_ACCESS_KEY', value: 'SECRET-env' },
          ],
          interactiveMode: 'IfAvailable',
          provideClusterInfo: false,
        },
      },
    },
    {
      name: 'oidc',
      user: {
        'auth-provider': {
          name: 'oidc',
          config: { 'client-id': 'open-client', 'id-token': 'SECRET-id', 'refresh-token': 'SECRET-refresh' },
        },
      },
    },
  ],
  contexts: [
    { name: 'ci@prod', context: { cluster: 'prod', user: 'ci', namespace: 'prod' } },
    { name: 'eks@test', context: { cluster: 'test', user: 'eks' } },
  ],
  'current-context': 'ci@prod',
};
const secrets = [
  '12345678901234567890',
  'SECRET pass: {word}',
  'SECRET-arg',
  'SECRET-env',
  'SECRET-flag',
  'SECRET-id',
  'SECRET-proxy',
  'SECRET-refresh',
  'SECRET-token',
  'U0VDUkVULWtleQ==',
];

const block = stringify(document);
const json =
  block && JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? 'N' : value), 2);
const asJson = json.replace('"N"', '12345678901234567890');
const path = join(folder, 'config');
writeFileSync(path, block);

const FORMS: Readonly<Record<string, string>> = {
  'YAML in blocks': block,
  'YAML in flow style': stringify(document, { collectionStyle: 'flow' }),
  'YAML on one line': stringify(document, { collectionStyle: 'flow', lineWidth: 0 }).replaceAll('\n', ' '),
  'YAML with a byte order mark and CRLF': `\uFEFF${block.replaceAll('\n', '\r\n')}`,
  JSON: asJson,
  'JSON on one line': JSON.stringify(
    JSON.parse(asJson.replace('12345678901234567890', '"12345678901234567890"')),
  ),
  'base64 of YAML': Buffer.from(block).toString('base64'),
  'base64 of JSON, in lines': (
    Buffer.from(asJson)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\n'),
  'a path': path,
};

function load(kubeconfig: string, context?: string) {
  const masked: string[] = [];
  return { masked, config: loadKubeconfig({ kubeconfig, context, mask: secret => masked.push(secret) }) };
}

function refusal(kubeconfig: string): string {
  try {
    load(kubeconfig);
  } catch (error) {
    return String(error);
  }
  throw new Error('it was taken');
}

describe('a kubeconfig', () => {
  it.each(Object.entries(FORMS))('as %s is read, and masked by its leaves', (form, text) => {
    const { config, masked } = load(text, 'eks@test');
    expect(config.getCurrentCluster()?.server).toBe('https://api.test.example');
    expect(config.getCurrentUser()?.exec).toMatchObject({ command: 'kubelogin' });
    const whole = form.startsWith('base64') ? [text] : [];
    expect(masked.toSorted()).toEqual([...secrets, ...whole].toSorted());
  });

  it.each(['tokenFile', 'token-file'])('may name a file with the token: %s', key => {
    const file = join(folder, 'token');
    writeFileSync(file, 'SECRET-in-file\n');
    const { config, masked } = load(one({ server: 'https://a' }, { [key]: file }));
    expect(config.getCurrentUser()?.token).toBe('SECRET-in-file');
    expect(masked).toEqual(['SECRET-in-file']);
  });

  it('keeps its anchors and merge keys', () => {
    const text = `x: &user {token: SECRET-anchor}\nclusters: [{name: a, cluster: {server: https://a}}]\nusers: [{name: a, user: {<<: *user}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n`;
    const { config, masked } = load(text);
    expect(config.getCurrentUser()?.token).toBe('SECRET-anchor');
    expect(masked).toEqual(['SECRET-anchor']);
  });

  it.each([
    ['users: [{user: {token: hunter2-open\n', 'it is no YAML that can be read (line 2, column 1)'],
    ['users: !<!hunter2-tag> *hunter2-alias\n', 'it is no YAML that can be read (line 1, column'],
    ['"hunter2 is a text\\nof two lines"\n', 'it is not one YAML or JSON object'],
    ['--- {a: hunter2}\n--- {b: hunter2}\n', 'it is not one YAML or JSON object'],
    ['hunter2-no-path', 'nor the path of a file'],
    [Buffer.from('hunter2 '.repeat(20)).toString('base64'), 'nor the path of a file'],
    ['clusters: [{name: a, cluster: {hunter2: b}}]\n', 'clusters[0].cluster.server is missing'],
    ['clusters: [{name: a, cluster: {server: {hunter2: 1}}}]\n', 'cannot be read as a kubeconfig'],
    [one({ server: 'http://10.0.0.1:8080' }), 'its server is not reached by https'],
    [one({ server: 'http://127.0.0.1.evil.example' }), 'its server is not reached by https'],
    [
      one({ server: 'https://a' }, { 'auth-provider': { name: 'gcp', config: {} } }),
      'gcp was taken out of kubectl',
    ],
  ])('%j is refused, and not shown', (text, words) => {
    const message = refusal(text);
    expect(message).toContain('The kubeconfig cannot be used');
    expect(message).toContain(words);
    expect(message).not.toMatch(/hunter2/);
    expect(message).not.toContain(text.slice(0, 20));
  });

  it.each(['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001'])(
    'may name a proxy on this machine: %s',
    server => {
      expect(load(one({ server })).config.getCurrentCluster()?.server).toBe(server);
    },
  );
});

describe('a connection that verifies nothing', () => {
  it('is warned of, whoever turned it off', () => {
    const off = load(one({ server: 'https://a', 'insecure-skip-tls-verify': true })).config;
    const on = load(one({ server: 'https://a' })).config;
    const local = load(one({ server: 'http://127.0.0.1:1' })).config;
    expect(tlsWarnings(off, {})).toEqual([expect.stringContaining('insecure-skip-tls-verify')]);
    expect(tlsWarnings(on, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual([
      expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED=0'),
    ]);
    expect([...tlsWarnings(on, {}), ...tlsWarnings(local, {})]).toEqual([]);
  });
});

function one(cluster: object, user: object = { token: 'tokentoken' }): string {
  return stringify({
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  });
}
