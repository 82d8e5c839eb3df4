import { readFileSync, writeFileSync } from 'node:fs';
import { referencePage } from './reference.ts';
import { appManifest, rbacFile, withRights } from './rights.ts';
import { SCHEMAS } from './schemas.ts';

/**
 * Writes schema/*.json, docs/reference.md, deploy/* and the README's tables of rights from what the action itself checks
 * with. `npm run schemas`.
 */
for (const [file, text] of Object.entries(SCHEMAS)) writeFileSync(file, text);
writeFileSync('docs/reference.md', referencePage());
writeFileSync('deploy/rbac.yaml', rbacFile());
writeFileSync('deploy/github-app-manifest.json', appManifest());
writeFileSync('README.md', withRights(readFileSync('README.md', 'utf8')));
