import fc from 'fast-check';
import { stringify } from 'yaml';

/** A folder of a repository, and what a Flux Kustomization says of it beside its path, `<root>/<path>`. */
export interface RandomTree {
  readonly files: Readonly<Record<string, string>>;
  readonly path: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Scalars that YAML 1.1 and 1.2 read differently, or that become something else on the way. */
const SCALARS = [
  'on',
  '1_000',
  '0b1',
  '0o17',
  '017',
  '1e3',
  '2024-01-01',
  '20240101_123456',
  '~',
  '1.0',
  '"1.0"',
  'yes',
  '0x1f',
  "''",
  '.5',
  '12:30:45',
  '"a: b"',
  '|\n      two\n      lines\n',
];

const shape = fc.record({
  base: fc.constantFrom('none', 'inside', 'outside'),
  generated: fc.boolean(),
  json: fc.boolean(),
  list: fc.boolean(),
  windows: fc.boolean(),
  ignored: fc.boolean(),
  component: fc.boolean(),
  generator: fc.constantFrom('none', 'literals', 'files', 'merge'),
  secret: fc.boolean(),
  names: fc.boolean(),
  labels: fc.constantFrom('none', 'commonLabels', 'labels'),
  images: fc.boolean(),
  replacement: fc.boolean(),
  patches: fc.uniqueArray(fc.constantFrom('merge', 'operation', 'delete', 'old'), { maxLength: 3 }),
  flux: fc.uniqueArray(
    fc.constantFrom('patches', 'images', 'components', 'names', 'metadata', 'substitute', 'always'),
    { maxLength: 4 },
  ),
  scalars: fc.array(fc.constantFrom(...SCALARS), { minLength: 2, maxLength: 4 }),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

export const randomTree: fc.Arbitrary<RandomTree> = shape.map(treeOf);

function treeOf(on: Shape): RandomTree {
  const files: Record<string, string> = {
    'parts/loud/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches: [{target: {kind: Deployment}, patch: '[{"op": "add", "path": "/metadata/annotations/loud", "value": "yes"}]'}]
`,
    'parts/quiet/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator: [{name: quiet, literals: [a=b]}]\n',
  };
  const base = on.base === 'inside' ? 'prod/base' : on.base === 'outside' ? 'base' : 'prod';
  const names = on.json ? ['shop.yaml', 'facts.yaml', 'config.json'] : ['shop.yaml', 'facts.yaml'];
  files[`${base}/shop.yaml`] = workload(on);
  files[`${base}/facts.yaml`] = facts(on);
  if (on.json)
    files[`${base}/config.json`] = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'json' },
      data: { n: '1_0' },
    });
  if (on.ignored) {
    files['prod/.sourceignore'] = '# not for Flux\nleft-out.yaml\n';
    files['prod/left-out.yaml'] = 'this: is not packed\n';
  }
  if (base !== 'prod') files[`${base}/kustomization.yaml`] = stringify({ resources: names });
  if (!on.generated) {
    const resources = base === 'prod' ? names : [base === 'base' ? '../base' : 'base'];
    files['prod/kustomization.yaml'] = stringify(kustomization(on, resources));
    if (on.generator === 'files') files['prod/app.properties'] = `a=1\nb=\${tag}\n`.replaceAll('\n', '\r\n');
  } else if (base === 'base') {
    // Nothing names the base then.
    files['prod/shop.yaml'] = workload(on);
  }
  const all = Object.entries(files).map(([path, text]) => [
    path,
    on.windows && path.endsWith('shop.yaml') ? text.replaceAll('\n', '\r\n') : text,
  ]);
  return { files: Object.fromEntries(all), path: 'prod', spec: specOf(on) };
}

function workload(on: Shape): string {
  const image = on.flux.includes('substitute') ? `ghcr.io/acme/shop:\${tag}` : 'ghcr.io/acme/shop:1.0.0';
  const text = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  annotations: {a: b}
spec:
  replicas: 1
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: main # the one
        image: "${image}"
        envFrom: [{configMapRef: {name: facts}}]
      - {name: side, image: "ghcr.io/acme/side@sha256:${'0'.repeat(64)}"}
`;
  if (!on.list) return text;
  return `apiVersion: v1\nkind: List\nitems:\n- ${text.trim().replaceAll('\n', '\n  ')}\n`;
}

function facts({ scalars, secret }: Shape): string {
  const annotations = scalars.map((text, index) => `    s${index}: ${quoted(text)}`).join('\n');
  const config = `apiVersion: v1
kind: ConfigMap
metadata:
  name: facts
  annotations:
${annotations}
data: {tag: 1.2.3, size: "2"}
`;
  return secret
    ? `${config}---\napiVersion: v1\nkind: Secret\nmetadata: {name: creds}\nstringData: {password: "p#w"}\n---\n`
    : config;
}

/** Annotations are strings to the API server; kustomize is left to quote what is not. */
function quoted(text: string): string {
  return text.startsWith('|') || /^['"]/.test(text) ? text : `"${text}"`;
}

const PATCHES = {
  merge: {
    patch: `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - {name: side, env: [{name: A, value: "on"}]}
      - {name: third, image: "x:1"}
`,
  },
  operation: {
    target: { kind: 'Deployment', name: 'sh.*' },
    patch: '- {op: replace, path: /spec/template/spec/containers/0/image, value: "ghcr.io/acme/shop:1.1.0"}',
  },
  delete: {
    patch: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: facts, annotations: {s0: null}}\n',
  },
};

function kustomization(on: Shape, resources: readonly string[]): Record<string, unknown> {
  const patches = on.patches.flatMap(kind => (kind === 'old' ? [] : [PATCHES[kind]]));
  return {
    resources,
    ...(on.component ? { components: ['../parts/loud'] } : {}),
    ...(patches.length > 0 ? { patches } : {}),
    ...(on.patches.includes('old')
      ? {
          patchesStrategicMerge: [
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {revisionHistoryLimit: 4}\n',
          ],
        }
      : {}),
    ...(on.names ? { namePrefix: 'eu-', nameSuffix: '-x' } : {}),
    ...(on.labels === 'commonLabels' ? { commonLabels: { team: 'shop' } } : {}),
    ...(on.labels === 'labels' ? { labels: [{ pairs: { team: 'shop' }, includeTemplates: true }] } : {}),
    ...(on.images
      ? {
          images: [
            { name: 'ghcr.io/acme/shop', newName: 'mirror.local/shop' },
            { name: 'ghcr.io/acme/side', newTag: '7' },
          ],
        }
      : {}),
    ...(on.generator === 'literals'
      ? { configMapGenerator: [{ name: 'made', literals: ['a=1', "b='2'"] }] }
      : {}),
    ...(on.generator === 'files'
      ? {
          configMapGenerator: [
            { name: 'made', envs: ['app.properties'] },
            { name: 'whole', files: ['app.properties'] },
          ],
        }
      : {}),
    ...(on.generator === 'merge'
      ? {
          configMapGenerator: [
            {
              name: 'facts',
              behavior: 'merge',
              literals: ['size=3'],
              options: { disableNameSuffixHash: true },
            },
          ],
        }
      : {}),
    ...(on.replacement
      ? {
          replacements: [
            {
              source: { kind: 'ConfigMap', name: 'facts', fieldPath: 'data.tag' },
              targets: [{ select: { kind: 'Deployment' }, fieldPaths: ['metadata.annotations.a'] }],
            },
          ],
        }
      : {}),
  };
}

function specOf({ flux }: Shape): Record<string, unknown> {
  return {
    ...(flux.includes('patches')
      ? {
          patches: [
            { target: { kind: 'Deployment' }, patch: '- {op: add, path: /spec/minReadySeconds, value: 5}' },
          ],
        }
      : {}),
    ...(flux.includes('images') ? { images: [{ name: 'ghcr.io/acme/side', newTag: '9' }] } : {}),
    ...(flux.includes('components') ? { components: ['../parts/quiet'] } : {}),
    ...(flux.includes('names') ? { namePrefix: 'flux-' } : {}),
    ...(flux.includes('metadata')
      ? { commonMetadata: { labels: { by: 'flux' }, annotations: { a: 'c' } } }
      : {}),
    ...(flux.includes('substitute')
      ? {
          postBuild: {
            substitute: { tag: '2.0.0' },
            substituteFrom: [{ kind: 'ConfigMap', name: 'settings' }],
          },
        }
      : flux.includes('always')
        ? { postBuild: { substituteStrategy: 'Always' } }
        : {}),
  };
}
