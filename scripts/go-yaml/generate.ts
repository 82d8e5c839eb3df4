import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Asks Go's YAML libraries anew how they read the texts of the table, and those given as arguments: run by hand where Go
 * is, when the libraries in go.mod change.
 */
const table = join(import.meta.dirname, '../../__tests__/edit/go-yaml-readings.json');
const old: { readonly readings: readonly (readonly [text: string, block: string, flow: string])[] } =
  JSON.parse(readFileSync(table, 'utf8'));
const texts = [...new Set([...old.readings.map(([text]) => text), ...process.argv.slice(2)])].toSorted();
const output = execFileSync('go', ['run', '.', 'all'], {
  cwd: import.meta.dirname,
  input: texts.map(text => JSON.stringify(text)).join('\n'),
  encoding: 'utf8',
});
const source =
  'scripts/go-yaml: go.yaml.in/yaml/v2 v2.4.4 (sigs.k8s.io/yaml) and go.yaml.in/yaml/v3 v3.0.4 (kyaml); v2 / v3 where they differ';
const readings = output
  .trim()
  .split('\n')
  .map(line => {
    const { text, block, flow }: Readonly<Record<'text' | 'block' | 'flow', string>> = JSON.parse(line);
    return `    [${[text, block, flow].map(each => JSON.stringify(each)).join(', ')}]`;
  });
writeFileSync(
  table,
  `{\n  "source": ${JSON.stringify(source)},\n  "readings": [\n${readings.join(',\n')}\n  ]\n}\n`,
);
