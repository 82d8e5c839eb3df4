import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import { listen } from '../../testbed/listen.ts';
import { type Fields, yaml } from './folder.ts';

/** A chart of podinfo as its maintainers wrote it: the Deployment, and a worker where the values give it a tag. */

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    matchLabels: {app: podinfo}
  template:
    metadata:
      labels: {app: podinfo}
      {{- with .Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      containers:
      - name: podinfod
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        env:
        - name: CHART
          value: {{ .Chart.Version | quote }}
        ports:
        - name: http
          containerPort: 9898
`;
const WORKER = `{{- with .Values.worker }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: worker
spec:
  selector:
    matchLabels: {app: worker}
  template:
    metadata:
      labels: {app: worker}
    spec:
      containers:
      - name: worker
        image: "ghcr.io/acme/worker:{{ .tag }}"
{{- end }}
`;

export function chartFiles(version: string): Readonly<Record<string, string>> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: podinfo\nversion: ${version}\nappVersion: 6.14.0\n`,
    'values.yaml': 'image:\n  repository: ghcr.io/stefanprodan/podinfo\n',
    'templates/deployment.yaml': DEPLOYMENT,
    'templates/worker.yaml': WORKER,
  };
}

/** The folder of a HelmRelease in the place of the Deployment, with the chart in the same repository. */
export function helmFolder(spec: Fields, others: readonly Fields[] = []): Files {
  const chart = Object.entries(chartFiles('1.0.0')).map(([path, text]) => [`charts/podinfo/${path}`, text]);
  return {
    ...Object.fromEntries(chart),
    'apps/deployment.yaml': null,
    'apps/release.yaml': yaml(helmRelease(spec)),
    ...(others.length > 0 ? { 'apps/values.yaml': yaml(...others) } : {}),
  };
}

export function helmRelease(spec: Fields): Fields {
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'podinfo' },
    spec: {
      interval: '1m',
      chart: { spec: { chart: './charts/podinfo', sourceRef: { kind: 'GitRepository', name: 'fleet' } } },
      ...spec,
    },
  };
}

/** Serves packed charts as a Helm repository, for as long as the process lives. */
export async function serveCharts(versions: readonly string[]): Promise<string> {
  const packed = new Map<string, Buffer>();
  for (const version of versions) packed.set(`/podinfo-${version}.tgz`, await pack(chartFiles(version)));
  const entries = versions.map(version => ({
    apiVersion: 'v2',
    name: 'podinfo',
    version,
    urls: [`podinfo-${version}.tgz`],
  }));
  packed.set('/index.yaml', Buffer.from(yaml({ apiVersion: 'v1', entries: { podinfo: entries } })));
  const server = createServer(({ url = '' }, response) => {
    const file = packed.get(url);
    response.writeHead(file ? 200 : 404).end(file);
  });
  const { url } = await listen(server);
  server.unref();
  return url;
}

async function pack(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      const full = join(folder, 'podinfo', path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, text);
    }
    const archive = join(folder, 'podinfo.tgz');
    // The same bytes each time, so that one version has one digest.
    const plain = [
      '--sort=name',
      '--mtime=@0',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=u=rwX,go=rX',
    ];
    const args = ['-I', 'gzip -n', ...plain, '-cf', archive, '-C', folder, 'podinfo'];
    await promisify(execFile)('tar', args);
    return await readFile(archive);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Pushes a chart to an OCI registry, as `helm push` does. @returns the digest of its manifest. */
export async function pushChart(registry: string, repository: string, version: string): Promise<string> {
  const config = Buffer.from(JSON.stringify({ apiVersion: 'v2', name: 'podinfo', version }));
  const layer = await pack(chartFiles(version));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.cncf.helm.config.v1+json',
        ...(await pushBlob(registry, repository, config)),
      },
      layers: [{ mediaType: CHART_LAYER, ...(await pushBlob(registry, repository, layer)) }],
    }),
  );
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/${version}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body: new Uint8Array(manifest),
  });
  if (answer.status !== 201) throw new Error(`The registry did not take the chart: ${await answer.text()}`);
  return digestOf(manifest);
}

export const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** OCI distribution specification, "Pushing a blob monolithically". */
async function pushBlob(registry: string, repository: string, blob: Buffer) {
  const digest = digestOf(blob);
  const begun = await fetch(`http://${registry}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(begun.headers.get('location') ?? '', `http://${registry}`);
  place.searchParams.set('digest', digest);
  const answer = await fetch(place, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(blob),
  });
  if (answer.status !== 201) throw new Error(`The registry did not take a blob: ${await answer.text()}`);
  return { digest, size: blob.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
