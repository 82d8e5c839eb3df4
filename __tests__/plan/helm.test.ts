import { describe, expect, it } from 'vitest';
import { findPlacements, restoredFiles } from '../../src/plan/stamp.ts';
import type { CommittedFile } from '../../src/rollout/ports.ts';
import { CANARY, helmRelease, ID, planHelm, refusalOf, rolloutYaml, texts } from './helm-planning.ts';

const VALUES = `values:
  image:
    repository: ghcr.io/acme/shop   # ours
    tag: "6.1.0"
  service: {enabled: false}
`;
const FILE = 'apps/release.yaml';
const CHANGE = 'change: [{image: ghcr.io/acme/shop:6.2.0}]\n';
const folder = (spec: string): Readonly<Record<string, string>> => ({
  [FILE]: helmRelease(spec),
  'apps/canary.yaml': CANARY,
});
/** What is added at the end of the HelmRelease. */
const RENDERER = `  postRenderers:
  - kustomize:
      patches:
      - target:
          kind: Deployment
          name: frontend
        patch: |
          apiVersion: apps/v1
          kind: Deployment
          metadata:
            name: frontend
          spec:
            template:
              metadata:
                annotations:
                  gated-rollout/id: shop-1
                  gated-rollout/source-sha: ${'f'.repeat(40)}
`;

describe('an image in the values of a HelmRelease', () => {
  it('is changed where it stands, and the id is put on the pods by a postRenderer', async () => {
    const planned = await planHelm(folder(VALUES));
    expect(texts(planned)).toEqual({ [FILE]: `${helmRelease(VALUES.replace('6.1.0', '6.2.0'))}${RENDERER}` });
    expect(planned.found).toMatchObject([{ path: FILE, line: 14, current: '6.1.0', requested: '6.2.0' }]);
    expect(planned.expectations).toEqual([
      { kind: 'image', target: 'prod/frontend', repository: 'ghcr.io/acme/shop', version: '6.2.0' },
    ]);
  });

  it('may be written by image automation, which is suspended and not followed', async () => {
    const marked = folder(
      VALUES.replace('tag: "6.1.0"', 'tag: "6.1.0" # {"$imagepolicy": "flux-system:shop:tag"}'),
    );
    const suspending = await planHelm(marked, rolloutYaml(`${CHANGE}image-automation: suspend\n`));
    expect(suspending).toMatchObject({ automated: [FILE], follows: false });
    const refused = await refusalOf(planHelm(marked, rolloutYaml(`${CHANGE}image-automation: follow\n`)));
    expect(refused.reason).toBe('image-automation');
    expect(refused.message).toContain('is delivered by a HelmRelease');
  });

  it('has its id renewed in place by the next release', async () => {
    const first = await planHelm(folder(VALUES));
    const second = await planHelm({ ...folder(VALUES), ...texts(first) }, undefined, {
      id: 'shop-2',
      live: ['ghcr.io/acme/shop:6.2.0'],
    });
    expect(second.unchanged).toBe(true);
    expect(texts(second)[FILE]).toBe((texts(first)[FILE] ?? '').replace('shop-1', 'shop-2'));
  });

  const FORMS: readonly (readonly [what: string, before: string, after: string, live?: string])[] = [
    [
      'one string',
      'values:\n  image: ghcr.io/acme/shop:6.1.0\n',
      'values:\n  image: ghcr.io/acme/shop:6.2.0\n',
    ],
    [
      'registry, repository and tag',
      'values:\n  image: {registry: ghcr.io, repository: acme/shop, tag: 6.1.0}\n',
      'values:\n  image: {registry: ghcr.io, repository: acme/shop, tag: 6.2.0}\n',
    ],
    [
      'the registry of the chart',
      'values:\n  global: {imageRegistry: ghcr.io}\n  image:\n    repository: acme/shop\n    tag: 6.1.0\n',
      'values:\n  global: {imageRegistry: ghcr.io}\n  image:\n    repository: acme/shop\n    tag: 6.2.0\n',
    ],
    ['a tag alone', 'values:\n  image:\n    tag: 6.1.0\n', 'values:\n  image:\n    tag: 6.2.0\n'],
    [
      'imageTag beside image',
      'values:\n  image: ghcr.io/acme/shop\n  imageTag: 6.1.0\n',
      'values:\n  image: ghcr.io/acme/shop\n  imageTag: 6.2.0\n',
    ],
    [
      'an anchor',
      'values:\n  image: &image\n    repository: ghcr.io/acme/shop\n    tag: 6.1.0\n  migration:\n    image: *image\n',
      'values:\n  image: &image\n    repository: ghcr.io/acme/shop\n    tag: 6.2.0\n  migration:\n    image: *image\n',
    ],
    [
      'a list of containers',
      'values:\n  containers:\n  - name: main\n    image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n',
      'values:\n  containers:\n  - name: main\n    image: {repository: ghcr.io/acme/shop, tag: 6.2.0}\n',
    ],
    [
      'a digest that would win',
      `values:\n  image:\n    repository: ghcr.io/acme/shop\n    tag: 6.1.0\n    digest: sha256:${'a'.repeat(64)}\n`,
      'values:\n  image:\n    repository: ghcr.io/acme/shop\n    tag: 6.2.0\n    digest: ""\n',
      `ghcr.io/acme/shop@sha256:${'a'.repeat(64)}`,
    ],
    [
      'several images',
      'values:\n  image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n  proxy:\n    image: {repository: nginx, tag: 1.2.3}\n',
      'values:\n  image: {repository: ghcr.io/acme/shop, tag: 6.2.0}\n  proxy:\n    image: {repository: nginx, tag: 1.2.3}\n',
    ],
    [
      'an images entry of a postRenderer, which is applied last',
      'values:\n  image: {repository: ghcr.io/acme/shop, tag: 6.0.0}\npostRenderers:\n- kustomize:\n    images:\n    - name: ghcr.io/acme/shop\n      newTag: 6.1.0\n',
      'values:\n  image: {repository: ghcr.io/acme/shop, tag: 6.0.0}\npostRenderers:\n- kustomize:\n    images:\n    - name: ghcr.io/acme/shop\n      newTag: 6.2.0\n',
    ],
  ];

  const FORM_ROWS = FORMS.map(([what, before, after, live = 'ghcr.io/acme/shop:6.1.0']) => ({
    what,
    before,
    after,
    live,
  }));

  it.each(FORM_ROWS)('is found as $what', async ({ before, after, live }) => {
    const planned = await planHelm(folder(before), undefined, { live: [live] });
    const text = texts(planned)[FILE] ?? '';
    const start = helmRelease(after);
    expect(text.slice(0, start.length)).toBe(start);
    expect(text).toContain('gated-rollout/id: shop-1');
  });

  it('takes a digest with its tag, and any tag beside the digest is fine where it runs', async () => {
    const version = `6.2.0@sha256:${'b'.repeat(64)}`;
    const yaml = rolloutYaml(`change: [{image: 'ghcr.io/acme/shop:${version}'}]\n`);
    expect(texts(await planHelm(folder(VALUES), yaml))[FILE]).toContain(`tag: "${version}"`);
    const pinned = VALUES.replace('tag: "6.1.0"', `tag: "6.1.0"\n    digest: sha256:${'a'.repeat(64)}`);
    const live = [`ghcr.io/acme/shop@sha256:${'a'.repeat(64)}`];
    const text = texts(await planHelm(folder(pinned), yaml, { live }))[FILE] ?? '';
    expect(text).toContain(`tag: "6.2.0"\n      digest: sha256:${'b'.repeat(64)}`);
  });

  it('is never guessed', async () => {
    const two =
      'values:\n  api:\n    image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n  worker:\n    image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n';
    const ambiguous = await refusalOf(planHelm(folder(two)));
    expect(ambiguous.reason).toBe('change-ambiguous');
    expect(ambiguous.message).toContain(`api.image (${FILE}:13)`);
    expect(ambiguous.message).toContain(`worker.image (${FILE}:15)`);
    expect(ambiguous.remedy).toContain('at: {file');
    // What does not run cannot be what sets it.
    const other = two.replace('tag: 6.1.0}\n  worker', 'tag: 6.0.0}\n  worker');
    expect((await planHelm(folder(other))).found).toMatchObject([{ line: 15 }]);

    const chartsOwn = await refusalOf(
      planHelm(folder('values:\n  image: {repository: ghcr.io/acme/shop}\n')),
    );
    expect(chartsOwn.reason).toBe('change-not-found');
    expect(chartsOwn.message).toContain('leave its tag to the chart; write it there first (tag: 6.1.0)');
    const coincidence = 'values:\n  redis: {image: {tag: 6.1.0}}\n  image: {tag: 6.1.0}\n';
    expect((await refusalOf(planHelm(folder(coincidence)))).reason).toBe('change-ambiguous');
    const nowhere = await refusalOf(
      planHelm(folder('values: {replicas: 1}\nvaluesFrom: [{kind: ConfigMap, name: far}]\n')),
    );
    expect(nowhere.message).toContain('do not set the image ghcr.io/acme/shop');
    expect(nowhere.message).toContain(
      'values also come from ConfigMap far (key values.yaml), which is not in',
    );
  });

  it('is refused when something else runs than the values say', async () => {
    const overridden = await refusalOf(
      planHelm(folder(VALUES), undefined, { live: ['ghcr.io/acme/shop:5.0.0'] }),
    );
    expect(overridden.reason).toBe('chain-broken');
  });

  it('is none of the images that a Kustomization sets: those are no values', async () => {
    const images = [{ name: 'ghcr.io/acme/shop', newTag: '1.0.0' }];
    expect((await planHelm(folder(VALUES), undefined, { images })).files).toHaveLength(1);
  });

  it('in env or arg is asked for by its place in the values', async () => {
    const refused = await refusalOf(planHelm(folder(VALUES), rolloutYaml('change: [{env: A, value: b}]\n')));
    expect(refused.message).toContain(
      'at: {file: apps/release.yaml, object: HelmRelease/shop, path: spec.values.…}',
    );
  });
});

describe('values from elsewhere', () => {
  const FROM = 'valuesFrom:\n- kind: ConfigMap\n  name: shop-values\n';

  it('are edited in the ConfigMap of the same build', async () => {
    const configMap =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-values, namespace: prod}\ndata:\n  values.yaml: |\n    # of the shop\n    image:\n      repository: ghcr.io/acme/shop\n      tag: 6.1.0\n';
    const planned = await planHelm({ ...folder(FROM), 'apps/values.yaml': configMap });
    expect(texts(planned)['apps/values.yaml']).toBe(configMap.replace('6.1.0', '6.2.0'));
    expect(texts(planned)[FILE]).toBe(`${helmRelease(FROM)}${RENDERER}`);
    expect(planned.found).toMatchObject([{ path: 'apps/values.yaml', line: 9 }]);

    // The HelmRelease's own values win.
    const own = await planHelm({ ...folder(`${FROM}${VALUES}`), 'apps/values.yaml': configMap });
    expect(own.files.map(({ path }) => path)).toEqual([FILE]);
  });

  it('are refused where another HelmRelease takes them, too', async () => {
    const configMap =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-values, namespace: prod}\ndata:\n  values.yaml: |\n    image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n';
    const other = helmRelease(FROM, 'metadata: {name: other, namespace: prod}\n');
    const refused = await refusalOf(
      planHelm({ ...folder(FROM), 'apps/values.yaml': configMap, 'apps/other.yaml': other }),
    );
    expect(refused).toMatchObject({ reason: 'change-ambiguous' });
    expect(refused.message).toContain('apps/values.yaml:6, which changes HelmRelease other, too');
  });

  it('are edited in the file that a ConfigMap is generated from', async () => {
    const files = {
      ...folder(FROM),
      'apps/kustomization.yaml':
        'resources: [release.yaml, canary.yaml]\nconfigMapGenerator:\n- name: shop-values\n  files: [values.yaml=shop.yaml]\n',
      'apps/shop.yaml': 'image:\n  repository: ghcr.io/acme/shop\n  tag: 6.1.0\n',
    };
    const planned = await planHelm(files);
    expect(texts(planned)['apps/shop.yaml']).toBe(files['apps/shop.yaml'].replace('6.1.0', '6.2.0'));
  });

  it('are changed at any place of a generated file that is named', async () => {
    const files = {
      ...folder(FROM),
      'apps/kustomization.yaml':
        'resources: [release.yaml, canary.yaml]\nconfigMapGenerator:\n- name: shop-values\n  namespace: prod\n  options: {disableNameSuffixHash: true}\n  files: [values.yaml=shop.yaml]\n',
      'apps/shop.yaml': 'ui:\n  color: blue\n',
    };
    const yaml = rolloutYaml('change: [{at: {file: apps/shop.yaml, path: ui.color}, value: red}]\n');
    const planned = await planHelm(files, yaml);
    expect(texts(planned)['apps/shop.yaml']).toBe('ui:\n  color: red\n');
    // The id stands in the HelmRelease, so that it is what proves the delivery.
    expect(planned.expectations).toEqual([]);
    expect(texts(planned)[FILE]).toContain('gated-rollout/id: shop-1');
  });

  it('are a single value where a targetPath says so', async () => {
    const from = `valuesFrom:\n- {kind: ConfigMap, name: tags, valuesKey: shop, targetPath: image.tag}\nvalues:\n  image: {repository: ghcr.io/acme/shop}\n`;
    const tags =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tags, namespace: prod}\ndata: {shop: "6.1.0"}\n';
    const planned = await planHelm({ ...folder(from), 'apps/tags.yaml': tags });
    expect(texts(planned)['apps/tags.yaml']).toBe(tags.replace('6.1.0', '6.2.0'));
  });
});

describe('a HelmRelease that environments share', () => {
  const base = helmRelease(VALUES, 'metadata: {name: shop}\n');
  const files = {
    'base/release.yaml': base,
    'base/kustomization.yaml': 'resources: [release.yaml]\n',
    'prod/canary.yaml': CANARY,
    'prod/tag.yaml':
      'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\nspec: {values: {image: {tag: 6.1.0}}}\n',
    'prod/kustomization.yaml':
      'namespace: prod\nresources: [../base, canary.yaml]\npatches:\n- path: tag.yaml\n',
  };

  it('is changed in the patch of this one, and the id comes by operations of its own', async () => {
    const planned = await planHelm(files, undefined, { folder: 'prod' });
    expect(texts(planned)).toEqual({
      'prod/tag.yaml': files['prod/tag.yaml'].replace('6.1.0', '6.2.0'),
      'prod/kustomization.yaml': `${files['prod/kustomization.yaml']}- path: shop-rollout.yaml\n  target:\n    kind: HelmRelease\n    name: shop\n`,
      'prod/shop-rollout.yaml': expect.stringMatching(
        /^# Written by.*\n- op: add\n {2}path: \/spec\/postRenderers\n {2}value: \[\]\n- op: add\n {2}path: \/spec\/postRenderers\/-\n/,
      ),
    });
    const again = await planHelm({ ...files, ...texts(planned) }, undefined, {
      folder: 'prod',
      live: ['ghcr.io/acme/shop:6.2.0'],
      id: 'shop-2',
    });
    expect(again.unchanged).toBe(true);
    expect(Object.keys(texts(again))).toEqual(['prod/shop-rollout.yaml']);
    expect(texts(again)['prod/shop-rollout.yaml']).toBe(
      (texts(planned)['prod/shop-rollout.yaml'] ?? '').replace('shop-1', 'shop-2'),
    );
  });

  it('is not changed for all of them unasked', async () => {
    const { 'prod/tag.yaml': _patch, ...bare } = files;
    const listed = {
      ...bare,
      'prod/kustomization.yaml': 'namespace: prod\nresources: [../base, canary.yaml]\n',
    };
    const others = { ...listed, 'staging/kustomization.yaml': 'resources: [../base]\n' };
    const refused = await refusalOf(planHelm(others, undefined, { folder: 'prod' }));
    expect(refused.reason).toBe('shared-line');
    expect(refused.message).toContain('base/release.yaml:14, which is also built by staging');
    const own = await planHelm(
      listed,
      rolloutYaml('change: [{image: ghcr.io/acme/shop:6.2.0}]\nwrite: overlay\n'),
      { folder: 'prod' },
    );
    expect(texts(own)['prod/shop-values.yaml']).toBe(
      '# Written by Gated Rollout: a value of this environment.\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: shop\nspec:\n  values:\n    image:\n      tag: 6.2.0\n',
    );
    expect(texts(own)['base/release.yaml']).toBeUndefined();
    const again = await planHelm({ ...listed, ...texts(own) }, undefined, {
      folder: 'prod',
      live: ['ghcr.io/acme/shop:6.2.0'],
    });
    expect(again.unchanged).toBe(true);
    const all = await planHelm(
      listed,
      rolloutYaml(`change: [{image: ghcr.io/acme/shop:6.2.0}]\nwrite: base\n`),
      {
        folder: 'prod',
      },
    );
    expect(Object.keys(texts(all))).toEqual(['base/release.yaml']);
  });
});

describe('the version of a chart', () => {
  const CHART = rolloutYaml('change: [{chart: shop, value: 1.1.0}]\n');

  it('is changed in the HelmRelease, and proven by what Helm attempted', async () => {
    const planned = await planHelm(folder(VALUES), CHART);
    expect(texts(planned)[FILE]).toContain('      version: 1.1.0\n');
    expect(planned.expectations).toEqual([
      {
        kind: 'chart',
        target: 'prod/frontend',
        release: { namespace: 'prod', name: 'shop' },
        chart: 'shop',
        version: '1.1.0',
      },
    ]);
    expect((await refusalOf(planHelm(folder(VALUES), CHART, { chart: '0.9.0' }))).reason).toBe(
      'chain-broken',
    );
  });

  it('is refused where a commit does not set it', async () => {
    const range = helmRelease(VALUES).replace('version: 1.0.0', "version: '^1.0'");
    const followed = await refusalOf(planHelm({ ...folder(VALUES), [FILE]: range }, CHART));
    expect(followed.message).toContain('follows the chart shop at the range ^1.0');
    const git = helmRelease(VALUES).replace('kind: HelmRepository', 'kind: GitRepository');
    const ignored = await refusalOf(planHelm({ ...folder(VALUES), [FILE]: git }, CHART));
    expect(ignored.message).toContain('its version is in its Chart.yaml');
    const other = await refusalOf(
      planHelm(folder(VALUES), rolloutYaml('change: [{chart: web, value: 1.1.0}]\n')),
    );
    expect(other.message).toContain('installs the chart shop, not web');
  });
});

describe('the id of a release by Helm', () => {
  it('goes into the values where the chart has a place for it', async () => {
    const planned = await planHelm(
      folder(VALUES),
      rolloutYaml('change: [{image: ghcr.io/acme/shop:6.2.0}]\nid-path: pod.annotations\n'),
    );
    expect(texts(planned)[FILE]).toContain(
      '    pod:\n      annotations:\n        gated-rollout/id: shop-1\n',
    );
    expect(texts(planned)[FILE]).not.toContain('postRenderers');
  });

  it('comes after the postRenderers that are there', async () => {
    const theirs =
      'postRenderers:\n- kustomize:\n    patches:\n    - patch: |\n        kind: Deployment\n        metadata: {name: x}\n        # theirs\nvalues:\n  image: {repository: ghcr.io/acme/shop, tag: 6.1.0}\n';
    const text = texts(await planHelm(folder(theirs)))[FILE] ?? '';
    expect(text).toContain(
      '          # theirs\n  - kustomize:\n      patches:\n      - target:\n          kind: Deployment\n',
    );
    expect(text.trimEnd().endsWith('tag: 6.2.0}')).toBe(true);
  });

  it.each([
    ['a postRenderer', '', VALUES],
    ['a value', 'id-path: podAnnotations\n', VALUES],
    [
      'a postRenderer that was there',
      '',
      `${VALUES}${RENDERER.replace(/^ {2}/gm, '').replace('shop-1', 'old')}`,
    ],
  ])('is found again and renewed by a stamped revert: %s', async (_, more, spec) => {
    const files = folder(spec);
    const planned = await planHelm(files, rolloutYaml(`change: [{image: ghcr.io/acme/shop:6.2.0}]\n${more}`));
    const restored = revert(planned.files);
    const text = restored[FILE] ?? '';
    expect(text).toContain('tag: "6.1.0"');
    expect(text).toContain('gated-rollout/id: shop-1-revert');
    expect(text).not.toMatch(/gated-rollout\/id: (shop-1|old)\n/);
  });

  it('stays in its patch, and the patch in its list, when a stamped revert ends the first release of an environment', async () => {
    const files = {
      'base/release.yaml': helmRelease(VALUES, 'metadata: {name: shop}\n'),
      'base/kustomization.yaml': 'resources: [release.yaml]\n',
      'prod/canary.yaml': CANARY,
      'prod/tag.yaml':
        'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\nspec: {values: {image: {tag: 6.1.0}}}\n',
      'prod/kustomization.yaml':
        'namespace: prod\nresources: [../base, canary.yaml]\npatches: [{path: tag.yaml}]\n',
    };
    const restored = revert((await planHelm(files, undefined, { folder: 'prod' })).files);
    expect(restored['prod/tag.yaml']).toBe(files['prod/tag.yaml']);
    expect(restored['prod/kustomization.yaml']).toContain('shop-rollout.yaml');
    expect(restored['prod/shop-rollout.yaml']).toContain('gated-rollout/id: shop-1-revert');
  });
});

/** What a stamped revert leaves of a plan's files. */
function revert(files: Awaited<ReturnType<typeof planHelm>>['files']): Readonly<Record<string, string>> {
  const committed: readonly CommittedFile[] = files.map(({ path, before, text }) => ({
    path,
    before,
    after: { sha: '1', mode: '100644', text },
  }));
  const targets = ['prod/frontend'];
  const restored = restoredFiles({
    commit: { files: committed },
    placements: findPlacements(committed, { id: ID, targets }),
    forms: { 'prod/frontend': 'stamped' },
    revertId: `${ID}-revert`,
    restoreTexts: new Map(),
    mayRemove: false,
  });
  return Object.fromEntries(
    restored.flatMap(({ path, restored: to }) => (to.kind === 'blob' ? [[path, to.blob.text]] : [])),
  );
}

describe('a Canary for a target of a HelmRelease', () => {
  const ADOPT = rolloutYaml(
    'change: [{image: ghcr.io/acme/shop:6.2.0}]\ncanary:\n  prod/frontend: {provider: kubernetes, analysis: {iterations: 3}}\n',
  );

  it('is added beside the HelmRelease, with the port that runs', async () => {
    const planned = await planHelm({ [FILE]: helmRelease(VALUES) }, ADOPT, { canary: false });
    expect(planned.adopted).toEqual(['prod/frontend']);
    expect(planned.adoption.map(({ path }) => path)).toEqual(['apps/frontend-canary.yaml']);
    const [{ text } = { text: '' }] = planned.adoption;
    expect(text).toContain('name: frontend\n  namespace: prod\n');
    expect(text).toContain('port: 9898');
  });

  it('says its namespace where the HelmRelease is in another, and is refused where it would be moved', async () => {
    const elsewhere = {
      [FILE]: helmRelease(
        `targetNamespace: prod\n${VALUES}`,
        'metadata: {name: shop, namespace: flux-system}\n',
      ),
    };
    const on = { canary: false, namespace: 'flux-system' };
    const planned = await planHelm(elsewhere, ADOPT, on);
    expect(planned.adoption[0]?.text).toContain('namespace: prod');
    const moved = await refusalOf(planHelm(elsewhere, ADOPT, { ...on, targetNamespace: 'flux-system' }));
    expect(moved.message).toContain('puts everything into the namespace flux-system');
  });
});
