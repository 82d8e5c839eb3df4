import { writeFileSync } from 'node:fs';
import { SCHEMAS } from './schemas.js';
/** Writes schema/*.json from the schemas that the action itself checks with. `npm run schemas`. */
for (const [file, text] of Object.entries(SCHEMAS)) writeFileSync(file, text);
