import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ReportSink } from '../reporter.ts';
import type { RolloutView } from '../view.ts';
import { renderHtml } from './report.ts';

/** The HTML report; written at the end, for an artifact. */
export class HtmlReportSink implements ReportSink {
  readonly name = 'The HTML report';
  private readonly file: string;
  private readonly requests: () => number;

  constructor(on: { readonly file: string; readonly requests: () => number }) {
    this.file = on.file;
    this.requests = on.requests;
  }

  wants(view: RolloutView): boolean {
    return view.outcome !== undefined;
  }

  async write(view: RolloutView): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true });
    await writeFile(this.file, renderHtml(view, { requests: this.requests() }));
  }
}
