import type { Identity } from './identities.ts';
import type { FaultEffect } from './faults.ts';

/** One request and its answer, as a scenario sees it. Tokens are not in it. */
export interface Exchange {
  /** Epoch ms at arrival. */
  readonly time: number;
  readonly method: string;
  /** Decoded, without the query and without the API's prefix. */
  readonly path: string;
  /** As it came, encoded and with the query. */
  readonly url: string;
  readonly kind: 'api' | 'git';
  /** Who asked; undefined before it is known and for nobody. */
  identity: Pick<Identity, 'kind' | 'login'> | undefined;
  readonly body: unknown;
  /** Undefined until answered, and for ever when the connection was cut. */
  status: number | undefined;
  answer: unknown;
  answerHeaders: Readonly<Record<string, string>>;
  /** The fault that hit it. */
  fault: FaultEffect['kind'] | undefined;
  /** Whole time until the answer was out, in ms. */
  tookMs: number | undefined;
}

export type RequestListener = (exchange: Readonly<Exchange>) => void | Promise<void>;
