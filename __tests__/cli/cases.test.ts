import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it, vi } from 'vitest';
import { withCase } from './with-case.ts';

const run = promisify(execFile);
// Each test starts the command line several times; on a machine that is busy one start takes half a minute.
vi.setConfig({ testTimeout: 600_000 });

/** Trees and clusters in which an older command line said too little, or the wrong thing. */
describe.concurrent('the command line says what the preflight warned of', () => {
  it.for(['check', 'plan'] as const)('%s', async (command, { expect }) => {
    await withCase('cli-loses-warnings', async ({ gated }) => {
      const { code, out } = await gated(command, ...(command === 'plan' ? ['--set', 'image=1.1.0'] : []));
      expect(code).toBe(0);
      for (const words of [
        'warning: Kustomization flux-system/apps waits for health checks',
        'warning: The Service prod/shop comes from the chart of HelmRelease prod/shop',
        'warning: HelmRelease prod/shop corrects drift',
        'warning: HelmRelease prod/shop takes failed upgrades back by itself',
      ]) {
        expect(out).toContain(words);
      }
    });
  });

  it('also before a refusal', async ({ expect }) => {
    await withCase('cli-loses-warnings', async ({ gated, folder, store }) => {
      await run('sed', ['-i', 's/tag: 1.0.0/tag: 0.9.0/', join(folder, 'tree/apps/prod/helm.yaml')]);
      const { code, err } = await gated('check');
      expect(code).toBe(3);
      expect(err).toContain('warning: HelmRelease prod/shop corrects drift');
      expect(err).toContain('refused (chain-broken)');
      void store;
    });
  });

  it('and what image-automation: suspend would stop beside the release', async ({ expect }) => {
    await withCase('offline-ignores-the-flux-kustomization', async ({ gated, folder, store, commit }) => {
      const marked = ' # {"$imagepolicy": "flux-system:shop:tag"}';
      const tree = join(folder, 'tree');
      await run('sed', [
        '-i',
        `s|^  images: .*|  images:\\n  - name: ghcr.io/acme/shop\\n    newTag: 1.0.5${marked}|`,
        join(tree, 'clusters/prod/apps.yaml'),
      ]);
      await mkdir(join(tree, 'apps/other'));
      await writeFile(join(tree, 'apps/other/d.yaml'), `image: x:1${marked}\n`);
      await commit();
      store.apply(
        {
          apiVersion: 'image.toolkit.fluxcd.io/v1',
          kind: 'ImageUpdateAutomation',
          metadata: { name: 'bot', namespace: 'flux-system' },
          spec: {
            interval: '1m',
            sourceRef: { kind: 'GitRepository', name: 'flux-system' },
            update: { path: './' },
            git: { push: { branch: 'main' } },
          },
        },
        'kubectl',
      );
      await run('sed', ['-i', '$ a image-automation: suspend', join(folder, 'rollout.yaml')]);
      const { out, err } = await gated('plan', '--set', 'image=1.1.0');
      expect(err).toBe('');
      expect(out).toContain(
        'warning: ImageUpdateAutomation flux-system/bot would be suspended for as long as the rollout lasts. It also writes apps/other/d.yaml, which would get no new versions meanwhile.',
      );
    });
  });
});

describe.concurrent('the folder', () => {
  const NAME = 'offline-ignores-the-flux-kustomization';

  it('that does not exist', async ({ expect }) => {
    await withCase(NAME, async ({ gated, folder }) => {
      for (const args of [['check'], ['plan', '--set', 'image=1'], ['init', '--target', 'prod/shop']]) {
        const { code, err } = await gated(...args, '--folder', join(folder, 'nosuch'));
        expect([code, err]).toEqual([
          2,
          `The folder ${join(folder, 'nosuch')} does not exist. Give the root of a clone of the GitOps repository (--folder).\n`,
        ]);
      }
    });
  });

  it('that is behind: git pull', async ({ expect }) => {
    await withCase(NAME, async ({ gated, folder, commit }) => {
      const tree = join(folder, 'tree');
      await run('sed', ['-i', 's/newTag: 1.0.5/newTag: 1.0.6/', join(tree, 'clusters/prod/apps.yaml')]);
      await run('sed', ['-i', 's/shop:1.0.5/shop:1.0.6/', join(folder, 'live.yaml')]);
      await commit();
      await run('git', ['-C', tree, 'reset', '-q', '--hard', 'HEAD~1']);
      const { err, out } = await gated('check');
      expect(err + out).toContain('warning: The clone is behind (the folder is at ');
    });
  });

  it('that has changes of its own, or commits that nobody has fetched', async ({ expect }) => {
    await withCase(NAME, async ({ gated, folder }) => {
      const tree = join(folder, 'tree');
      await writeFile(join(tree, 'README.md'), 'fleet\n');
      expect((await gated('check')).out).toContain(
        'warning: The folder has changes that are not committed: README.md.',
      );
      await run('git', ['-C', tree, 'add', '-A']);
      await run('git', ['-C', tree, 'commit', '-qm', 'readme']);
      expect((await gated('check')).out).toContain(
        'warning: The clone has commits that Flux has not fetched',
      );
    });
  });

  it('that Flux applies, and that is not there: words, live and offline', async ({ expect }) => {
    await withCase('crash-where-the-folder-cannot-be-followed', async ({ gated }) => {
      for (const args of [['plan', '--set', 'image=1.1.0'], ['check'], ['check', '--offline']]) {
        const { code, err } = await gated(...args);
        expect(err).toMatch(/refused \(tree-broken\): .*apps\/prod/);
        expect(err.length).toBeLessThan(2_000);
        expect(code).toBe(3);
      }
    });
  });

  it('that holds FIFOs, symlinks and loops is read all the same, and never through them', async ({
    expect,
  }) => {
    await withCase(NAME, async ({ gated, folder, commit }) => {
      const tree = join(folder, 'tree');
      await run('mkfifo', [join(tree, 'apps/prod/pipe.yaml')]);
      await symlink('/etc', join(tree, 'apps/etc'));
      await symlink('..', join(tree, 'apps/loop'));
      const planned = await gated('plan', '--offline', '--set', 'image=1.1.0');
      expect(planned.err).toBe('');
      const kustomization = join(tree, 'apps/prod/kustomization.yaml');
      await writeFile(
        kustomization,
        `${await readFile(kustomization, 'utf8')}configMapGenerator: [{name: leak, files: [p=../etc/hostname]}]\n`,
      );
      await rm(join(tree, 'apps/prod/pipe.yaml'));
      await commit();
      const leaked = await gated('plan', '--offline', '--set', 'image=1.1.0');
      expect(leaked.code).toBe(3);
      expect(leaked.out + leaked.err).not.toContain((await readFile('/etc/hostname', 'utf8')).trim());
    });
  });
});

describe.concurrent('without a cluster', () => {
  const OFFLINE = ['plan', '--offline', '--set', 'image=1.1.0'];

  it('one of several clusters is chosen, and all are named', async ({ expect }) => {
    await withCase('offline-cannot-choose', async ({ gated, folder }) => {
      const refused = await gated(...OFFLINE);
      expect(refused.code).toBe(3);
      expect(refused.err).toContain(
        'Several clusters build prod/shop: clusters/prod by flux-system/apps (clusters/prod/apps.yaml), clusters/qa by flux-system/apps (clusters/qa/apps.yaml).',
      );
      expect(refused.err).toContain('--cluster clusters/prod');
      const chosen = await gated(...OFFLINE, '--cluster', 'clusters/prod');
      expect(chosen).toMatchObject({ code: 0, err: '' });
      expect(chosen.out).toContain('--- apps/prod/kustomization.yaml');
      const rollout = join(folder, 'rollout.yaml');
      const text = await readFile(rollout, 'utf8');
      await writeFile(rollout, text.replace('via: flux-system/apps', 'via: clusters/qa/apps.yaml'));
      expect((await gated(...OFFLINE)).out).toContain('--- apps/qa/kustomization.yaml');
      await rename(rollout, `${rollout}.old`);
    });
  });

  it('what the Flux Kustomization sets counts', async ({ expect }) => {
    await withCase('offline-ignores-the-flux-kustomization', async ({ gated }) => {
      const live = await gated('plan', '--set', 'image=1.1.0');
      expect(live.out).toContain('1.0.5 → 1.1.0 (clusters/prod/apps.yaml:11)');
      const { out } = await gated(...OFFLINE);
      expect(out).toContain('1.0.5 → 1.1.0 (clusters/prod/apps.yaml:11)');
      expect(out).toContain('+  images: [{name: ghcr.io/acme/shop, newTag: 1.1.0}]');
    });
  });

  it.for([
    ['ledger.yaml', '1.5.0 → 2.0.0 (clusters/prod/ledger.yaml:13)', 'rollout.yaml'],
    ['flux-patches.yaml', '1.5.0 → 2.0.0 (clusters/prod/ledger.yaml:16)', 'rollout.yaml'],
  ] as const)('its patches and names do, too: %s', async ([file, words, config], { expect }) => {
    await withCase('ledger', async ({ gated, folder }) => {
      const manifest = join(folder, 'tree/clusters/prod/ledger.yaml');
      if (file !== 'ledger.yaml') await copyFile(join(folder, file), manifest);
      const { out, err } = await gated(
        'plan',
        '--offline',
        '--set',
        'image=2.0.0',
        '--config',
        join(folder, config),
      );
      expect(err).toBe('');
      expect(out).toContain(words);
    });
  });
});

describe.concurrent('names that the Flux Kustomization gives', () => {
  it('are those of the targets, and a Canary keeps pointing where it is written', async ({ expect }) => {
    await withCase('ledger', async ({ gated, folder }) => {
      await copyFile(join(folder, 'flux-prefix.yaml'), join(folder, 'tree/clusters/prod/ledger.yaml'));
      const config = ['--config', join(folder, 'rollout-prefix.yaml')];
      // kustomize renames no targetRef of a Canary: Flagger would look for pay/ledger, which is not there.
      const { err } = await gated('plan', '--offline', '--set', 'image=2.0.0', ...config);
      expect(err).toContain('refused (canary-not-found): pay/eu-ledger has no Canary');
      const canary = join(folder, 'tree/apps/ledger/canary.yaml');
      await writeFile(
        canary,
        (await readFile(canary, 'utf8')).replace(/(targetRef: .*name: )ledger/, '$1eu-ledger'),
      );
      const planned = await gated('plan', '--offline', '--set', 'image=2.0.0', ...config);
      expect(planned.err).toBe('');
      expect(planned.out).toContain('1.0.0 → 2.0.0 (apps/ledger/deployment.yaml:14)');
    });
  });
});

describe.concurrent('the right object', () => {
  it.for(['', '--offline'])(
    'of two tenants with Kustomizations of one name: %s',
    async (flag, { expect }) => {
      await withCase('two-tenants-with-kustomizations-of-one-name', async ({ gated }) => {
        const args = ['plan', '--set', 'image=1.1.0', ...(flag === '' ? [] : [flag])];
        const { out, err } = await gated(...args);
        expect(err).toBe('');
        expect(out).toContain('of team-b/shop: 1.0.5 → 1.1.0 (clusters/prod/b.yaml:11)');
        expect(out).not.toContain('--- clusters/prod/a.yaml');
      });
    },
  );

  it('a range of charts is named where it is set', async ({ expect }) => {
    await withCase('chart-range-set-by-a-patch', async ({ gated }) => {
      const { code, err } = await gated('plan', '--set', 'chart=1.1.0');
      expect(code).toBe(3);
      expect(err).toContain('at the range >=1.0.0');
      expect(err).toContain('apps/prod/version.yaml:4');
      expect(err).not.toContain('apps/base/helm.yaml');
    });
  });

  it.for(['', '--offline'])(
    'what Git marks as never to be updated is refused: %s',
    async (flag, { expect }) => {
      await withCase('ifnotpresent-in-git-only', async ({ gated }) => {
        const { code, err } = await gated('plan', '--set', 'image=1.1.0', ...(flag === '' ? [] : [flag]));
        expect(err).toContain('refused (ssa-if-not-present)');
        expect(err).toContain('apps/deployment.yaml:');
        expect(code).toBe(3);
      });
    },
  );
});

describe.concurrent('sources that a commit does not go through are refused in the same words', () => {
  it.for([
    [
      { kind: 'Bucket', name: 'fleet' },
      'takes its files from the Bucket flux-system/fleet; a release is a commit',
    ],
    [{ kind: 'OCIRepository', name: 'fleet' }, 'takes its files from the OCIRepository flux-system/fleet'],
  ] as const)('%j', async ([sourceRef, words], { expect }) => {
    await withCase('offline-ignores-the-flux-kustomization', async ({ gated, store }) => {
      const live = store.get('Kustomization', 'flux-system', 'apps');
      const labels = {
        'kustomize.toolkit.fluxcd.io/name': null,
        'kustomize.toolkit.fluxcd.io/namespace': null,
      };
      if (live) store.patch(live, { metadata: { labels }, spec: { sourceRef } }, { manager: 'kubectl' });
      for (const args of [['check'], ['plan', '--set', 'image=1.1.0'], ['init', '--target', 'prod/shop']]) {
        const { code, err } = await gated(...args);
        expect(err).toContain(
          `refused (wrong-source): prod/shop is applied by Kustomization flux-system/apps, which ${words}`,
        );
        expect(err).toContain('What to do: Let the Kustomization take its files from a GitRepository');
        expect(code).toBe(3);
      }
    });
  });

  it('a tag', async ({ expect }) => {
    await withCase('offline-ignores-the-flux-kustomization', async ({ gated, store }) => {
      const live = store.get('GitRepository', 'flux-system', 'flux-system');
      if (live) store.patch(live, { spec: { ref: { tag: 'v1' } } }, { manager: 'kubectl' });
      for (const args of [['check'], ['init', '--target', 'prod/shop']]) {
        expect((await gated(...args)).err).toContain('follows the tag v1 and no branch');
      }
    });
  });

  it('remedies are in the command line’s own words', async ({ expect }) => {
    await withCase('offline-ignores-the-flux-kustomization', async ({ gated }) => {
      const { err } = await gated('check', '--context', 'nobody');
      expect(err).toContain('it has no context nobody; it has case');
      expect(err).toContain('--kubeconfig FILE');
      expect(err).not.toContain('input');
    });
  });
});
