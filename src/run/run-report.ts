import type { FoundValue } from '../plan/plan.ts';
import type { PlanView } from '../report/plan-view.ts';
import type { ChangeView, CommitView, RolloutView, Stage } from '../report/view.ts';
import { type ViewFrame, viewBeforeCommit } from '../report/view-of-state.ts';
import type { Clock } from '../rollout/ports.ts';
import type { Outcome } from '../rollout/verdict.ts';
import type { RunReporter } from './parts.ts';

/**
 * What a run has to show while there is no commit to follow, and what is shown beside the commit later: the frame
 * grows as the run learns what it is about.
 */
export class RunReport {
  private current: ViewFrame;
  private readonly reporter: RunReporter;
  private readonly clock: Clock;
  private stageShown: Stage = 'preparing';

  constructor(on: { readonly frame: ViewFrame; readonly reporter: RunReporter; readonly clock: Clock }) {
    this.current = on.frame;
    this.reporter = on.reporter;
    this.clock = on.clock;
  }

  get frame(): ViewFrame {
    return this.current;
  }

  stage(stage: Stage): void {
    this.stageShown = stage;
    this.showAgain();
  }

  opened(gitops: RolloutView['gitops']): void {
    this.current = { ...this.current, gitops };
  }

  planned(found: readonly FoundValue[], plan?: PlanView): void {
    this.current = { ...this.current, changes: found.map(changeView), ...(plan ? { plan } : {}) };
    this.showAgain();
  }

  adopted(adoption: CommitView): void {
    this.current = { ...this.current, adoption };
  }

  note(text: string): void {
    if (this.current.notes.includes(text)) return;
    this.current = { ...this.current, notes: [...this.current.notes, text] };
    this.showAgain();
  }

  show(view: RolloutView): void {
    this.reporter.update(view);
  }

  /** The run ended without a commit that is followed. */
  async end(outcome: Outcome): Promise<RolloutView> {
    return await this.finish(viewBeforeCommit(this.current, this.clock.now(), { stage: 'done', outcome }));
  }

  async finish(view: RolloutView): Promise<RolloutView> {
    await this.reporter.finish(view);
    return view;
  }

  private showAgain(): void {
    const view = viewBeforeCommit(this.current, this.clock.now(), { stage: this.stageShown });
    this.reporter.update(view);
  }
}

function changeView(value: FoundValue): ChangeView {
  return {
    what: value.change,
    target: value.target,
    from: value.current,
    to: value.requested,
    path: value.path,
    line: value.line,
  };
}
