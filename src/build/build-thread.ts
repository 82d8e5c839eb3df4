import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { BuildLimits } from './limits.ts';
import type { SourceTree } from './source-tree.ts';
import type { FileRequest, WorkerMessage, WorkerStart } from './worker-protocol.ts';
import { PROGRAM, WORKER } from './where.ts';

export type Ran =
  | { readonly kind: 'answer'; readonly json: string }
  | { readonly kind: 'too-slow' | 'too-big' | 'ended' }
  | { readonly kind: 'crashed'; readonly words: string }
  /** The repository could not be read. */
  | { readonly kind: 'failed'; readonly error: unknown };

const WATCH_MS = 50;

/** A worker with the builder in it. It runs one build at a time; once anything but an answer came out, it is used up. */
export class BuildThread {
  private readonly worker: Worker;
  private readonly files: MessagePort;
  private readonly answers = new SharedArrayBuffer(4);
  private readonly limits: BuildLimits;
  private readonly ready: Promise<Ran | undefined>;
  private running: { readonly tree: SourceTree; readonly end: (ran: Ran) => void } | undefined;

  constructor(limits: BuildLimits) {
    this.limits = limits;
    const { port1, port2 } = new MessageChannel();
    const start: WorkerStart & { readonly files: MessagePort } = {
      program: PROGRAM,
      answers: this.answers,
      files: port2,
    };
    this.files = port1;
    // Nothing of the environment goes in, nothing of what it prints comes out.
    this.worker = new Worker(WORKER, {
      workerData: start,
      transferList: [port2],
      env: {},
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
    });
    this.ready = new Promise(resolve => {
      const late = setTimeout(() => resolve({ kind: 'too-slow' }), limits.startMs);
      const done = (ran: Ran | undefined) => {
        clearTimeout(late);
        resolve(ran);
      };
      this.worker.on('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') done(undefined);
        else this.running?.end(message);
      });
      this.worker.on('error', error => {
        const crashed = { kind: 'crashed', words: String(error) } as const;
        done(crashed);
        this.running?.end(crashed);
      });
      this.worker.on('exit', () => {
        done({ kind: 'ended' });
        this.running?.end({ kind: 'ended' });
      });
    });
    this.files.on('message', (request: FileRequest) => this.serve(request));
    this.rest();
  }

  async run(query: string, tree: SourceTree): Promise<Ran> {
    this.worker.ref();
    try {
      return (await this.ready) ?? (await this.build(query, tree));
    } finally {
      this.rest();
    }
  }

  async end(): Promise<void> {
    this.files.close();
    await this.worker.terminate();
  }

  private build(query: string, tree: SourceTree): Promise<Ran> {
    const memory = process.memoryUsage.rss();
    const processor = process.cpuUsage();
    return new Promise<Ran>(resolve => {
      const watch = setInterval(() => {
        const { user, system } = process.cpuUsage(processor);
        if ((user + system) / 1000 > this.limits.buildMs(tree.bytesRead)) end({ kind: 'too-slow' });
        if (process.memoryUsage.rss() - memory > this.limits.memoryBytes) end({ kind: 'too-big' });
      }, WATCH_MS);
      const end = (ran: Ran) => {
        clearInterval(watch);
        this.running = undefined;
        resolve(ran);
      };
      this.running = { tree, end };
      this.worker.postMessage(query);
    });
  }

  /** The worker sleeps until the answer is counted. */
  private async serve(request: FileRequest): Promise<void> {
    const { running } = this;
    if (!running) return;
    try {
      this.files.postMessage(await running.tree.answer(request));
    } catch (error) {
      running.end({ kind: 'failed', error });
      return;
    }
    const answers = new Int32Array(this.answers);
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  }

  /** A builder that nobody waits for keeps no program alive. */
  private rest(): void {
    this.worker.unref();
    this.files.unref();
  }
}
