import { nodeId, simpleUser } from './accounts.js';
import { repositoryPage, repositoryUrl } from './repositories.js';
function utc(signature) {
  const date = `${new Date(signature.date).toISOString().slice(0, 19)}Z`;
  return { name: signature.name, email: signature.email, date };
}
/** The schema `verification`. Only commits that GitHub itself made for an App are signed here. */
export function verification(repository, commit) {
  const verifiedAt = repository.verified.get(commit.sha);
  if (verifiedAt === undefined) {
    // A signature that came with the commit is by a key this server doesn't know.
    const reason = commit.gpgsig === undefined ? 'unsigned' : 'unknown_key';
    return { verified: false, reason, signature: commit.gpgsig ?? null, payload: null, verified_at: null };
  }
  const parents = commit.parents.map(parent => `parent ${parent}\n`).join('');
  return {
    verified: true,
    reason: 'valid',
    signature: commit.gpgsig ?? null,
    payload: `tree ${commit.tree}\n${parents}\n${commit.message}`,
    verified_at: verifiedAt,
  };
}
/** The schema `git-commit`, of the Git Data API. */
export function gitCommit(state, repository, commit) {
  const url = repositoryUrl(state, repository);
  const page = repositoryPage(state, repository);
  const address = sha => ({ url: `${url}/git/commits/${sha}`, html_url: `${page}/commit/${sha}` });
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    ...address(commit.sha),
    author: utc(commit.author),
    committer: utc(commit.committer),
    message: commit.message.replace(/\n+$/, ''),
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    parents: commit.parents.map(sha => ({ sha, ...address(sha) })),
    verification: verification(repository, commit),
  };
}
/** The schema `commit`, without statistics and files. */
export function commitJson(state, repository, commit) {
  const url = repositoryUrl(state, repository);
  const page = repositoryPage(state, repository);
  const { author, committer, message, tree, verification: verified } = gitCommit(state, repository, commit);
  const account = signature => {
    const known = state.accountByEmail(signature.email);
    return known === undefined ? null : simpleUser(state, known.login);
  };
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    commit: {
      author,
      committer,
      message,
      tree,
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: verified,
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: `${page}/commit/${commit.sha}`,
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: account(commit.author),
    committer: account(commit.committer),
    parents: commit.parents.map(sha => ({
      sha,
      url: `${url}/commits/${sha}`,
      html_url: `${page}/commit/${sha}`,
    })),
  };
}
/** The schema `diff-entry`; addresses point to the file at `ref`. */
export function diffEntry(state, repository, change, ref) {
  const page = repositoryPage(state, repository);
  const path = change.path.split('/').map(encodeURIComponent).join('/');
  return {
    sha: change.sha,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${page}/blob/${ref}/${path}`,
    raw_url: `${page}/raw/${ref}/${path}`,
    contents_url: `${repositoryUrl(state, repository)}/contents/${path}?ref=${ref}`,
    ...(change.patch === undefined ? {} : { patch: change.patch }),
    ...(change.previousPath === undefined ? {} : { previous_filename: change.previousPath }),
  };
}
