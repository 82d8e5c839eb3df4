import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitFolder } from '../../src/cli/git-folder.ts';

describe('what git is asked of a folder', () => {
  it('never runs what a bare repository in the tree says', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gated-rollout-embedded-'));
    try {
      const env = join(folder, 'env');
      const marker = join(folder, 'ran');
      for (const path of ['objects/x', 'refs/heads', 'apps']) mkdirSync(join(env, path), { recursive: true });
      writeFileSync(join(env, 'HEAD'), 'ref: refs/heads/main\n');
      const config = `[core]\nrepositoryformatversion = 0\nbare = false\nworktree = "."\nfsmonitor = "touch ${marker}"\n`;
      writeFileSync(join(env, 'config'), config);
      // Else nothing would be shown: git as it is obeys it.
      execFileSync('git', ['-C', env, 'status', '--porcelain'], { stdio: 'ignore' });
      expect(existsSync(marker)).toBe(true);
      rmSync(marker);

      expect((await gitFolder(env)).head).toBeUndefined();
      expect(existsSync(marker)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
