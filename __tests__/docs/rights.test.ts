import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { appManifest, rbacFile, withRights } from '../../scripts/rights.ts';
import { appPermissions, APP_PERMISSIONS } from '../../src/rights/github-permissions.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('the rights that are published', () => {
  it.each([
    ['deploy/rbac.yaml', rbacFile],
    ['deploy/github-app-manifest.json', appManifest],
    ['README.md', () => withRights(read('README.md'))],
  ])('%s is what the code says (npm run schemas)', (path, made) => {
    expect(read(path)).toBe(made());
  });

  it('of the App are those that its tokens are minted with', () => {
    expect(appPermissions('release')).toEqual(
      Object.fromEntries(APP_PERMISSIONS.map(({ name, access }) => [name, access])),
    );
    expect(JSON.parse(appManifest())).toMatchObject({ default_permissions: appPermissions('sweep') });
    expect(Object.values(appPermissions('plan'))).not.toContain('write');
  });
});
