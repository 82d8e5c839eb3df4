import { expect, test } from 'vitest';
import { createKubeClient } from '../../src/cluster/kube-client.ts';
import { loadKubeconfig } from '../../src/cluster/login/kubeconfig.ts';
import { parseSecret } from '../../src/cluster/parse-secret.ts';
import { objectPath } from '../../src/cluster/resources.ts';
import { startTestbed } from '../../testbed/start.ts';

test('a real API server sends no content of a Secret to our client, whatever it asks, and its version moves', async () => {
  const testbed = await startTestbed({ helm: false });
  const kube = createKubeClient({
    load: () => loadKubeconfig({ kubeconfig: testbed.kubeconfig, context: undefined, mask: () => {} }),
    env: {},
    mask: () => {},
    say: () => {},
  });
  try {
    const path = objectPath({ kind: 'Secret', namespace: 'default', name: 'creds' });
    const write = async (password: string) =>
      await testbed.api.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'creds', namespace: 'default' },
        data: { password: Buffer.from(password).toString('base64') },
      });
    await write('hunter2-first');
    const before = await kube.get(path);
    expect(before).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'creds' } });
    expect(Object.keys(before ?? {}).toSorted()).toEqual(['apiVersion', 'kind', 'metadata']);
    const all = await kube.list(path.replace(/\/creds$/, ''));
    const seen: unknown[] = [];
    const signal = AbortSignal.timeout(3_000);
    await kube.watch({
      path: path.replace(/\/creds$/, ''),
      query: { fieldSelector: 'metadata.name=creds' },
      signal,
      onEvent: event => seen.push(event),
    });
    expect(seen.length).toBeGreaterThan(0);
    for (const answer of [before, all, seen])
      expect(JSON.stringify(answer)).not.toContain(Buffer.from('hunter2').toString('base64').slice(0, 8));
    await write('hunter2-second');
    expect(parseSecret(await kube.get(path)).version).not.toBe(parseSecret(before).version);
    expect(await kube.get(`${path}-missing`)).toBeUndefined();
    // A kind that is not installed is not there, and no fault of something in between.
    expect(await kube.get('/apis/nobody.example/v1/namespaces/default/things/a')).toBeUndefined();
  } finally {
    await kube.close();
    await testbed.stop();
  }
});
