/** In the words of GitHub's own masks. */
const MASK = '***';
/** Shorter ones are in any text by chance (`on`, `3`, `8080`); so are plain words. They are hidden where they stand. */
const SHORTEST = 6;
/** Of a value's parts only those that are hardly anything else. */
const LONG_PART = 8;
const PLAIN_WORD = /^[a-z]{0,11}$/i;

/**
 * Values that must not be said, whoever says them: kustomize and Flux quote what they cannot read, a patch copies a value
 * into another object. The second wall: what is known to be secret is hidden where it stands (secret-lines.ts).
 */
export class HiddenValues {
  private readonly values = new Set<string>();
  private publicText: string;
  private pattern: RegExp | undefined;

  /** @param publicText names that reports must be able to say, whatever a Secret holds. */
  constructor(publicText: string) {
    this.publicText = publicText;
  }

  add(value: string): void {
    this.addWhole(value);
    // A replacement may copy a part of it: `user:password`, a word of an address.
    for (const part of value.split(/[\s:;,/@=&?|]+/)) if (part.length >= LONG_PART) this.addWhole(part);
  }

  private addWhole(value: string): void {
    const text = value.trim();
    if (text.length < SHORTEST || PLAIN_WORD.test(text) || this.publicText.includes(text)) return;
    for (const spelling of new Set([
      text,
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text.toWellFormed()),
    ])) {
      if (this.values.has(spelling)) continue;
      this.values.add(spelling);
      this.pattern = undefined;
    }
  }

  /** May be said from now on: a version that runs, wherever else it stands. */
  allow(value: string): void {
    this.publicText += `\n${value}`;
    if (this.values.delete(value.trim())) this.pattern = undefined;
  }

  hide(text: string): string {
    if (this.values.size === 0) return text;
    // The longest first: one may be part of another.
    this.pattern ??= new RegExp(
      [...this.values]
        .toSorted((one, other) => other.length - one.length)
        .map(value => value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
        .join('|'),
      'g',
    );
    return text.replace(this.pattern, MASK);
  }

  /** Every text in a value, however deep; keys are names of ours. */
  hideIn<T>(value: T): T;
  hideIn(value: unknown): unknown {
    if (typeof value === 'string') return this.hide(value);
    if (Array.isArray(value)) return value.map(each => this.hideIn(each));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.hideIn(each)]));
  }
}
