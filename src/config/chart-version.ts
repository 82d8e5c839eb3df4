/** One version and no range (Masterminds semver: ^1.0, ~1.2, 1.x, >=1, *). */
export function isExactVersion(version: string): boolean {
  return /^v?\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+[\w.-]+)?$/.test(version);
}
