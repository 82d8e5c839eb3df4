import type { Clock } from './rollout/ports.ts';
import type { Memory } from './run/memory.ts';
import { TakenOver } from './run/parts.ts';
import { type AbortMarker, abortMarker, watchMarker } from './runtime/abort-marker.ts';
import { saveMemory } from './runtime/saved-state.ts';

/** Main's side of the marker by which the post step takes a rollout over. */
export interface Takeover {
  /** Keeps what post needs, and looks out for its marker from then on. */
  readonly remember: (memory: Memory) => void;
  /** @throws TakenOver */
  readonly mayWrite: () => Promise<void>;
  readonly happens: Promise<'taken-over'>;
  stop(): void;
}

export function watchTakeover(on: { readonly clock: Clock; readonly temp: string }): Takeover {
  const stop = new AbortController();
  const left = Promise.withResolvers<'taken-over'>();
  let marker: AbortMarker | undefined;
  let watched: string | undefined;
  return {
    happens: left.promise,
    stop: () => stop.abort(),
    remember: memory => {
      saveMemory(memory);
      // One step may follow several: a rollout that it takes up, an adoption, its own release.
      if (watched === memory.id) return;
      watched = memory.id;
      marker = abortMarker({ runnerTemp: on.temp, rolloutId: memory.id });
      const { clock } = on;
      void watchMarker({ marker, clock, stop: stop.signal, onLeft: () => left.resolve('taken-over') });
    },
    mayWrite: async () => {
      if (await marker?.isLeft()) throw new TakenOver('The post step has taken over.');
    },
  };
}
