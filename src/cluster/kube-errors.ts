import { withoutUrlSecrets } from '../secrets/public-urls.ts';

/** The API server answered with an error; `status` is the HTTP status. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No whole answer came: refused, reset, timed out. */
export class KubeUnreachable extends Error {
  override readonly name = 'KubeUnreachable';
}

/** Of an error and what caused it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return withoutUrlSecrets(`${error.message || error.name}${cause}`);
}
