import { readFileSync } from 'node:fs';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { brotliDecompressSync } from 'node:zlib';
import { Program } from './program.ts';
import type { FileAnswer, FileRequest, WorkerMessage, WorkerStart } from './worker-protocol.ts';

/** The thread that Flux's build runs in. It asks for files through its own port, and sleeps until they come. */
const start: WorkerStart & { readonly files: MessagePort } = workerData;
const answers = new Int32Array(start.answers);

function ask(request: FileRequest): FileAnswer {
  const before = Atomics.load(answers, 0);
  start.files.postMessage(request);
  Atomics.wait(answers, 0, before);
  const received: { readonly message: FileAnswer } | undefined = receiveMessageOnPort(start.files);
  return received?.message ?? { kind: 'absent' };
}

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

const program = await Program.load(brotliDecompressSync(readFileSync(start.program)), ask);
parentPort?.on('message', (query: string) => {
  try {
    tell({ kind: 'answer', json: program.build(query) });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    tell({ kind: 'crashed', words: `${words}\n${program.lastWords}`.trim() });
  }
});
tell({ kind: 'ready' });
