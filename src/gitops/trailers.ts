/** Names of the trailers by which a rollout is found again in the history. */
export const ROLLOUT_TRAILER = 'Gated-Rollout';
export const ROLLOUT_ID_TRAILER = 'Gated-Rollout-Id';
export const REVERTS_TRAILER = 'Gated-Rollout-Reverts';

export type Trailer = readonly [name: string, value: string];

const TRAILER_LINE = /^([A-Za-z0-9][A-Za-z0-9-]*):[ \t]*(.*)$/;

/**
 * The trailers of a commit message: its last paragraph, when every line of it is one (git interpret-trailers is more
 * lenient; what is not surely ours is not ours). The title is never a trailer.
 */
export function parseTrailers(message: string): readonly Trailer[] {
  const paragraphs = message
    .replaceAll('\r\n', '\n')
    .trimEnd()
    .split(/\n[ \t]*\n+/);
  if (paragraphs.length < 2) return [];
  const lines = (paragraphs.at(-1) ?? '').split('\n');
  const trailers: Trailer[] = [];
  for (const line of lines) {
    const match = TRAILER_LINE.exec(line);
    if (match === null) return [];
    const [, name = '', value = ''] = match;
    trailers.push([name, value.trim()]);
  }
  return trailers;
}

/** The value of a trailer (names compare without case); undefined when it is missing, or given twice. */
export function trailer(message: string, name: string): string | undefined {
  const values = parseTrailers(message).filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return values.length === 1 ? values[0]?.[1] : undefined;
}
