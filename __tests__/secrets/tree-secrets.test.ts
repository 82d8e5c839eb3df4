import { describe, expect, it } from 'vitest';
import { HiddenValues } from '../../src/secrets/hidden-values.ts';
import { TreeSecrets } from '../../src/secrets/tree-secrets.ts';

function treeOf(files: Readonly<Record<string, string>>, publicText = ''): TreeSecrets {
  const secrets = new TreeSecrets(new HiddenValues(publicText));
  for (const [path, text] of Object.entries(files)) secrets.saw(path, text);
  secrets.learn();
  return secrets;
}

const changed = (secrets: TreeSecrets, path: string, before: string) =>
  secrets.diffOf({ path, before, after: before.replace('old', 'new') });

describe('a tree', () => {
  it.for([
    ['apps/kustomization.yaml', 'secretGenerator: [{envs: [secrets.env]}]'],
    ['apps/kustomization.yml', 'secretGenerator: [{files: [k=./x/../secrets.env]}]'],
    ['Kustomization', 'secretgenerator: [{env: apps/secrets.env}]'],
    ['overlays/prod/kustomization.yaml', 'secretGenerator: [{envs: [../../apps/secrets.env]}]'],
    ['apps/generator.yaml', 'kind: SecretGenerator\nenvs: [secrets.env]'],
    [
      'apps/kustomization.yaml',
      'configMapGenerator: [{envs: [secrets.env]}]\nsecretGenerator: [{envs: [secrets.env]}]',
    ],
  ] as const)('a file is what %s makes of it: %s', ([path, text]) => {
    const secrets = treeOf({ 'apps/secrets.env': 'A=old-value-1\n', [path]: text });
    expect(changed(secrets, 'apps/secrets.env', 'A=old-value-1\n')).toBe('');
    expect(secrets.isHidden('apps/secrets.env', 1)).toBe(true);
    expect(secrets.values.hide('it says old-value-1')).toBe('it says ***');
  });

  it('shows what becomes a ConfigMap, and nothing of what becomes who knows what', () => {
    const secrets = treeOf({
      'apps/app.env': 'A=old\n',
      'apps/other.env': 'A=old\n',
      'apps/kustomization.yaml': 'configMapGenerator: [{envs: [app.env]}]',
    });
    expect(changed(secrets, 'apps/app.env', 'A=old\n')).toBe('@@ -1,1 +1,1 @@\n-A=old\n+A=new');
    expect(changed(secrets, 'apps/other.env', 'A=old\n')).toBe('');
  });

  it('shows of a Secret among other documents that it changes, at the right lines', () => {
    const text = 'kind: Deployment\nimage: old\n---\nkind: Secret\nstringData: {a: old}\n';
    expect(treeOf({}).diffOf({ path: 'a.yaml', before: text, after: text.replaceAll('old', 'new') })).toBe(
      [
        '@@ -1,5 +1,5 @@',
        ' kind: Deployment',
        '-image: old',
        '+image: new',
        ' (secret: not shown)',
        ' (secret: not shown)',
        '-(secret: not shown)',
        '+(secret: not shown)',
      ].join('\n'),
    );
  });

  it.for(['db.sops.yaml', 'db.enc.yaml', 'db.sops.json', 'tls.pem'])('shows nothing of %s', path => {
    expect(changed(treeOf({}), path, 'kind: ConfigMap\ndata: {a: old}\n')).toBe('');
  });

  it('hides a value as others spell it, and leaves common and public words', () => {
    const secrets = treeOf(
      {
        'a.yaml':
          'kind: Secret\nstringData:\n  password: p@ss"word-1/x\n  user: podinfo\n  name: production\n  port: "5432"\n  app: app-user-7\n',
      },
      'app-user-7',
    );
    for (const spelling of ['p@ss"word-1/x', 'p@ss\\"word-1/x', 'p%40ss%22word-1%2Fx'])
      expect(secrets.values.hide(`see ${spelling} there`)).toBe('see *** there');
    const plain = 'podinfo in production at 5432 by app-user-7';
    expect(secrets.values.hide(plain)).toBe(plain);
    expect(secrets.values.hideIn({ a: ['p@ss"word-1/x'], b: 1, c: { d: true } })).toEqual({
      a: ['***'],
      b: 1,
      c: { d: true },
    });
  });
});
