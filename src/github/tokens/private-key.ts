import { createPrivateKey, type KeyObject } from 'node:crypto';
import { Refusal } from '../../rollout/verdict.ts';

const remedy =
  'Store the App’s private key as GitHub generated it (a PEM file beginning with -----BEGIN RSA PRIVATE KEY-----) in the secret.';

/**
 * Reads an App's private key as people store it: PEM, PEM with its line ends written as `\n` or lost to spaces, or
 * base64 of PEM.
 * @throws Refusal `bad-config`, which says nothing of the key itself.
 */
export function readPrivateKey(text: string): KeyObject {
  const pem = toPem(text.trim());
  if (pem === undefined) {
    throw new Refusal('bad-config', 'The App private key is neither PEM nor base64 of PEM.', { remedy });
  }
  try {
    return createPrivateKey(pem);
  } catch {
    // The error of OpenSSL is left out on purpose: it may quote its input.
    throw new Refusal('bad-config', 'The App private key could not be read: it is damaged or incomplete.', {
      remedy,
    });
  }
}

function toPem(text: string): string | undefined {
  if (text.includes('-----BEGIN')) return normalised(text);
  const decoded = Buffer.from(text, 'base64').toString('utf8').trim();
  return decoded.includes('-----BEGIN') ? normalised(decoded) : undefined;
}

function normalised(text: string): string {
  const lines = text.replaceAll('\\r', '').replaceAll('\\n', '\n').replaceAll('\r', '');
  const parts = /(-----BEGIN [A-Z ]+-----)([\s\S]*?)(-----END [A-Z ]+-----)/.exec(lines);
  if (parts === null) return lines;
  const [, begin = '', body = '', end = ''] = parts;
  const wrapped = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return [begin, ...wrapped, end, ''].join('\n');
}
