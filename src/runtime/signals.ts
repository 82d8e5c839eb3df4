const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What is needed of `process`. */
export interface SignalSource {
  on(signal: (typeof SIGNALS)[number], listener: () => void): unknown;
}

/**
 * Aborted by the first SIGINT or SIGTERM; its reason is the signal's name. The runner sends SIGINT, 7.5 s later
 * SIGTERM, and 2.5 s after that it kills (runner ProcessInvoker.cs): the later ones change nothing, but are caught, so
 * that the work that the first one started can go on. A person's cancel, a failing matrix leg and a time limit look
 * the same.
 */
export function cancelOnSignals(source: SignalSource = process): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    source.on(signal, () => {
      if (!controller.signal.aborted) controller.abort(signal);
    });
  }
  return controller.signal;
}
