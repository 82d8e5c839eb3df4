/** One version and no range (Masterminds semver: ^1.0, ~1.2, 1.x, >=1, *). */
export function isExactVersion(version: string): boolean {
  return /^v?\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+[\w.-]+)?$/.test(version);
}

/** A digest of an OCI registry, as spec.ref.digest of an OCIRepository takes it. */
export function isDigest(version: string): boolean {
  return /^sha(?:256|512):[0-9a-f]{64,}$/.test(version);
}
