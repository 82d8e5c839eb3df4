import { describe, expect, it } from 'vitest';
import { metricModel, renderQuery } from '../../src/flagger/metric-query.ts';
import { METRIC_PRESETS } from '../../src/flagger/metric-presets.ts';

const SPEC = {
  targetRef: { kind: 'Deployment', name: 'podinfo' },
  service: { port: 80 },
  ingressRef: { name: 'web' },
};
const MODEL = metricModel(
  { name: 'shop', namespace: 'prod', spec: SPEC },
  { interval: '1m', variables: { direction: 'inbound' } },
);

describe('the query of a metric', () => {
  it('is filled in as Flagger fills it in', () => {
    expect(MODEL).toMatchObject({ name: 'shop', target: 'podinfo', service: 'podinfo', ingress: 'web' });
    const query =
      'up{ns="{{ namespace }}",d="{{target}}",i="{{- ingress -}}",x="{{ variables.direction }}"}[{{ interval }}]';
    expect(renderQuery(query, MODEL)).toBe('up{ns="prod",d="podinfo",i="web",x="inbound"}[1m]');
  });

  it.each([
    ['a variable that is not given', '{{ variables.other }}'],
    ['more of Go’s templates', '{{ if eq target "a" }}x{{ end }}'],
    ['an unknown word', '{{ cluster }}'],
  ])('is not guessed: %s', (_, query) => {
    expect(renderQuery(query, MODEL)).toBeUndefined();
  });

  it.each(Object.entries(METRIC_PRESETS))('%s has nothing left to fill in', (_, { query }) => {
    expect(renderQuery(query, MODEL)).not.toContain('{{');
  });
});
