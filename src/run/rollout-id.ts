/**
 * A rollout's id: new for every attempt, so that the same change twice is two rollouts and a pod template that carries
 * it can only be ours. `shop-3f2a91c-18234567890.1-9k3f`: name, source commit, workflow run and attempt, and four
 * random characters for two steps of one job.
 */
export function newRolloutId(parts: {
  readonly name: string;
  readonly sourceSha: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly random: () => number;
}): string {
  const { name, sourceSha, runId, runAttempt, random } = parts;
  const suffix = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0');
  return `${slug(name)}-${sourceSha.slice(0, 7)}-${runId}.${runAttempt}-${suffix}`;
}

/** Whether an id is of a rollout of this name. */
export function isIdOf(name: string, id: string): boolean {
  const start = `${slug(name)}-`;
  return id.startsWith(start) && /^[0-9a-f]{7}-\d+\.\d+-[0-9a-z]{4}$/.test(id.slice(start.length));
}

/** The id that a stamped revert of a rollout puts on the pod template. */
export function revertId(rolloutId: string): string {
  return `${rolloutId}${REVERT_SUFFIX}`;
}

/** The pod template was put there by a revert, not by a release. */
export function isRevertId(id: string): boolean {
  return id.endsWith(REVERT_SUFFIX);
}

export function adoptionId(rolloutId: string): string {
  return `${rolloutId}-adoption`;
}

const REVERT_SUFFIX = '-revert';

function slug(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return plain.slice(0, 40) || 'rollout';
}
