import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { formatStory, parseStory, type Story } from './story-lines.ts';

const folder = fileURLToPath(new URL('./recorded/', import.meta.url));

/** What the real thing did when it was recorded last: `RECORD=1 npm run test:cluster`. */
export async function readRecording(name: string): Promise<Story> {
  return parseStory(await readFile(`${folder}${name}.txt`, 'utf8'));
}

export async function writeRecording(name: string, story: Story): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}${name}.txt`, formatStory(story));
}
