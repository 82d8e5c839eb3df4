import { createHash } from 'node:crypto';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
const compress = promisify(deflate);
/** Git's own name for an object of this content. */
export function objectSha(type, content) {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}
/**
 * Writes a loose object the way git does (deflated, temporary name, rename) and returns its sha. Done here and
 * not by `git hash-object`, because a process for each blob would make this server the slowest part of a run.
 */
export async function writeLooseObject(gitDir, object) {
  const sha = objectSha(object.type, object.content);
  const folder = join(gitDir, 'objects', sha.slice(0, 2));
  const file = join(folder, sha.slice(2));
  if (await stat(file).catch(() => undefined)) return sha;
  const bytes = await compress(
    Buffer.concat([Buffer.from(`${object.type} ${object.content.length}\0`), object.content]),
    { level: 1 },
  );
  await mkdir(folder, { recursive: true });
  temporaries += 1;
  const temporary = join(folder, `tmp_obj_${process.pid}_${temporaries}`);
  await writeFile(temporary, bytes, { mode: 0o444 });
  await rename(temporary, file);
  return sha;
}
let temporaries = 0;
export function objectTypeOf(mode) {
  if (mode === '040000') return 'tree';
  return mode === '160000' ? 'commit' : 'blob';
}
function treeMode(raw) {
  switch (raw) {
    case '40000':
      return '040000';
    case '100755':
    case '160000':
    case '120000':
      return raw;
    default:
      return '100644'; // 100664 of old repositories reads as an ordinary file
  }
}
export function parseTree(content) {
  const entries = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    entries.push({
      mode: treeMode(content.toString('latin1', at, space)),
      name: content.toString('utf8', space + 1, end),
      sha: content.toString('hex', end + 1, end + 21),
    });
    at = end + 21;
  }
  return entries;
}
/** A tree object's bytes. Git sorts by bytes, a folder as if its name ended in a slash. */
export function serializeTree(entries) {
  const key = entry => Buffer.from(entry.mode === '040000' ? `${entry.name}/` : entry.name);
  const sorted = entries
    .map(entry => ({ entry, key: key(entry) }))
    .sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(
    sorted.flatMap(({ entry }) => [
      Buffer.from(`${entry.mode.replace(/^0/, '')} ${entry.name}\0`),
      Buffer.from(entry.sha, 'hex'),
    ]),
  );
}
function parseSignature(line) {
  const match = /^(.*?) ?<(.*)> (\d+) ([+-])(\d\d)(\d\d)$/.exec(line);
  if (match === null) return { name: line, email: '', date: '1970-01-01T00:00:00Z' };
  const [, name = '', email = '', seconds = '0', sign = '+', hours = '00', minutes = '00'] = match;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  const local = new Date((Number(seconds) + offset) * 1000).toISOString().slice(0, 19);
  return { name, email, date: `${local}${offset === 0 ? 'Z' : `${sign}${hours}:${minutes}`}` };
}
function formatSignature(signature) {
  const seconds = Math.floor(Date.parse(signature.date) / 1000);
  const offset = /([+-])(\d\d):?(\d\d)$/.exec(signature.date);
  const clean = text => text.replace(/[<>\n]/g, '');
  const zone = offset === null ? '+0000' : `${offset[1]}${offset[2]}${offset[3]}`;
  return `${clean(signature.name)} <${clean(signature.email)}> ${seconds} ${zone}`;
}
export function parseCommit(sha, content) {
  const text = content.toString();
  const end = text.indexOf('\n\n');
  const headers = new Map();
  let last = [];
  for (const line of text.slice(0, end).split('\n')) {
    if (line.startsWith(' ')) {
      last.push(`${last.pop() ?? ''}\n${line.slice(1)}`);
      continue;
    }
    const space = line.indexOf(' ');
    const name = line.slice(0, space);
    last = headers.get(name) ?? [];
    last.push(line.slice(space + 1));
    headers.set(name, last);
  }
  const signature = headers.get('gpgsig')?.[0];
  return {
    sha,
    tree: headers.get('tree')?.[0] ?? '',
    parents: headers.get('parent') ?? [],
    author: parseSignature(headers.get('author')?.[0] ?? ''),
    committer: parseSignature(headers.get('committer')?.[0] ?? ''),
    message: text.slice(end + 2),
    ...(signature === undefined ? {} : { gpgsig: signature }),
  };
}
export function serializeCommit(commit) {
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map(parent => `parent ${parent}`),
    `author ${formatSignature(commit.author)}`,
    `committer ${formatSignature(commit.committer)}`,
    ...(commit.gpgsig === undefined ? [] : [`gpgsig ${commit.gpgsig.replaceAll('\n', '\n ')}`]),
  ];
  return Buffer.from(`${lines.join('\n')}\n\n${commit.message}`);
}
