import { dirname, join } from 'node:path/posix';
import { objectTypeOf } from '../git/object-format.js';
import { repositoryPage, repositoryUrl } from '../json/repositories.js';
import { notFound } from '../router.js';
import { resolveCommit } from './commits.js';
import { wrappedBase64 } from './trees-and-blobs.js';
const megabyte = 1_048_576;
function describe(state, place, entry) {
  const { repository, ref, path } = place;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const type = objectTypeOf(entry.mode);
  const self = `${repositoryUrl(state, repository)}/contents/${encoded}?ref=${encodeURIComponent(ref)}`;
  const page = repositoryPage(state, repository);
  const git = type === 'commit' ? null : `${repositoryUrl(state, repository)}/git/${type}s/${entry.sha}`;
  const html = type === 'commit' ? null : `${page}/${type === 'tree' ? 'tree' : 'blob'}/${ref}/${encoded}`;
  return {
    name: entry.name,
    path,
    sha: entry.sha,
    size: 0,
    url: self,
    html_url: html,
    git_url: git,
    download_url: type === 'blob' ? `${page}/raw/${ref}/${encoded}` : null,
    _links: { self, git, html },
  };
}
async function directory(state, place, entries) {
  return await Promise.all(
    entries.map(async entry => {
      const path = place.path === '' ? entry.name : `${place.path}/${entry.name}`;
      const description = describe(state, { ...place, path }, entry);
      if (entry.mode === '040000') return { ...description, type: 'dir' };
      // Until API version 2026-03-10 a listing calls submodules files (spec, breaking changes).
      if (entry.mode === '160000') return { ...description, type: 'file' };
      const size = (await place.repository.git.objectInfo(entry.sha))?.size ?? 0;
      return { ...description, size, type: entry.mode === '120000' ? 'symlink' : 'file' };
    }),
  );
}
async function file(state, place, entry) {
  const content = (await place.repository.git.object(entry.sha))?.content ?? Buffer.alloc(0);
  const small = content.length <= megabyte;
  return {
    ...describe(state, place, entry),
    type: 'file',
    size: content.length,
    content: small ? wrappedBase64(content) : '',
    encoding: small ? 'base64' : 'none',
  };
}
/** A symbolic link to a file of the repository answers as that file, any other link as itself (docs). */
async function symlink(state, place, entry, tree) {
  const target = (await place.repository.git.object(entry.sha))?.content.toString() ?? '';
  const path = join(dirname(place.path), target);
  const found = path.startsWith('..') ? undefined : await place.repository.git.entryAt(tree, path);
  if (found?.mode === '100644' || found?.mode === '100755') {
    return { ...(await file(state, place, found)), name: entry.name };
  }
  return { ...describe(state, place, entry), type: 'symlink', size: target.length, target };
}
async function getContents(state, request) {
  const repository = state.repositoryOf(request);
  const ref = request.query.get('ref') ?? repository.defaultBranch;
  const path = (request.parameters['path'] ?? '').replace(/^\/+|\/+$/g, '');
  const commit = await resolveCommit(repository, ref, request.staleRefs);
  const entry = commit === undefined ? undefined : await repository.git.entryAt(commit.tree, path);
  if (commit === undefined || entry === undefined) throw notFound();
  const place = { repository, ref, path };
  if (entry.mode === '040000') {
    const entries = (await repository.git.tree(entry.sha)) ?? [];
    return { status: 200, body: await directory(state, place, entries) };
  }
  if (entry.mode === '160000') {
    const submodule = { ...describe(state, place, entry), type: 'submodule' };
    return { status: 200, body: { ...submodule, submodule_git_url: `${state.urls.server}/${path}` } };
  }
  if (request.headers['accept']?.includes('.raw') === true) {
    return { status: 200, body: (await repository.git.object(entry.sha))?.content };
  }
  const body =
    entry.mode === '120000'
      ? await symlink(state, place, entry, commit.tree)
      : await file(state, place, entry);
  return { status: 200, body };
}
/** Files and folders. */
export function contentRoutes(state) {
  const needs = [{ permission: 'contents', access: 'read' }];
  const template = '/repos/{owner}/{repo}/contents';
  return [
    { method: 'GET', template, needs, handle: request => getContents(state, request) },
    { method: 'GET', template: `${template}/{path}`, needs, handle: request => getContents(state, request) },
  ];
}
