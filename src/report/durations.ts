/** Counts and times, as all reports say them. */

export function counted(count: number, what: string): string {
  return `${count === 0 ? 'no' : count} ${what}${count === 1 ? '' : 's'}`;
}

/** `about 40 s`, `about 4 min`: no more precise than anybody can tell. */
export function about(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 95) return `about ${Math.max(10, Math.round(seconds / 10) * 10)} s`;
  const minutes = seconds / 60;
  if (minutes < 90) return `about ${Math.round(minutes)} min`;
  return `about ${Math.round(minutes / 6) / 10} h`;
}

/** `1 m 05 s` */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** `03:04:05`, UTC; what is shown beside it says so. */
export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
