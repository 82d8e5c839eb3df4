/** A program's end by its own hand: the instance cannot be used any more. */
export class ProgramExit extends Error {}

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NOT_THERE = 52;
/** Go programs look at their own name. */
const NAME = 'flux-build';
const EVENT_BYTES = 32;
const SUBSCRIPTION_BYTES = 48;

/**
 * The part of WASI (snapshot preview 1) that Go's runtime cannot do without: a clock, and somewhere to write its last
 * words. No arguments but a name, no environment, no files, no random but a fixed sequence: the same input gives the same output.
 * Whatever else a program asks for is not there.
 */
export class Wasi {
  private readonly memory: () => WebAssembly.Memory;
  private words = '';
  private random = 0x2545f491;

  constructor(memory: () => WebAssembly.Memory) {
    this.memory = memory;
  }

  /** What the program wrote last, at most 4,000 characters. */
  get lastWords(): string {
    return this.words;
  }

  imports(module: WebAssembly.Module): WebAssembly.ModuleImports {
    const missing = WebAssembly.Module.imports(module)
      .filter(each => each.module === 'wasi_snapshot_preview1')
      .map(each => [each.name, () => NOT_THERE] as const);
    return { ...Object.fromEntries(missing), ...this.present() };
  }

  private present(): WebAssembly.ModuleImports {
    const view = () => new DataView(this.memory().buffer);
    const none = (count: number, size: number) => {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return SUCCESS;
    };
    return {
      environ_sizes_get: none,
      args_sizes_get: (count: number, size: number) => {
        view().setUint32(count, 1, true);
        view().setUint32(size, NAME.length + 1, true);
        return SUCCESS;
      },
      args_get: (pointers: number, texts: number) => {
        view().setUint32(pointers, texts, true);
        new Uint8Array(this.memory().buffer, texts, NAME.length + 1).set(
          new TextEncoder().encode(`${NAME}\0`),
        );
        return SUCCESS;
      },
      environ_get: () => SUCCESS,
      sched_yield: () => SUCCESS,
      fd_prestat_get: () => BAD_DESCRIPTOR,
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        view().setBigUint64(at, BigInt(Math.round(performance.now() * 1_000_000)), true);
        return SUCCESS;
      },
      random_get: (at: number, size: number) => {
        for (let index = 0; index < size; index++) view().setUint8(at + index, this.next());
        return SUCCESS;
      },
      // Go waits for nothing but its own timers: they are due at once.
      poll_oneoff: (subscriptions: number, events: number, count: number, fired: number) => {
        const memory = view();
        for (let index = 0; index < count; index++) {
          const event = events + index * EVENT_BYTES;
          const user = memory.getBigUint64(subscriptions + index * SUBSCRIPTION_BYTES, true);
          memory.setBigUint64(event, user, true);
          memory.setBigUint64(event + 8, 0n, true);
        }
        memory.setUint32(fired, count, true);
        return SUCCESS;
      },
      fd_write: (_descriptor: number, vectors: number, count: number, written: number) => {
        const memory = view();
        let total = 0;
        for (let index = 0; index < count; index++) {
          const at = memory.getUint32(vectors + index * 8, true);
          const size = memory.getUint32(vectors + index * 8 + 4, true);
          const bytes = new Uint8Array(this.memory().buffer, at, size);
          this.words = (this.words + new TextDecoder().decode(bytes)).slice(-4_000);
          total += size;
        }
        memory.setUint32(written, total, true);
        return SUCCESS;
      },
      proc_exit: (code: number) => {
        throw new ProgramExit(`ended with ${code}`);
      },
    };
  }

  private next(): number {
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return this.random & 0xff;
  }
}
