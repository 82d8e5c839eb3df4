import type { Clock } from '../rollout/ports.ts';
import { newLines } from './log-lines.ts';
import type { RolloutView } from './view.ts';
import { about } from './durations.ts';
import { headline } from './words.ts';

/** One place that a report is shown at. Its failures are its own: they never reach the rollout. */
export interface ReportSink {
  /** For the log: `The check run`. */
  readonly name: string;
  /** Whether this view is worth a write now. Asked often; must be cheap. */
  wants(view: RolloutView, now: number): boolean;
  /** @throws when it could not; ComeBackLater when that was a limit, and the same view is wanted again. */
  write(view: RolloutView, on: Writing): Promise<void>;
}

/** How a view is to be written. */
export interface Writing {
  /** Nothing comes after it. */
  readonly last: boolean;
  /** Resolves when the next request that writes may be sent; to be awaited before each of them. */
  readonly turn: () => Promise<void>;
}

export interface ReportLog {
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
}

/** Whoever is asked wants nothing more to be written for so long. */
export class ComeBackLater extends Error {
  override readonly name = 'ComeBackLater';
  readonly waitMs: number;

  constructor(message: string, on: { readonly waitMs: number; readonly cause?: unknown }) {
    super(message, { cause: on.cause });
    this.waitMs = on.waitMs;
  }
}

/** A right is missing; the message says the line to add. A person should see it, and asking again would not help. */
export class ReportForbidden extends Error {
  override readonly name = 'ReportForbidden';
}

/** GitHub's rule for writes: no two within a second (docs "Best practices for using the REST API"). */
const BETWEEN_WRITES_MS = 1_000;
/** For the last report of one place (ms). */
const LAST_REPORT_MS = 60_000;
/** The rollout has ended; a job may wait so long for a limit to pass, so that its end is shown (ms). */
const LONGEST_LAST_WAIT_MS = 90_000;

/**
 * Shows a rollout in the log at once, and elsewhere as often as each place wants it. Never throws, and `update` never
 * waits: a place that does not answer costs the rollout nothing.
 */
export class Reporter {
  private readonly sinks: readonly ReportSink[];
  private readonly log: ReportLog;
  private readonly clock: Clock;
  private readonly said = new Set<string>();
  private readonly complained = new Set<string>();
  private latest: RolloutView | undefined;
  private pump: Promise<void> | undefined;
  private readonly ending = new AbortController();
  private lastWrite = Number.NEGATIVE_INFINITY;
  private pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(on: { readonly sinks: readonly ReportSink[]; readonly log: ReportLog; readonly clock: Clock }) {
    this.sinks = on.sinks;
    this.log = on.log;
    this.clock = on.clock;
  }

  update(view: RolloutView): void {
    this.say(view);
    this.latest = view;
    this.pump ??= this.keepWriting().finally(() => {
      this.pump = undefined;
    });
  }

  async finish(view: RolloutView): Promise<void> {
    this.say(view);
    this.ending.abort();
    await this.pump;
    let waited = 0;
    for (const sink of this.sinks) {
      if (!sink.wants(view, Number.POSITIVE_INFINITY)) continue;
      waited += await this.waitForLimit(LONGEST_LAST_WAIT_MS - waited);
      let written = await this.writeInTime(sink, view);
      const wait = await this.waitForLimit(LONGEST_LAST_WAIT_MS - waited);
      waited += wait;
      if (!written && wait > 0) written = await this.writeInTime(sink, view);
      if (written) continue;
      this.log.warning(`${sink.name} does not show how this ended: ${headline(view)}.`);
    }
  }

  private say(view: RolloutView): void {
    for (const line of newLines(view, this.said)) this.log.info(line);
  }

  private async keepWriting(): Promise<void> {
    while (this.latest && !this.ending.signal.aborted) {
      const view = this.latest;
      for (const sink of this.sinks) {
        if (this.ending.signal.aborted) return;
        if (this.pausedUntil > this.clock.now()) break;
        if (sink.wants(view, this.clock.now())) await this.write(sink, view, false);
      }
      if (this.latest === view && !this.sinks.some(sink => sink.wants(view, Number.POSITIVE_INFINITY)))
        return;
      await this.clock.sleep(BETWEEN_WRITES_MS, this.ending.signal);
    }
  }

  private async write(sink: ReportSink, view: RolloutView, last: boolean): Promise<boolean> {
    try {
      await sink.write(view, { last, turn: () => this.turn() });
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof ComeBackLater) {
        this.pausedUntil = Math.max(this.pausedUntil, this.clock.now() + error.waitMs);
        this.complain(`Reports pause for ${about(error.waitMs)}: ${why}`);
      } else {
        const level = error instanceof ReportForbidden ? 'warning' : 'info';
        this.complain(`${sink.name} could not be written: ${why}`, level);
      }
      return false;
    }
  }

  /** Once for each thing that goes wrong. */
  private complain(complaint: string, level: 'info' | 'warning' = 'info'): void {
    if (!this.complained.has(complaint)) this.log[level](complaint);
    this.complained.add(complaint);
  }

  private async turn(): Promise<void> {
    const wait = this.lastWrite + BETWEEN_WRITES_MS - this.clock.now();
    // Taken before it is waited for, so that whoever asks next waits for us, too.
    this.lastWrite = this.clock.now() + Math.max(0, wait);
    if (wait > 0) await this.clock.sleep(wait);
  }

  /** Waits until a limit has passed, unless that takes too long; returns how long it was waited. */
  private async waitForLimit(longestMs: number): Promise<number> {
    const wait = this.pausedUntil - this.clock.now();
    if (wait <= 0 || wait > longestMs) return 0;
    await this.clock.sleep(wait);
    return wait;
  }

  private async writeInTime(sink: ReportSink, view: RolloutView): Promise<boolean> {
    const timer = new AbortController();
    const late = this.clock.sleep(LAST_REPORT_MS, timer.signal).then(() => false);
    const result = await Promise.race([this.write(sink, view, true), late]);
    timer.abort();
    return result;
  }
}
