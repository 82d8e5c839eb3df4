import { Wasi } from './wasi.ts';
import type { FileAnswer, FileRequest } from './worker-protocol.ts';

const ABSENT = -1;
const REFUSED = -2;

type Ask = (request: FileRequest) => FileAnswer;

/** flux-build as WebAssembly, with what it may ask of the world: files. */
export class Program {
  private readonly wasi = new Wasi(() => this.memory);
  private readonly ask: Ask;
  private instance: WebAssembly.Instance | undefined;
  private taken: Uint8Array = new Uint8Array();

  private constructor(ask: Ask) {
    this.ask = ask;
  }

  static async load(bytes: BufferSource, ask: Ask): Promise<Program> {
    const program = new Program(ask);
    const module = await WebAssembly.compile(bytes);
    program.instance = await WebAssembly.instantiate(module, {
      wasi_snapshot_preview1: program.wasi.imports(module),
      files: program.files(),
    });
    program.call('_initialize');
    return program;
  }

  get lastWords(): string {
    return this.wasi.lastWords;
  }

  /** @throws when the program breaks down; it must not be used again then */
  build(query: string): string {
    const bytes = new TextEncoder().encode(query);
    const at = this.call('allocate', bytes.length);
    new Uint8Array(this.memory.buffer, at, bytes.length).set(bytes);
    const size = this.call('build_objects');
    return new TextDecoder().decode(new Uint8Array(this.memory.buffer, this.call('answer_at'), size));
  }

  private get memory(): WebAssembly.Memory {
    const memory = this.instance?.exports['memory'];
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('the program has no memory');
    return memory;
  }

  private call(name: string, ...values: readonly number[]): number {
    const exported = this.instance?.exports[name];
    if (typeof exported !== 'function') throw new Error(`the program has no ${name}`);
    const result: unknown = exported(...values);
    // Go gives unsigned numbers, WebAssembly signed ones.
    return typeof result === 'number' ? result >>> 0 : 0;
  }

  private files(): WebAssembly.ModuleImports {
    const question = (kind: FileRequest['kind']) => (at: number, size: number) => {
      const path = new TextDecoder().decode(new Uint8Array(this.memory.buffer, at >>> 0, size));
      const answer = this.ask({ kind, path });
      if (answer.kind !== 'content') return answer.kind === 'absent' ? ABSENT : REFUSED;
      const { content } = answer;
      this.taken = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return this.taken.length;
    };
    return {
      list: question('list'),
      read: question('read'),
      named: question('named'),
      take: (to: number) => {
        new Uint8Array(this.memory.buffer, to >>> 0, this.taken.length).set(this.taken);
        this.taken = new Uint8Array();
      },
    };
  }
}
