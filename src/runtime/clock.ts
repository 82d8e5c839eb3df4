import type { Clock } from '../rollout/ports.ts';

/** The longest time that a timer of Node takes (2^31 − 1 ms); more would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The clock of the machine. */
export const systemClock: Clock = scaledClock(1);

/**
 * A clock that runs `rate` times as fast as the machine's, from now on: `now()` and `sleep()` agree. For the sandbox,
 * where a rollout of minutes shall take seconds.
 */
export function scaledClock(rate: number): Clock {
  if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`A clock cannot run at the rate ${rate}.`);
  const origin = Date.now();
  return {
    now: () => Math.round(origin + (Date.now() - origin) * rate),
    sleep: (ms, signal) => wait(ms / rate, signal),
  };
}

/**
 * The clock of a run. GATED_ROLLOUT_CLOCK_RATE makes it faster, but only where GITHUB_API_URL is on this machine: a
 * variable set by mistake must not shorten the time limits of a real release.
 */
export function clockFor(env: Readonly<Record<string, string | undefined>>): Clock {
  const rate = Number(env['GATED_ROLLOUT_CLOCK_RATE']);
  if (!(rate > 0 && Number.isFinite(rate))) return systemClock;
  return isLoopback(env['GITHUB_API_URL']) ? scaledClock(rate) : systemClock;
}

function isLoopback(url: string | undefined): boolean {
  if (url === undefined || !URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  // URL writes IPv4 in its four-part form, whatever was given, and IPv6 in brackets.
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    signal?.addEventListener('abort', end, { once: true });
  });
}
