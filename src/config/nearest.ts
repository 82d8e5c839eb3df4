/** The known name that a mistyped or shortened one most likely meant; undefined when none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const ranked = known
    .map(candidate => ({ candidate, distance: distance(wanted, candidate.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance);
  const best = ranked[0];
  if (best && best.distance <= Math.max(1, Math.floor(name.length / 3))) return best.candidate;
  const [only, ...others] = known.filter(candidate => isShort(wanted, candidate.toLowerCase()));
  return others.length === 0 ? only : undefined;
}

/** One begins with the other: `repo` for repository, `warning` for warn. */
function isShort(one: string, other: string): boolean {
  return Math.min(one.length, other.length) >= 3 && (one.startsWith(other) || other.startsWith(one));
}

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other: optimal string alignment. */
function distance(from: string, to: string): number {
  let last: readonly number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let line = 0; line < from.length; line += 1) {
    const next = [line + 1];
    for (let column = 0; column < to.length; column += 1) {
      const replaced = (row[column] ?? 0) + (from[line] === to[column] ? 0 : 1);
      const swaps = line > 0 && column > 0 && from[line] === to[column - 1] && from[line - 1] === to[column];
      const swapped = swaps ? (last[column - 1] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    last = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
