import { describe, expect, it } from 'vitest';
import { planOf, refusal } from './planning.ts';

/** Every way to write an image, and to ask for another one; where a builder is here, it says what the build has then. */

const REPOSITORY = 'ghcr.io/acme/shop';
const [OLD, NEW] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];

function folder(image: string, entry?: string): Record<string, string> {
  return {
    'apps/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - {name: main, image: "${image}"}
`,
    'apps/canary.yaml': `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: 80}
  analysis: {interval: 1m, threshold: 5, iterations: 10, metrics: [{name: request-success-rate, interval: 1m}]}
`,
    'apps/kustomization.yaml': `namespace: prod\nresources: [deployment.yaml, canary.yaml]\n${entry === undefined ? '' : `images:\n- ${entry}\n`}`,
  };
}

interface Form {
  readonly image: string;
  readonly entry?: string;
  /** Of rollout.yaml; default: the repository. */
  readonly named?: string;
  readonly value: string;
  readonly built: string;
  /** The entry, or else the image, as it is written then. */
  readonly written: string;
}

const FORMS: readonly Form[] = [
  // In the manifest.
  { image: `${REPOSITORY}:1`, value: '2', built: `${REPOSITORY}:2`, written: `${REPOSITORY}:2` },
  { image: REPOSITORY, value: '2', built: `${REPOSITORY}:2`, written: `${REPOSITORY}:2` },
  { image: `${REPOSITORY}@${OLD}`, value: '2', built: `${REPOSITORY}:2`, written: `${REPOSITORY}:2` },
  { image: `${REPOSITORY}:1`, value: NEW, built: `${REPOSITORY}@${NEW}`, written: `${REPOSITORY}@${NEW}` },
  {
    image: `${REPOSITORY}:1@${OLD}`,
    value: `2@${NEW}`,
    built: `${REPOSITORY}:2@${NEW}`,
    written: `${REPOSITORY}:2@${NEW}`,
  },
  { image: `${REPOSITORY}:1@${OLD}`, value: '2', built: `${REPOSITORY}:2`, written: `${REPOSITORY}:2` },
  {
    image: `${REPOSITORY}:1`,
    value: 'registry.acme.org:5000/shop:2',
    built: 'registry.acme.org:5000/shop:2',
    written: 'registry.acme.org:5000/shop:2',
  },
  {
    image: 'registry.acme.org:5000/shop:1',
    named: 'registry.acme.org:5000/shop',
    value: '2',
    built: 'registry.acme.org:5000/shop:2',
    written: 'registry.acme.org:5000/shop:2',
  },
  // By an entry of the kustomization.
  {
    image: REPOSITORY,
    entry: `{name: ${REPOSITORY}, newTag: "1"}`,
    value: '2',
    built: `${REPOSITORY}:2`,
    written: `{name: ${REPOSITORY}, newTag: "2"}`,
  },
  {
    image: `${REPOSITORY}:0`,
    entry: `{name: ${REPOSITORY}, newTag: v1}`,
    value: NEW,
    built: `${REPOSITORY}@${NEW}`,
    written: `{name: ${REPOSITORY}, digest: ${NEW}}`,
  },
  {
    image: `${REPOSITORY}:0`,
    entry: `{name: ${REPOSITORY}, digest: "${OLD}"}`,
    value: '2.0',
    built: `${REPOSITORY}:2.0`,
    written: `{name: ${REPOSITORY}, newTag: "2.0"}`,
  },
  {
    image: `${REPOSITORY}:0`,
    entry: `{name: ${REPOSITORY}, newTag: v1, digest: "${OLD}"}`,
    value: `v2@${NEW}`,
    built: `${REPOSITORY}:v2@${NEW}`,
    written: `{name: ${REPOSITORY}, newTag: v2, digest: "${NEW}"}`,
  },
  {
    image: 'shop',
    entry: `{name: shop, newName: ${REPOSITORY}, newTag: v1}`,
    value: 'v2',
    built: `${REPOSITORY}:v2`,
    written: `{name: shop, newName: ${REPOSITORY}, newTag: v2}`,
  },
  {
    image: 'shop',
    entry: `{name: shop, newName: ${REPOSITORY}, newTag: v1}`,
    named: 'shop',
    value: 'v2',
    built: `${REPOSITORY}:v2`,
    written: `{name: shop, newName: ${REPOSITORY}, newTag: v2}`,
  },
  {
    // The entry has the name alone, the manifest the tag.
    image: 'shop:v1',
    entry: `{name: shop, newName: ${REPOSITORY}}`,
    value: 'v2',
    built: `${REPOSITORY}:v2`,
    written: `{name: shop, newName: ${REPOSITORY}}`,
  },
  {
    image: 'shop',
    entry: `{name: shop, newName: ${REPOSITORY}, newTag: v1}`,
    value: 'ghcr.io/other/shop:v2',
    built: 'ghcr.io/other/shop:v2',
    written: '{name: shop, newName: ghcr.io/other/shop, newTag: v2}',
  },
];

describe('images in every form', () => {
  it.each(FORMS)(
    '$image $entry → $value',
    async ({ image, entry, named = REPOSITORY, value, built, written }) => {
      const rollout = `target: [prod/shop]\nchange: [{image: "${named}", value: "${value}"}]\n`;
      const plan = await planOf(folder(image, entry), rollout, {});
      const path = entry === undefined ? 'apps/deployment.yaml' : 'apps/kustomization.yaml';
      const after = plan.files.find(file => file.path === path)?.text ?? folder(image, entry)[path];
      expect(after).toContain(written);
      expect(plan.build.objects).toHaveLength(1);
      expect(plan.build.objects[0]?.after).toContain(`image: ${built}\n`);
    },
  );
});

describe('what reaches more than the target', () => {
  const two = (patches: string): Record<string, string> => {
    const files = folder(`${REPOSITORY}:1`);
    return {
      ...files,
      'apps/store.yaml': (files['apps/deployment.yaml'] ?? '').replace('{name: shop}', '{name: store}'),
      'apps/kustomization.yaml': `namespace: prod\nresources: [deployment.yaml, store.yaml, canary.yaml]\npatches:\n${patches}`,
    };
  };
  const rollout = `target: [prod/shop]\nchange: [{image: "${REPOSITORY}:2"}]\n`;
  const by = (target: string): string =>
    `- target: ${target}\n  patch: |\n    - {op: replace, path: /spec/template/spec/containers/0/image, value: "${REPOSITORY}:1.5"}\n`;

  it.each(['{kind: Deployment}', '{kind: Deployment, name: "s.*"}', '{kind: Dep.*, labelSelector: "!tier"}'])(
    'a patch by %s is refused, and names them',
    async target => {
      const refused = await refusal(planOf(two(by(target)), rollout));
      expect(refused.reason).toBe('change-ambiguous');
      expect(refused.message).toContain(
        'is set in apps/kustomization.yaml:6, which changes Deployment store, too',
      );
    },
  );

  it('with all of them as targets it is their line', async () => {
    const files = two(by('{kind: Deployment, name: "s.*"}'));
    const canary = files['apps/canary.yaml'] ?? '';
    const both = {
      ...files,
      'apps/canary.yaml': `${canary}---\n${canary.replaceAll('name: shop', 'name: store')}`,
    };
    const on = {};
    const plan = await planOf(both, rollout.replace('prod/shop', 'prod/shop, prod/store'), on);
    expect(plan.files.find(({ path }) => path === 'apps/kustomization.yaml')?.text).toContain('shop:2"');
    expect(plan.build).toMatchObject({ kind: 'proven' });
  });

  it.each([
    '{kind: Deployment, name: sho}',
    '{kind: Deployment, name: "store"}',
    '{kind: Deployment, labelSelector: "tier=web"}',
    '{kind: Deployment, annotationSelector: "a in (b, c)"}',
    '{group: batch, kind: Deployment}',
    '{kind: Deployment, namespace: other}',
  ])('a patch by %s does not reach it', async target => {
    const plan = await planOf(two(by(target)), rollout, {});
    expect(plan.files.map(({ path }) => path)).toEqual(['apps/deployment.yaml']);
    expect(plan.found).toMatchObject([{ current: '1' }]);
  });

  it('a container, or all of them, put in place by an operation', async () => {
    const value = `[{name: main, image: "${REPOSITORY}:1.7"}]`;
    const whole = `- target: {kind: Deployment, name: shop}\n  patch: |\n    - {op: replace, path: /spec/template/spec/containers, value: ${value}}\n`;
    const one = whole.replace('/containers,', '/containers/0,').replace(value, value.slice(1, -1));
    for (const patch of [whole, one]) {
      const plan = await planOf(two(patch), rollout, {});
      expect(plan.found).toMatchObject([{ current: '1.7', path: 'apps/kustomization.yaml' }]);
      expect(plan.build).toMatchObject({ kind: 'proven' });
    }
  });
});
