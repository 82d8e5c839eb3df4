import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { z } from 'zod';

/**
 * Tokens on their way from main to the post step. What a step saves is an environment variable of its post step and
 * lies in a file on the runner until then, unmasked and readable by other steps of the job. So it is encrypted, with a
 * key that is derived from the App's private key: both processes are given that one, and whoever has it needs no token
 * of ours.
 */
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = 'gated-rollout: tokens to revoke';

export function sealTokens(tokens: readonly string[], key: KeyObject): string {
  if (tokens.length === 0) return '';
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, sealingKey(key), iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(tokens), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64');
}

/** None when it was sealed with another key, or is nothing that we sealed. */
export function unsealTokens(sealed: string, key: KeyObject): readonly string[] {
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(CIPHER, sealingKey(key), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return z.array(z.string()).parse(JSON.parse(text.toString('utf8')));
  } catch {
    return [];
  }
}

function sealingKey(key: KeyObject): Buffer {
  const secret = key.export({ type: 'pkcs8', format: 'der' });
  return Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
}
