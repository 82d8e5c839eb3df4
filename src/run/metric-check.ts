import type { MetricNow } from '../plan/plan.ts';
import { rangeWords } from '../report/metric-words.ts';
import { isWithin, number } from '../report/sparkline.ts';

export interface MetricCheck {
  readonly what: string;
  readonly state: 'good' | 'warning' | 'unchecked';
  readonly detail: string;
}

/** What a metric's value now means for a release: a check that fails on what serves would fail on the canary too. */
export function metricCheck(now: MetricNow): MetricCheck {
  const what = `Metric ${now.metric}`;
  const of = `of ${now.target}`;
  if (now.state === 'unchecked') return { what, state: 'unchecked', detail: `${of}: ${now.why ?? ''}` };
  if (now.value === undefined) {
    return {
      what,
      state: 'warning',
      detail: `${of} has no value now for the primary, which serves. Without traffic every check fails: make some, for example with the load tester.`,
    };
  }
  const is = `${of} is ${number(now.value)} now for the primary, which serves; it must be ${rangeWords({ ...now, name: now.metric, source: 'template' })}`;
  return isWithin(now.value, now)
    ? { what, state: 'good', detail: is }
    : { what, state: 'warning', detail: `${is}. A canary that is as good as it would be rejected.` };
}
