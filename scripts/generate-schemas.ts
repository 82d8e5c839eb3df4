import { writeFileSync } from 'node:fs';
import { referencePage } from './reference.ts';
import { SCHEMAS } from './schemas.ts';

/** Writes schema/*.json and docs/reference.md from what the action itself checks with. `npm run schemas`. */
for (const [file, text] of Object.entries(SCHEMAS)) writeFileSync(file, text);
writeFileSync('docs/reference.md', referencePage());
