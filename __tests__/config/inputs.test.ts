import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { fieldsAt } from '../../sandbox/cluster/kube-object.ts';
import { INPUT_DEFAULTS, readInputs } from '../../src/config/inputs.ts';

const action: unknown = parse(readFileSync(new URL('../../action.yml', import.meta.url), 'utf8'));

function read(env: Readonly<Record<string, string>>, masked: string[] = []) {
  return readInputs({ INPUT_TOKEN: 'ghs_secret', ...env }, secret => masked.push(secret));
}

describe('inputs', () => {
  it('are those of action.yml, with the same defaults', () => {
    const token = { token: '$' + '{{ github.token }}' };
    const expected = Object.entries({ ...INPUT_DEFAULTS, ...token }).map(([name, value]) => [
      name,
      expect.objectContaining({ default: value, description: expect.stringMatching(/\w/) }),
    ]);
    expect(action).toMatchObject({ inputs: Object.fromEntries(expected), runs: { using: 'node24' } });
    expect(Object.keys(INPUT_DEFAULTS).sort()).toEqual(Object.keys(fieldsAt(action, 'inputs')).sort());
  });

  it('are read with durations in ms and set line by line', () => {
    const result = read({
      INPUT_SET: 'image=a:1\n# no\n tag = x=y \n',
      INPUT_BRANCHES: 'main, release/*\n  hotfix/**\n',
      'INPUT_APPLY-TIMEOUT': '1h30m',
    });
    expect(result).toMatchObject({
      inputs: {
        set: [
          { name: 'image', value: 'a:1' },
          { name: 'tag', value: 'x=y' },
        ],
        branches: ['main', 'release/*', 'hotfix/**'],
        limits: { applyMs: 5_400_000, jobMs: undefined },
        token: 'ghs_secret',
        gitops: { kind: 'job' },
      },
    });
  });

  it.each([
    [{ 'INPUT_APPLY-TIMEOT': '1m' }, 'Is apply-timeout meant?'],
    [{ INPUT_MODE: 'realease' }, 'Is release meant?'],
    [{ INPUT_BRANCHES: 'main\n!feature' }, '!feature is no name of a branch'],
    [{ INPUT_BRANCHES: 'refs/heads/main' }, 'refs/heads/main is no name of a branch'],
    [{ 'INPUT_APPLY-TIMEOUT': '10' }, 'a duration such as 90s'],
    [{ 'INPUT_ALLOW-DOWNGRADE': 'yes' }, 'true or false'],
    [{ 'INPUT_APP-CLIENT-ID': 'Iv1' }, 'app-private-key is empty'],
    [{ 'INPUT_APP-CLIENT-ID': 'Iv1', 'INPUT_APP-PRIVATE-KEY': 'k', 'INPUT_GITOPS-TOKEN': 't' }, 'two ways'],
    [{ INPUT_SET: 'image' }, 'no name before an equals sign'],
    [{ INPUT_TOKEN: '' }, 'There is no token'],
  ])('%o → %s', (env, words) => {
    expect(JSON.stringify(read(env))).toContain(words);
  });

  it('masks every secret', () => {
    const masked: string[] = [];
    read({ 'INPUT_GITOPS-TOKEN': 'gitops-secret', 'INPUT_APP-PRIVATE-KEY': 'app-secret' }, masked);
    expect(masked.sort()).toEqual(['app-secret', 'ghs_secret', 'gitops-secret']);
  });

  it.each([
    ['https://ghe.example/api/v3', undefined],
    ['http://127.0.0.1:3000/api/v3', undefined],
    ['http://[::1]:3000', undefined],
    ['http://ghe.example/api/v3', 'is not encrypted'],
    ['http://127.0.0.1.evil.example', 'is not encrypted'],
    ['http://localhost.evil.example', 'is not encrypted'],
    ['http://10.0.0.1', 'is not encrypted'],
    ['https://user:hunter2@ghe.example/api/v3', 'holds credentials'],
    ['https://ghe.example/api/v3?token=hunter2', 'goes on after its path'],
    ['ftp://ghe.example', 'is no URL'],
    ['hunter2', 'is no URL'],
  ])('the API %s: %s', (url, words) => {
    const text = JSON.stringify(read({ 'INPUT_GITOPS-API-URL': url, 'INPUT_GITOPS-TOKEN': 't' }));
    if (words === undefined) expect(text).toContain('"inputs"');
    else expect(text).toContain(words);
    expect(text).not.toContain('hunter2');
  });

  it('leave the token of the job to its own host', () => {
    const env = {
      GITHUB_API_URL: 'https://api.github.com',
      'INPUT_GITOPS-API-URL': 'https://ghe.example/api/v3',
    };
    expect(JSON.stringify(read(env))).toContain('the token of the job is not sent there');
    const same = { ...env, 'INPUT_GITOPS-API-URL': 'https://api.github.com/' };
    expect(read(same)).toMatchObject({ inputs: { gitops: { kind: 'job' } } });
  });
});
