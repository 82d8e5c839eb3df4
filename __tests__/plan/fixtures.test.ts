import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReleasePlan } from '../../src/plan/plan.ts';
import { unifiedDiff } from '../../src/report/unified-diff.ts';
import { planOf } from './planning.ts';

/**
 * Folders of many shapes: what rollout.yaml asks for, and the diff that it becomes (expected.diff, reviewed by a person;
 * `vitest -u` writes it anew). Where kustomize or kubectl is here, the build after it proves the diff.
 */
const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const onSchema = z.strictObject({
  folder: z.string().exactOptional(),
  parent: z.string().exactOptional(),
  applier: z.strictObject({ targetNamespace: z.string() }).exactOptional(),
});

function text(...path: readonly string[]): string | undefined {
  try {
    return readFileSync(join(FIXTURES, ...path), 'utf8');
  } catch {
    return undefined;
  }
}

function treeOf(shape: string): Record<string, string> {
  const root = join(FIXTURES, shape, 'tree');
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(root, path), readFileSync(path, 'utf8')];
    }),
  );
}

const ALL_SHOWN = { before: new Set<number>(), after: new Set<number>() };

function diffOf(plan: ReleasePlan): string {
  return plan.files
    .map(
      ({ path, before, text: after }) =>
        `--- ${path}\n${unifiedDiff(before?.text ?? '', after, ALL_SHOWN)}\n`,
    )
    .join('\n')
    .replaceAll('\r', '␍');
}

describe('folders of many shapes', () => {
  for (const shape of readdirSync(FIXTURES)) {
    it(shape, async () => {
      const files = treeOf(shape);
      const rollout = text(shape, 'rollout.yaml') ?? '';
      const on = {
        ...onSchema.parse(JSON.parse(text(shape, 'on.json') ?? '{}')),
        ...{},
      };
      const plan = await planOf(files, rollout, on);
      await expect(diffOf(plan)).toMatchFileSnapshot(join(FIXTURES, shape, 'expected.diff'));
      {
        // In each shape one Deployment changes, and what a generator makes for it.
        const changed = plan.build.objects
          .map(({ object }) => object)
          .filter(each => !each.startsWith('ConfigMap'));
        expect(changed).toHaveLength(1);
      }
      const written = Object.fromEntries(plan.files.map(file => [file.path, file.text]));
      const again = await planOf({ ...files, ...written }, rollout, on);
      expect(again.unchanged).toBe(true);
      expect(again.files).toEqual([]);
    });
  }
});
