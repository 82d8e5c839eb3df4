import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubeApi } from '../../testbed/kube-api.js';
import { startRecording } from '../../testbed/record.js';
import { startTestbed } from '../../testbed/start.js';
import { startGitFixture } from './git-http-server.js';
import { deployment, fluxObjects, surroundings } from './podinfo.js';
const minute = 60_000;
let testbed;
beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
});
afterAll(async () => {
  await testbed?.stop();
});
async function startScenario(namespace) {
  const git = await startGitFixture();
  const metricsServer = testbed.metrics.server(namespace);
  testbed.metrics.set('success_rate', { namespace }, 100);
  await git.commit('Add podinfo', {
    'apps/deployment.yaml': deployment({ tag: '6.14.0', rolloutId: '0' }),
    'apps/canary.yaml': surroundings({ namespace, metricsServer }),
  });
  for (const object of fluxObjects({ namespace, url: git.url, path: './apps' }))
    await testbed.api.apply(object);
  const initial = await startRecording({ api: testbed.api, namespace });
  await initial.waitFor('Initialized', inPhase('Initialized'), minute);
  await initial.stop();
  const recording = await startRecording({ api: testbed.api, namespace });
  return {
    namespace,
    recording,
    async release(release) {
      const sha = await git.commit(`Release ${release.tag}`, { 'apps/deployment.yaml': deployment(release) });
      recording.step(`push ${release.rolloutId}`);
      await testbed.api.send({
        method: 'PATCH',
        path: `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/fleet`,
        contentType: 'application/merge-patch+json',
        body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } } },
      });
      return sha;
    },
    async end() {
      await recording.stop();
      await git.close();
    },
  };
}
function inPhase(phase) {
  return row => 'phase' in row && row.phase === phase;
}
/**
 * The canary's story as the recorded runs tell it: phase, weight and failed checks, with the two specs as letters in the
 * order in which they were first seen as promoted (A) and applied (B); repetitions left out.
 */
function story(rows) {
  const canaries = rows.filter(row => 'phase' in row);
  const letters = new Map();
  const letter = hash => {
    const known = letters.get(hash) ?? String.fromCharCode(65 + letters.size);
    letters.set(hash, known);
    return known;
  };
  const lines = canaries.map(row => {
    const promoted = letter(row.lastPromotedSpec);
    return `${row.phase} w=${row.canaryWeight} fc=${row.failedChecks} applied=${letter(row.lastAppliedSpec)} promoted=${promoted}`;
  });
  return lines.filter((line, index) => line !== lines[index - 1]);
}
function primary(rows) {
  return rows.findLast(row => 'rolloutId' in row && row.name === 'podinfo-primary');
}
const failure = message => row => 'message' in row && row.message.includes(message);
describe.concurrent('the real control plane', () => {
  test('promotes a good release', async ({ expect }) => {
    const { recording, release, end } = await startScenario('good');
    const sha = await release({ tag: '6.14.1', rolloutId: '1' });
    await recording.waitFor('Succeeded', inPhase('Succeeded'), 2 * minute);
    await end();
    expect(story(recording.rows())).toEqual([
      'Initialized w=0 fc=0 applied=A promoted=A',
      'Progressing w=0 fc=0 applied=B promoted=A',
      'Progressing w=25 fc=0 applied=B promoted=A',
      'Progressing w=50 fc=0 applied=B promoted=A',
      'Promoting w=50 fc=0 applied=B promoted=A',
      'Finalising w=0 fc=0 applied=B promoted=A',
      'Succeeded w=0 fc=0 applied=B promoted=B',
    ]);
    expect(recording.rows()).toContainEqual(
      expect.objectContaining({ kind: 'Kustomization', lastAppliedRevision: sha.slice(0, 7) }),
    );
    expect(primary(recording.rows())).toMatchObject({ rolloutId: '1', image: '6.14.1', ready: 1 });
  });
  test('fails a release whose metric is below its range', async ({ expect }) => {
    const { namespace, recording, release, end } = await startScenario('bad');
    testbed.metrics.set('success_rate', { namespace }, 90);
    await testbed.metrics.settled();
    await release({ tag: '6.14.2', rolloutId: '2' });
    await recording.waitFor('Failed', inPhase('Failed'), 2 * minute);
    await end();
    expect(story(recording.rows())).toEqual([
      'Initialized w=0 fc=0 applied=A promoted=A',
      'Progressing w=0 fc=0 applied=B promoted=A',
      'Progressing w=25 fc=0 applied=B promoted=A',
      'Progressing w=25 fc=1 applied=B promoted=A',
      'Progressing w=25 fc=2 applied=B promoted=A',
      'Failed w=0 fc=0 applied=B promoted=A',
    ]);
    expect(recording.rows().some(failure('Halt podinfo.bad advancement success 90.00 < 99'))).toBe(true);
    expect(primary(recording.rows())).toMatchObject({ rolloutId: '0', image: '6.14.0' });
  });
  test('takes the metrics away from one namespace alone', async ({ expect }) => {
    const { namespace, recording, release, end } = await startScenario('blind');
    testbed.metrics.down(namespace);
    await release({ tag: '6.14.3', rolloutId: '3' });
    const halted = await recording.waitFor('a failed query', failure('Metric query failed'), minute);
    testbed.metrics.up(namespace);
    await recording.waitFor('Succeeded', inPhase('Succeeded'), 2 * minute);
    await end();
    expect(halted).toMatchObject({ type: 'Warning' });
  });
  test('never gets pods ready whose image says so', async ({ expect }) => {
    const { recording, release, end } = await startScenario('stuck');
    await release({ tag: '6.14.4-never-ready', rolloutId: '4' });
    await recording.waitFor('the halt', failure('not ready'), minute);
    await end();
    const target = recording.rows().findLast(row => 'rolloutId' in row && row.name === 'podinfo');
    expect(target).toMatchObject({ rolloutId: '4', replicas: 1, ready: 0 });
  });
});
test('lets a limited user do what its rules say, and no more', async () => {
  const { apiUrl, ca } = testbed;
  const rules = { default: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }] };
  const { token } = await testbed.addUser({ name: 'reader', rules });
  const api = kubeApi({ url: apiUrl, ca, token });
  await expect(api.send({ path: '/api/v1/namespaces/default/configmaps' })).resolves.toMatchObject({
    kind: 'ConfigMapList',
  });
  await expect(api.send({ path: '/api/v1/namespaces/default/secrets' })).rejects.toMatchObject({
    status: 403,
  });
  await expect(api.send({ path: '/api/v1/namespaces/flux-system/configmaps' })).rejects.toMatchObject({
    status: 403,
  });
  await api.close();
});
