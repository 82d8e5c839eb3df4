import { diff3Merge } from 'node-diff3';

/** Lines of a text where two sides changed the same thing; 1-based, of the side that is kept. */
export interface MetLines {
  readonly from: number;
  readonly to: number;
}

/**
 * What becomes of a text that two sides changed, line by line as `git merge-file` does it. Where both changed the same
 * lines differently, `kept`'s stay and are named; no markers are written.
 */
export interface MergedText {
  readonly text: string;
  readonly met: readonly MetLines[];
  /** Whether anything of `wanted` was put back. */
  readonly restores: boolean;
}

/** `kept`: what is there now. `wanted`: what shall be put back. Both grew out of `base`. */
export function mergeTexts(on: {
  readonly base: string;
  readonly kept: string;
  readonly wanted: string;
}): MergedText {
  const [kept, base, wanted] = [lines(on.kept), lines(on.base), lines(on.wanted)];
  const met: MetLines[] = [];
  const merged = diff3Merge(kept, base, wanted).flatMap(({ ok, conflict }) => {
    if (!conflict) return ok ?? [];
    met.push({ from: conflict.aIndex + 1, to: conflict.aIndex + Math.max(1, conflict.a.length) });
    return conflict.a;
  });
  const text = merged.join('');
  return { text, met, restores: text !== on.kept };
}

/** With their ends, so that a missing last one and `\r\n` stay as they are. */
function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
