/** Where a report is shown, as far as that changes what it says. */
export interface SectionOptions {
  /** Whether Mermaid is drawn where this is shown: in comments and summaries, not in check runs. */
  readonly mermaid: boolean;
  /** Details open, as a report that is read from the top to the bottom. */
  readonly open: boolean;
  /**
   * Written again whenever a figure moves. A comment is written at changes of stage only, and must not go on saying
   * what was true a while ago.
   */
  readonly live: boolean;
  /** Where the figures are that a comment leaves out. */
  readonly checkUrl?: string | undefined;
}
