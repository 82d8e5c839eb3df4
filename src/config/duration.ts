const UNITS_MS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** `90s`, `15m`, `1h30m` in ms; undefined when it is no such duration or zero. */
export function durationMs(text: string): number | undefined {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim());
  if (match === null || text.trim() === '') return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  const ms = Number(hours) * UNITS_MS.h + Number(minutes) * UNITS_MS.m + Number(seconds) * UNITS_MS.s;
  return ms > 0 ? ms : undefined;
}
