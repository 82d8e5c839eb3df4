import { posix } from 'node:path';
import { items, record, text } from '../../build/json.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import type { AppliedWorkload } from '../../rollout/observation.ts';
import type { Ground } from '../changes/wanted.ts';
import { type Applied, folderIn } from '../tree/applied.ts';
import { KUSTOMIZATION_NAMES } from '../tree/reach.ts';
import {
  type LiveWorkload,
  type Naming,
  nameBefore,
  namingIn,
  PROBE_TEXT,
  renamingsIn,
  STAND_IN_FILE,
  standInText,
  withFile,
} from './stand-in.ts';

/** A kustomization that builds upon what is in another repository. */
interface Remote {
  readonly file: string;
  /** `https://github.com/acme/base?ref=v1` */
  readonly named: readonly string[];
}

export interface RemoteBase {
  readonly of: Applied;
  /** Where the target's manifest is. */
  readonly from: string;
  /** The target's name there. */
  readonly name: string;
}

/** Kustomizations of a folder that build upon other repositories. */
export async function remotesOf(of: Applied, { tree, sharers }: Ground): Promise<readonly Remote[]> {
  const found: Remote[] = [];
  for (const file of await sharers.mayReach(folderIn(of.spec))) {
    if (!KUSTOMIZATION_NAMES.includes(posix.basename(file))) continue;
    const named = remoteIn(new YamlText(file, (await tree.text(file)) ?? ''));
    if (named.length > 0) found.push({ file, named });
  }
  return found;
}

/**
 * The Kustomization with the live workloads in place of what it takes from other repositories; undefined where none of
 * them can have brought the target under its name.
 */
export async function onRemoteBase(
  of: Applied,
  on: {
    readonly remotes: readonly Remote[];
    readonly workload: LiveWorkload;
    readonly neighbours: readonly AppliedWorkload[];
    readonly ground: Ground;
  },
): Promise<RemoteBase | undefined> {
  const { remotes, workload, neighbours, ground } = on;
  const { tree } = ground;
  const images = await Promise.all(
    [...(await ground.sharers.mayReach(folderIn(of.spec)))]
      .filter(file => KUSTOMIZATION_NAMES.includes(posix.basename(file)))
      .map(async file => record(new YamlText(file, (await tree.text(file)) ?? '').data(0))['images']),
  );
  const renamings = images.flatMap(renamingsIn);
  const { kind, name, namespace } = workload.target;
  for (const { file, named } of remotes) {
    for (const namespaced of [true, false]) {
      const content = (naming: Naming) =>
        standInText([workload], { neighbours, naming, renamings, namespaced });
      const from = named.join(' or ');
      const probe = `${content(UNNAMED)}---\n${PROBE_TEXT}`;
      const probed = await tree.build(applied(of, { content: probe, place: file, from }));
      const naming = (probed.kind === 'built' && namingIn(probed.objects)) || UNNAMED;
      const standIn = applied(of, { content: content(naming), place: file, from });
      const built = await tree.build(standIn);
      const written = nameBefore(naming, name);
      const isThere =
        built.kind === 'built' &&
        built.objects.some(
          each =>
            each.kind === kind &&
            each.name === name &&
            (each.namespace === undefined || each.namespace === namespace),
        );
      if (isThere && written !== undefined) return { of: standIn, from, name: written };
    }
  }
  return undefined;
}

const UNNAMED: Naming = { prefix: '', suffix: '' };

/** The Kustomization without what it takes from other repositories. */
export function withoutRemoteBases(of: Applied, remotes: readonly Remote[]): Applied {
  const from = remotes.flatMap(({ named }) => named).join(', ');
  return applied(of, { content: '', place: undefined, from });
}

interface Standing {
  readonly content: string;
  /** The kustomization that takes it in; undefined = none. */
  readonly place: string | undefined;
  readonly from: string;
}

function applied(of: Applied, { content, place, from }: Standing): Applied {
  const edit = (path: string, now: string): string =>
    KUSTOMIZATION_NAMES.includes(posix.basename(path)) ? withoutRemotes(path, now, path === place) : now;
  return {
    ...of,
    files: withFile(of.files, { path: STAND_IN_FILE, content, edit }),
    standIn: { from, spec: spec => spec, file: edit },
  };
}

/** The first of them becomes the file that stands in for it. */
function withoutRemotes(path: string, content: string, isPlace: boolean): string {
  let file = new YamlText(path, content);
  let isPut = !isPlace;
  for (const list of ['resources', 'bases', 'components']) {
    const entries = items(record(file.data(0))[list]).map(text);
    for (const [index, entry] of [...entries.entries()].toReversed()) {
      if (!isRemote(entry)) continue;
      if (isPut) file = file.deleteItem(0, [list], index);
      else file = file.setString(0, [list, index], posix.relative(posix.dirname(path), STAND_IN_FILE));
      isPut = true;
    }
  }
  return file.text;
}

function remoteIn(file: YamlText): readonly string[] {
  const data = record(file.data(0));
  return ['resources', 'bases'].flatMap(list => items(data[list]).map(text).filter(isRemote));
}

/** kustomize api/internal/git/repospec.go: what it would clone or download. */
function isRemote(resource: string): boolean {
  return (
    /^(?:[a-z][a-z0-9+.-]*:\/\/|[\w-]+@|git::|github\.com[/:])/i.test(resource) ||
    /\?(?:.*&)?(?:ref|version)=|\.git(?:\/|$)|\/_git\//.test(resource)
  );
}
