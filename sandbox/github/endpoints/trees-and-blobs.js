import { z } from 'zod';
import { objectTypeOf } from '../git/object-format.js';
import { editTree, listTree, TreeEditError } from '../git/tree-edit.js';
import { nodeId } from '../json/accounts.js';
import { repositoryUrl } from '../json/repositories.js';
import { notFound, parseBody, unprocessable } from '../router.js';
/** Base64 as GitHub writes it: a line end after every 60 characters. */
export function wrappedBase64(content) {
  return content.toString('base64').replace(/.{1,60}/g, '$&\n');
}
async function getBlob(state, request) {
  const repository = state.repositoryOf(request);
  const blob = await repository.git.object(request.parameters['file_sha'] ?? '');
  if (blob?.type !== 'blob') throw notFound();
  if (request.headers['accept']?.includes('.raw') === true) return { status: 200, body: blob.content };
  return {
    status: 200,
    body: {
      sha: blob.sha,
      node_id: nodeId('Blob', blob.sha),
      size: blob.size,
      url: `${repositoryUrl(state, repository)}/git/blobs/${blob.sha}`,
      content: wrappedBase64(blob.content),
      encoding: 'base64',
    },
  };
}
const blobSchema = z.object({ content: z.string(), encoding: z.string().default('utf-8') });
async function createBlob(state, request) {
  const repository = state.repositoryOf(request);
  const { content, encoding } = parseBody(blobSchema, request);
  if (encoding !== 'utf-8' && encoding !== 'base64') throw unprocessable('Unsupported encoding');
  const sha = await repository.git.writeBlob(Buffer.from(content, encoding));
  const url = `${repositoryUrl(state, repository)}/git/blobs/${sha}`;
  return { status: 201, body: { url, sha }, headers: { location: url } };
}
async function treeJson(state, repository, listing) {
  const url = repositoryUrl(state, repository);
  const tree = listing.entries.map(async ({ path, mode, sha }) => {
    const type = objectTypeOf(mode);
    if (type === 'commit') return { path, mode, type, sha };
    const size = type === 'blob' ? { size: (await repository.git.objectInfo(sha))?.size ?? 0 } : {};
    return { path, mode, type, sha, ...size, url: `${url}/git/${type}s/${sha}` };
  });
  return {
    sha: listing.sha,
    url: `${url}/git/trees/${listing.sha}`,
    tree: await Promise.all(tree),
    truncated: listing.truncated,
  };
}
/** The tree that a tree sha, commit sha or branch stands for. */
async function resolveTree(repository, name) {
  if ((await repository.git.tree(name)) !== undefined) return name;
  return (await repository.git.resolveCommit(name))?.tree;
}
async function getTree(state, request) {
  const repository = state.repositoryOf(request);
  const sha = await resolveTree(repository, request.parameters['tree_sha'] ?? '');
  if (sha === undefined) throw notFound();
  const recursive = request.query.has('recursive'); // any value, `0` and `false` too (spec)
  const listing = await listTree(repository.git, { tree: sha, recursive, limit: repository.treeLimit });
  return { status: 200, body: await treeJson(state, repository, { sha, ...listing }) };
}
const treeSchema = z.object({
  base_tree: z.string().optional(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.enum(['100644', '100755', '040000', '160000', '120000']),
      type: z.enum(['blob', 'tree', 'commit']).optional(),
      sha: z.string().nullable().optional(),
      content: z.string().optional(),
    }),
  ),
});
const objectTypes = {
  100644: 'blob',
  100755: 'blob',
  120000: 'blob',
  '040000': 'tree',
  160000: 'commit',
};
async function toEdit(repository, entry) {
  const { path, mode, sha, content } = entry;
  if (sha === null) return { path, mode, sha };
  if (content !== undefined && sha === undefined) {
    return { path, mode, sha: await repository.git.writeBlob(Buffer.from(content)) };
  }
  if (sha === undefined || content !== undefined) {
    throw unprocessable('Must supply either tree.sha or tree.content');
  }
  // A submodule's commit lives in another repository.
  if (mode !== '160000' && (await repository.git.objectInfo(sha))?.type !== objectTypes[mode]) {
    throw unprocessable(`tree.sha ${sha} is not a valid ${objectTypes[mode]}`);
  }
  return { path, mode, sha };
}
async function createTree(state, request) {
  const repository = state.repositoryOf(request);
  const { base_tree: baseName, tree } = parseBody(treeSchema, request);
  const base = baseName === undefined ? undefined : await resolveTree(repository, baseName);
  if (baseName !== undefined && base === undefined) throw notFound();
  if (tree.length === 0) throw unprocessable('Invalid tree info');
  const edits = await Promise.all(tree.map(entry => toEdit(repository, entry)));
  const sha = await editTree(repository.git, base, edits).catch(error => {
    throw error instanceof TreeEditError ? unprocessable(error.message) : error;
  });
  const listing = await listTree(repository.git, {
    tree: sha,
    recursive: false,
    limit: repository.treeLimit,
  });
  const body = await treeJson(state, repository, { sha, ...listing });
  return { status: 201, body, headers: { location: body.url } };
}
/** Blobs and trees of the Git Data API. */
export function treeAndBlobRoutes(state) {
  const git = '/repos/{owner}/{repo}/git';
  const read = [{ permission: 'contents', access: 'read' }];
  const write = [{ permission: 'contents', access: 'write' }];
  return [
    { method: 'GET', template: `${git}/blobs/{file_sha}`, needs: read, handle: r => getBlob(state, r) },
    { method: 'POST', template: `${git}/blobs`, needs: write, handle: r => createBlob(state, r) },
    { method: 'GET', template: `${git}/trees/{tree_sha}`, needs: read, handle: r => getTree(state, r) },
    { method: 'POST', template: `${git}/trees`, needs: write, handle: r => createTree(state, r) },
  ];
}
