import { writeFile } from 'node:fs/promises';
import { renderSummary } from './render.ts';
import type { ReportSink } from './reporter.ts';
import type { RolloutView } from './view.ts';

/** The job summary; GitHub shows it when the step has ended, so that only the last view is written. */
export class SummarySink implements ReportSink {
  readonly name = 'The job summary';
  private readonly file: string;
  private readonly requests: () => number;

  /** @param on.file GITHUB_STEP_SUMMARY, which is this step's own */
  constructor(on: { readonly file: string; readonly requests: () => number }) {
    this.file = on.file;
    this.requests = on.requests;
  }

  wants(view: RolloutView): boolean {
    return view.outcome !== undefined;
  }

  async write(view: RolloutView): Promise<void> {
    await writeFile(this.file, `${renderSummary(view, { requests: this.requests() })}\n`, { flag: 'a' });
  }
}
