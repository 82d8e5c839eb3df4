import { spawn } from 'node:child_process';
import { gitEnvironment } from './git-process.js';
const newline = 0x0a;
function isObjectType(value) {
  return value === 'blob' || value === 'tree' || value === 'commit' || value === 'tag';
}
/**
 * One long-lived `git cat-file --batch-command` for a repository: an object costs a write and a read on a
 * pipe instead of a process. It sees objects and refs written after it was started.
 */
export class ObjectReader {
  gitDir;
  child;
  queue = [];
  chunks = [];
  length = 0;
  needed = 1;
  constructor(gitDir) {
    this.gitDir = gitDir;
  }
  /** The object a name (sha or full ref name) stands for, with its bytes; undefined when there is none. */
  read(name) {
    return this.ask(name, true);
  }
  /** Type and size of an object without its bytes; undefined when there is none. */
  async info(name) {
    return await this.ask(name, false);
  }
  /** Ends the git process and waits until it is gone, so that its folder can be removed. */
  async close() {
    const child = this.child;
    if (child === undefined) return;
    const ended = new Promise(resolve => child.once('close', () => resolve()));
    child.stdin.end();
    await ended;
  }
  ask(name, withContent) {
    if (name === '' || /[\0\n]/.test(name)) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.queue.push({ withContent, resolve, reject });
      this.process().stdin.write(`${withContent ? 'contents' : 'info'} ${name}\n`);
    });
  }
  process() {
    if (this.child !== undefined) return this.child;
    const child = spawn('git', ['cat-file', '--batch-command'], { env: gitEnvironment(this.gitDir) });
    child.stdout.on('data', chunk => this.receive(chunk));
    child.stdin.on('error', () => {});
    child.on('error', error => this.fail(error));
    child.on('close', () => {
      this.child = undefined;
      this.fail(new Error('git cat-file ended'));
    });
    this.child = child;
    return child;
  }
  fail(error) {
    for (const pending of this.queue.splice(0)) pending.reject(error);
    this.chunks = [];
    this.length = 0;
    this.needed = 1;
  }
  receive(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
    // A large object comes in many chunks: join them once it can be complete, not each time.
    if (this.length < this.needed) return;
    let buffer = Buffer.concat(this.chunks);
    this.needed = 1;
    for (let rest = this.takeOne(buffer); rest !== undefined; rest = this.takeOne(buffer)) buffer = rest;
    this.chunks = buffer.length > 0 ? [buffer] : [];
    this.length = buffer.length;
  }
  /** Answers the oldest question from the buffer and returns what is left, or undefined when more is needed. */
  takeOne(buffer) {
    const end = buffer.indexOf(newline);
    const pending = this.queue[0];
    if (end < 0 || pending === undefined) return undefined;
    const [sha = '', type, size] = buffer.subarray(0, end).toString().split(' ');
    if (!isObjectType(type)) {
      this.queue.shift();
      pending.resolve(undefined); // "NAME missing" or "NAME ambiguous"
      return buffer.subarray(end + 1);
    }
    const info = { sha, type, size: Number(size) };
    const contentEnd = end + 1 + (pending.withContent ? info.size : 0);
    const next = pending.withContent ? contentEnd + 1 : contentEnd;
    if (buffer.length < next) {
      this.needed = next;
      return undefined;
    }
    this.queue.shift();
    pending.resolve({ ...info, content: Buffer.from(buffer.subarray(end + 1, contentEnd)) });
    return buffer.subarray(next);
  }
}
