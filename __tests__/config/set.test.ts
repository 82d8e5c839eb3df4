import { describe, expect, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { readInputs } from '../../src/config/inputs.ts';
import { formatProblems } from '../../src/config/problem-text.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';

const FILE = `target: [prod/shop]
change:
- image: ghcr.io/acme/shop
  repositories: [ghcr.io/acme/shop-rc]
- {env: LOG_LEVEL, value: info}
`;

/** What the action says of a value of its input `set`, and what the command line says of the same as `--set`. */
function said(text: string, file = FILE): { readonly action: string; readonly cli: string } {
  const read = readInputs({ INPUT_SET: text, INPUT_TOKEN: 't' }, () => undefined);
  const action = 'problems' in read ? formatProblems(read.problems) : words(file, read.inputs.set);
  try {
    const given = readArguments(['plan', ...text.split('\n').flatMap(line => ['--set', line])]);
    return { action, cli: words(file, given?.set ?? []) };
  } catch (error) {
    return { action, cli: error instanceof Error ? error.message.replaceAll('--set:', 'input set:') : '' };
  }
}

function words(file: string, set: readonly { readonly name: string; readonly value: string }[]): string {
  const parsed = parseRolloutFile(file, { file: 'rollout.yaml', set });
  return 'problems' in parsed ? formatProblems(parsed.problems) : JSON.stringify(parsed.rollout.changes[0]);
}

describe('set', () => {
  it.each([
    ['image=6.14.1', '"version":"6.14.1"'],
    ['image = 6.14.1', '"version":"6.14.1"'],
    ['image=ghcr.io/acme/shop:6.14.1', '"version":"6.14.1"'],
    ['image=ghcr.io/acme/shop-rc:1', '"version":"1","newRepository":"ghcr.io/acme/shop-rc"'],
    ['image=1\nimage=2', 'image is set twice. Found: image twice.'],
    ['image=1\nshop=2', 'image and shop set the same change.'],
    ['"image=6.14.1"', 'leave the quotes out. Found: quotes. Allowed: image=…'],
    ["image='6.14.1'", 'leave the quotes out'],
    ['image=', 'There is nothing after image=: did an expression give nothing?'],
    ['LOG_LEVEL=', "to set an empty one, write value: '' into rollout.yaml."],
    [
      'image=ghcr.io/acme/shop:',
      'There is nothing after “ghcr.io/acme/shop:”: did an expression give nothing?',
    ],
    ['image=ghcr.io/acme/shop@', 'did an expression give nothing?'],
    ['6.14.1', 'There is no name before an equals sign: a name and a value are needed.'],
    ['=6.14.1', 'There is no name before an equals sign: a name and a value are needed.'],
    ['image=1\u0007', 'a control character'.replace('a ', 'another ')],
    ['image=a b', '“a b” is no version of an image.'],
  ])('%j, in the action as on the command line: %s', (text, expected) => {
    const { action, cli } = said(text);
    expect(action).toContain(expected);
    expect(cli).toBe(action);
  });

  it('a line end in a value of the command line is the value’s fault', () => {
    expect(() => readArguments(['plan', '--set', 'LOG_LEVEL=a\nb'])).toThrow(
      'The value given for LOG_LEVEL has a line end or another control character in it.',
    );
  });

  it('an empty value is taken from rollout.yaml', () => {
    const file = FILE.replace('value: info', "value: ''");
    expect(said('image=1', file).action).toContain('"version":"1"');
  });
});

describe('an image from another repository', () => {
  it.each([
    'evil.example/attacker/backdoor:1',
    'attacker/shop:1',
    'ghcr.io/acme/shop2:1',
    'ghcr.io/acme/shop/x:1',
    'ghcr.io:443/acme/shop:1',
    'shop:1',
    `evil.example/acme/shop@sha256:${'a'.repeat(64)}`,
    'GHCR.IO/acme/shop:1',
  ])('%s is refused unless rollout.yaml lists it', value => {
    const repository = value.replace(/[:@](?:1|sha256:.*)$/, '');
    const { action, cli } = said(`image=${value}`);
    expect(action).toBe(
      `rollout.yaml:3:3: change[0].image: The value names another repository than rollout.yaml: ${repository}. Found: ${value}. Allowed: ghcr.io/acme/shop, ghcr.io/acme/shop-rc. If images may come from there, list it beside the image: repositories: [${repository}].`,
    );
    expect(cli).toBe(action);
    const listed = FILE.replace('ghcr.io/acme/shop-rc', repository);
    expect(said(`image=${value}`, listed).action).toContain(`"newRepository":"${repository}"`);
  });

  it('is taken where the file itself says it', () => {
    const file = 'target: [a/b]\nchange: [{image: ghcr.io/acme/shop, value: "ghcr.io/other/shop:1"}]\n';
    expect(words(file, [])).toContain('"newRepository":"ghcr.io/other/shop"');
  });

  it.each([
    ['nginx', 'docker.io/library/nginx:1'],
    ['docker.io/acme/shop', 'acme/shop:1'],
    ['acme/shop', 'index.docker.io/acme/shop:1'],
    ['localhost:5000/shop', 'localhost:5000/shop:1'],
  ])('%s and %s are the same', (image, value) => {
    const file = `target: [a/b]\nchange: [{image: "${image}"}]\n`;
    const changed = words(file, [{ name: 'image', value }]);
    expect(changed).toContain('"version":"1"');
    expect(changed).not.toContain('newRepository');
  });

  it('repositories belong to an image', () => {
    const file = 'target: [a/b]\nchange: [{env: A, value: 1, repositories: [x/y]}]\n';
    expect(words(file, [])).toContain('Only an image comes from a repository.');
  });
});
