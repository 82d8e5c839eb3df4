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
        gitops: { kind: 'token', token: 'ghs_secret' },
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

  it('masks every secret, and no line of a kubeconfig that is not one', () => {
    const masked: string[] = [];
    const kubeconfig = 'users:\n- name: a\n  user:\n    token: "kube-secret"\n    client-key-data: a2V5\n}\n';
    read({ INPUT_KUBECONFIG: kubeconfig, 'INPUT_GITOPS-TOKEN': 'gitops-secret' }, masked);
    expect(masked.sort()).toEqual(['a2V5', 'ghs_secret', 'gitops-secret', 'kube-secret']);
  });
});
