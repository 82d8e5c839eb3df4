import { structuredPatch } from 'diff';

const CONTEXT_LINES = 3;
/** In place of a line that is nobody's to see. */
const NOT_SHOWN = '(secret: not shown)';

/** 1-based lines that may not be shown, or all. */
export type HiddenLines = ReadonlySet<number> | 'all';

/**
 * What changes in a text, in `diff -u`'s form without the two lines that name the files. Of lines that may not be shown
 * only that they changed; empty where all of a text is hidden.
 */
export function unifiedDiff(
  before: string,
  after: string,
  hidden: { readonly before: HiddenLines; readonly after: HiddenLines },
): string {
  const { before: old, after: now } = hidden;
  if (old === 'all' || now === 'all') return '';
  const { hunks } = structuredPatch('', '', before, after, undefined, undefined, { context: CONTEXT_LINES });
  return hunks
    .flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => {
      let [oldLine, newLine] = [oldStart, newStart];
      const shown = lines.map(line => {
        const sign = line.charAt(0);
        const isOld = sign === ' ' || sign === '-';
        const isNew = sign === ' ' || sign === '+';
        const isHidden = (isOld && old.has(oldLine)) || (isNew && now.has(newLine));
        oldLine += Number(isOld);
        newLine += Number(isNew);
        return isHidden ? `${sign}${NOT_SHOWN}` : line;
      });
      return [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...shown];
    })
    .join('\n');
}
