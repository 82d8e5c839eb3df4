import { buildSchema, GraphQLError, graphql } from 'graphql';
import { z } from 'zod';
import { nodeId } from './json/accounts.js';
import { parseBody } from './router.js';
/** The part of GitHub's schema that this server answers; anything else is a validation error, as it is there. */
const schema = buildSchema(`
  scalar GitObjectID
  type Query {
    viewer: User!
    repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
  }
  type User { login: String!, id: ID!, databaseId: Int }
  type Repository {
    id: ID!
    databaseId: Int
    name: String!
    nameWithOwner: String!
    object(oid: GitObjectID, expression: String): GitObject
  }
  interface GitObject { id: ID!, oid: GitObjectID!, abbreviatedOid: String! }
  type Blob implements GitObject {
    id: ID!, oid: GitObjectID!, abbreviatedOid: String!
    byteSize: Int!, isBinary: Boolean, isTruncated: Boolean!, text: String
  }
  type Tree implements GitObject { id: ID!, oid: GitObjectID!, abbreviatedOid: String! }
  type Commit implements GitObject { id: ID!, oid: GitObjectID!, abbreviatedOid: String!, message: String! }
`);
/** Above this a blob's text is cut. GitHub states no number; half a megabyte is where its web view stops. */
const maxText = 512_000;
const typeNames = { blob: 'Blob', tree: 'Tree', commit: 'Commit', tag: 'Tag' };
async function find(repository, oid, expression) {
  if (oid !== undefined) return await repository.git.object(oid);
  const [name = '', path] = splitOnce(expression ?? '', ':');
  const commit = await repository.git.resolveCommit(name === 'HEAD' ? repository.defaultBranch : name);
  if (commit === undefined || path === undefined) return commit && (await repository.git.object(commit.sha));
  return await objectAt(repository.git, commit.tree, path);
}
async function objectAt(git, tree, path) {
  const entry = await git.entryAt(tree, path);
  return entry === undefined ? undefined : await git.object(entry.sha);
}
function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
async function objectNode(repository, { oid, expression }) {
  const object = await find(repository, oid, expression);
  if (object === undefined) return null;
  const node = {
    __typename: typeNames[object.type],
    id: nodeId(typeNames[object.type], object.sha),
    oid: object.sha,
    abbreviatedOid: object.sha.slice(0, 7),
  };
  if (object.type === 'commit') {
    return { ...node, message: (await repository.git.commit(object.sha))?.message ?? '' };
  }
  if (object.type !== 'blob') return node;
  const isBinary = object.content.subarray(0, 8000).includes(0);
  return {
    ...node,
    byteSize: object.size,
    isBinary,
    isTruncated: !isBinary && object.size > maxText,
    text: isBinary ? null : object.content.subarray(0, maxText).toString(),
  };
}
function rootValue(state, request) {
  const { identity } = request;
  return {
    viewer: () => {
      const { id, login, type } = state.account(identity?.login ?? '');
      return { login, id: nodeId(type, id), databaseId: id };
    },
    repository: ({ owner, name }) => {
      const fullName = `${owner}/${name}`;
      const found = state.find(fullName) ?? state.formerNames.get(fullName.toLowerCase());
      if (found === undefined || !state.canRead(identity, found)) {
        throw new GraphQLError(`Could not resolve to a Repository with the name '${fullName}'.`, {
          extensions: { type: 'NOT_FOUND' },
        });
      }
      return {
        id: nodeId('Repository', found.id),
        databaseId: found.id,
        name: found.fullName.split('/')[1],
        nameWithOwner: found.fullName,
        object: wanted => objectNode(found, wanted),
      };
    },
  };
}
const bodySchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullable().optional(),
  operationName: z.string().nullable().optional(),
});
/** Answers POST /graphql: always 200, problems in `errors` with GitHub's `type` beside the message. */
export async function answerGraphql(state, request) {
  const { query, variables, operationName } = parseBody(bodySchema, request);
  const result = await graphql({
    schema,
    source: query,
    rootValue: rootValue(state, request),
    variableValues: variables ?? {},
    ...(operationName == null ? {} : { operationName }),
  });
  const errors = result.errors?.map(error => {
    const { message, path, locations, extensions } = error;
    return { ...(typeof extensions['type'] === 'string' ? extensions : {}), path, locations, message };
  });
  return {
    status: 200,
    body: { ...(result.data === undefined ? {} : { data: result.data }), ...(errors && { errors }) },
  };
}
