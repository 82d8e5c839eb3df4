import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as core from '@actions/core';
import { resultOf } from '../report/result.ts';
import type { RolloutView } from '../report/view.ts';

export interface ReportIds {
  readonly checkRun: number | undefined;
  readonly comment: number | undefined;
}

/** The step's outputs, and the result as a file where one is asked for (relative to the workspace). */
export async function writeOutputs(
  view: RolloutView,
  on: { readonly ids: ReportIds; readonly resultFile: string | undefined; readonly workspace: string },
): Promise<void> {
  const result = resultOf(view);
  const text = JSON.stringify(result ?? {});
  const outputs = {
    verdict: view.outcome?.verdict ?? '',
    reason: view.outcome?.reason ?? '',
    'commit-sha': view.commit?.sha ?? '',
    'revert-sha': view.revert?.sha ?? '',
    'check-run-id': String(on.ids.checkRun ?? ''),
    'comment-id': String(on.ids.comment ?? ''),
    result: text,
  };
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
  if (on.resultFile === undefined) return;
  const file = resolve(on.workspace, on.resultFile);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
}
