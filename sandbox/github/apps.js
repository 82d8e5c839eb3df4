import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { ApiError } from './router.js';
const headerSchema = z.object({ alg: z.string() });
const claimsSchema = z.object({
  iss: z.union([z.string(), z.number()]),
  iat: z.unknown(),
  exp: z.unknown(),
});
function part(encoded) {
  try {
    return JSON.parse(Buffer.from(encoded ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
export function looksLikeJwt(token) {
  return token.split('.').length === 3 && token.startsWith('ey');
}
const undecodable = new ApiError(401, 'A JSON web token could not be decoded');
/**
 * The app whose key signed this JWT. `now` is epoch ms.
 * Throws 401 as GitHub words it: wrong algorithm or signature, issued in the future, expired, or valid for more
 * than ten minutes (docs: "Generating a JSON Web Token for a GitHub App"); 404 for an unknown issuer.
 */
export function verifyAppJwt(token, apps, now) {
  const [header, payload, signature] = token.split('.');
  const claims = claimsSchema.safeParse(part(payload));
  const algorithm = headerSchema.safeParse(part(header));
  if (!claims.success || !algorithm.success || algorithm.data.alg !== 'RS256') throw undecodable;
  const issuer = String(claims.data.iss);
  const app = apps.find(known => String(known.id) === issuer || known.clientId === issuer);
  if (app === undefined) throw new ApiError(404, 'Integration not found');
  if (app.publicKey === undefined) throw undecodable;
  const signed = verify(
    'RSA-SHA256',
    Buffer.from(`${header}.${payload}`),
    app.publicKey,
    Buffer.from(signature ?? '', 'base64url'),
  );
  if (!signed) throw undecodable;
  const { iat, exp } = claims.data;
  const seconds = now / 1000;
  if (typeof exp !== 'number' || exp <= seconds) {
    const must = 'must be a numeric value representing the future time at which the assertion expires';
    throw new ApiError(401, `'Expiration time' claim ('exp') ${must}`);
  }
  if (typeof iat !== 'number' || iat > seconds + 5) {
    const must = 'must be an Integer representing the time that the assertion was issued';
    throw new ApiError(401, `'Issued at' claim ('iat') ${must}`);
  }
  if (exp > seconds + 605 || exp - iat > 660) {
    throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  return app;
}
export function readPublicKey(pem) {
  return typeof pem === 'string' ? createPublicKey(pem) : pem;
}
