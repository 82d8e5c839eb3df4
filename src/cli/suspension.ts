import type { RepositoryFiles } from '../build/repository-files.ts';
import type { ImageAutomation } from '../cluster/image-automations.ts';
import type { ReleasePlan } from '../plan/plan.ts';

const MARKER = '$imagepolicy';
const SHOWN = 5;

/** What `image-automation: suspend` would hold up beside the files of this release. */
export async function suspensionLines(
  plan: Pick<ReleasePlan, 'automated'>,
  on: {
    readonly automations: readonly ImageAutomation[];
    readonly branch: string | undefined;
    readonly files: RepositoryFiles;
  },
): Promise<readonly string[]> {
  const concerned = on.automations.filter(
    ({ branch, path, hold }) =>
      branch === on.branch && !hold.suspended && plan.automated.some(each => isBelow(each, path)),
  );
  return await Promise.all(
    concerned.map(async ({ namespace, name, path }) => {
      const marked = await markedBelow(on.files, path);
      const others = marked.filter(each => !plan.automated.includes(each));
      const more = others.length > SHOWN ? ` and ${others.length - SHOWN} more files` : '';
      const beyond =
        others.length === 0
          ? 'It writes nothing else.'
          : `It also writes ${others.slice(0, SHOWN).join(', ')}${more}, which would get no new versions meanwhile.`;
      return `ImageUpdateAutomation ${namespace}/${name} would be suspended for as long as the rollout lasts. ${beyond}`;
    }),
  );
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** Files in which image automation would write lines (image-automation-controller pkg/update/setters.go). */
async function markedBelow(files: RepositoryFiles, folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const pending = [folder];
  for (let at = pending.shift(); at !== undefined; at = pending.shift()) {
    for (const { name, kind } of (await files.list(at)) ?? []) {
      const path = at === '' ? name : `${at}/${name}`;
      if (kind === 'folder') pending.push(path);
      if (kind !== 'file' || !/\.ya?ml$/.test(name)) continue;
      const blob = await files.read(path).catch(() => undefined);
      if (blob?.text.includes(MARKER) === true) found.push(path);
    }
  }
  return found;
}
