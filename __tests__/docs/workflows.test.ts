import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findings } from './workflow-rules.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const files = (folder: string, end: string) =>
  readdirSync(new URL(folder, root))
    .filter(name => name.endsWith(end))
    .map(name => `${folder}${name}`);

const workflows = files('.github/workflows/', '.yml').map(file => ({ at: file, text: read(file) }));
const pages = ['./', 'docs/', 'sandbox/', 'testbed/'].flatMap(folder => files(folder, '.md'));
const snippets = pages.flatMap(file =>
  [...read(file).matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)]
    .map(([, text = ''], index) => ({ at: `${file}, block ${index + 1}`, text }))
    .filter(({ text }) => /^ *-? *uses:|^jobs:/m.test(text)),
);

describe('workflows, our own and those of the pages', () => {
  it.each([...workflows, ...snippets])('$at: safe', ({ text }) => {
    expect(findings(text)).toEqual([]);
  });

  it('are found', () => {
    expect(workflows.length).toBeGreaterThanOrEqual(4);
    expect(snippets.map(({ at }) => at.split(',')[0])).toEqual(
      expect.arrayContaining(['./README.md', 'docs/recipes.md']),
    );
  });
});

const SHA = '0123456789012345678901234567890123456789';
const good = `
on: {push: {branches: [main]}}
permissions: {}
concurrency: {group: a}
jobs:
  a:
    timeout-minutes: 5
    environment: production
    permissions: {contents: read}
    steps:
    - uses: actions/checkout@${SHA} # v7.0.1
      with: {persist-credentials: false}
    - run: echo "$VALUE"
      env: {VALUE: '\${{ secrets.VALUE }}'}
`;

describe('the rules', () => {
  it('let a safe workflow pass', () => {
    expect(findings(good)).toEqual([]);
  });

  it.each([
    ['a tag', good.replace(SHA, 'v7'), 'not pinned'],
    ['a short commit', good.replace(SHA, SHA.slice(0, 12)), 'not pinned'],
    ['no version beside it', good.replace(' # v7.0.1', ''), 'not pinned'],
    ['kept credentials', good.replace('{persist-credentials: false}', '{fetch-depth: 0}'), '.git/config'],
    [
      'rights for all jobs',
      good.replace('permissions: {}', 'permissions: {contents: read}'),
      'whole workflow',
    ],
    ['no rights said', good.replace('permissions: {}\n', ''), 'whole workflow'],
    ['all rights', good.replace('{contents: read}', 'write-all'), 'one by one'],
    ['an expression in a script', good.replace('$VALUE', `$\{{ github.event.title }}`), 'within a script'],
    ['secrets outside of an environment', good.replace('    environment: production\n', ''), 'secrets.VALUE'],
    [
      'a dangerous trigger',
      good.replace('push: {branches: [main]}', 'pull_request_target: {}'),
      'secrets on what',
    ],
    ['no concurrency', good.replace('concurrency: {group: a}\n', ''), 'concurrency'],
    ['no limit of time', good.replace('    timeout-minutes: 5\n', ''), 'timeout-minutes'],
    [
      'a cache in a release',
      good.replace('branches: [main]', 'tags: [v1]').replace('actions/checkout', 'actions/setup-node'),
      'cache',
    ],
    ['loose steps', '- uses: actions/checkout@v7\n', 'not pinned'],
  ])('find %s', (_, text, words) => {
    expect(findings(text).join('\n')).toContain(words);
  });
});
