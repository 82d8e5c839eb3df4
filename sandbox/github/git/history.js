function lines(output) {
  return output
    .toString()
    .split('\n')
    .filter(line => line !== '');
}
/** Whether `ancestor` is `descendant` or in its history. */
export async function isAncestor(repository, ancestor, descendant) {
  if (ancestor === descendant) return true;
  // The common question, "is the new commit's parent the branch's head", needs no process.
  if ((await repository.commit(descendant))?.parents.includes(ancestor)) return true;
  return (await repository.tryGit(['merge-base', '--is-ancestor', ancestor, descendant])).code === 0;
}
/** The best common ancestor, undefined for unrelated histories. */
export async function mergeBase(repository, a, b) {
  const result = await repository.tryGit(['merge-base', a, b]);
  return result.code === 0 ? result.stdout.toString().trim() : undefined;
}
function revListArguments(query) {
  return [
    ...(query.since === undefined ? [] : [`--since=${query.since}`]),
    ...(query.until === undefined ? [] : [`--until=${query.until}`]),
    ...(query.author === undefined ? [] : ['--fixed-strings', `--author=${query.author}`]),
    query.from,
    ...(query.not === undefined ? [] : [`^${query.not}`]),
    ...(query.path === undefined || query.path === '' ? [] : ['--', query.path]),
  ];
}
/** Commits, newest first unless asked otherwise. */
export async function history(repository, query) {
  const output = await repository.git([
    'rev-list',
    '--topo-order',
    ...(query.oldestFirst === true ? ['--reverse'] : []),
    ...(query.skip === undefined ? [] : [`--skip=${query.skip}`]),
    ...(query.limit === undefined ? [] : [`--max-count=${query.limit}`]),
    ...revListArguments(query),
  ]);
  const commits = await Promise.all(lines(output).map(sha => repository.commit(sha)));
  return commits.filter(commit => commit !== undefined);
}
export async function countHistory(repository, query) {
  return Number(await repository.git(['rev-list', '--count', ...revListArguments(query)]));
}
const statuses = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};
/**
 * Files that differ between two trees (or commits), renames found as GitHub finds them (half alike). Patches are
 * only there for text that changed.
 */
export async function changedFiles(repository, from, to) {
  const diff = ['diff-tree', '-r', '-M', '--no-commit-id'];
  const [rawOutput, patchOutput] = await Promise.all([
    repository.git([...diff, '--raw', '--no-abbrev', '--numstat', '-z', from, to]),
    repository.git([...diff, '-p', '--full-index', from, to]),
  ]);
  const patches = patchOutput
    .toString()
    .split(/^diff --git /m)
    .slice(1);
  const fields = rawOutput.toString().split('\0');
  const changes = [];
  let at = 0;
  for (; fields[at]?.startsWith(':'); at += 1) {
    const [, , before = '', after = '', letter = 'M'] = (fields[at] ?? '').split(' ');
    const status = statuses[letter.charAt(0)] ?? 'changed';
    const moved = status === 'renamed' || status === 'copied';
    at += 1;
    const first = fields[at] ?? '';
    if (moved) at += 1;
    const path = fields[at] ?? '';
    const sha = status === 'removed' ? before : after;
    changes.push({ path, status, sha, ...(moved ? { previousPath: first } : {}) });
  }
  return changes.map((change, index) => {
    const [additions, deletions, path] = (fields[at++] ?? '').split('\t');
    if (path === '') at += 2; // of a rename the two names follow as fields of their own
    const patch = patches[index];
    const hunk = patch?.indexOf('\n@@') ?? -1;
    return {
      ...change,
      additions: Number(additions) || 0, // "-" for binary files
      deletions: Number(deletions) || 0,
      ...(patch === undefined || hunk < 0 ? {} : { patch: patch.slice(hunk + 1).replace(/\n$/, '') }),
    };
  });
}
/** The tree of a three-way merge of two commits, or undefined when they conflict. */
export async function mergedTree(repository, ours, theirs) {
  const result = await repository.tryGit(['merge-tree', '--write-tree', ours, theirs]);
  return result.code === 0 ? result.stdout.toString().split('\n')[0] : undefined;
}
