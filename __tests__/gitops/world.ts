import type { Call, GitHubClient } from '../../src/github/client.ts';
import { RateLimitObserver } from '../../src/github/rate-limit.ts';
import { retrying } from '../../src/github/retry.ts';
import { blobSha } from '../../src/gitops/blob-text.ts';
import type { CommitRecord } from '../../src/rollout/ports.ts';

/** What happens to one request. `lost-after`: it takes effect, and its answer is lost. */
export type Answer =
  | { readonly kind: 'well' }
  | { readonly kind: 'lost-before' }
  | { readonly kind: 'lost-after' }
  /** No answer, and an update takes effect only later, if it still can. */
  | { readonly kind: 'lost-late'; readonly ms: number }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface Commit {
  readonly sha: string;
  readonly parent: string | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly message: string;
}

/**
 * One branch as it really is, and a GitHub before it whose answers are scheduled: reads that lag behind, answers that
 * are lost before or after their effect, refusals. It judges what the code under test says of the world.
 */
export class World {
  now = 1_000_000;
  readonly branch: string[] = [];
  readonly commits = new Map<string, Commit>();
  readonly requests: string[] = [];
  /** For each request in turn; when they are used up, all is well. */
  answers: Answer[] = [];
  /** The same for updates of the branch alone; they come first. */
  moves: Answer[] = [];
  /** How long reads of the branch lag behind, ms. */
  lagMs = 0;
  /** What others do before a request is answered, by the number of the request. */
  readonly others = new Map<number, () => void>();
  private readonly trees = new Map<string, Readonly<Record<string, string>>>();
  private readonly movedAt: number[] = [];
  private late: { readonly at: number; readonly sha: string }[] = [];

  constructor(files: Readonly<Record<string, string>>) {
    this.push(files, 'Initial');
  }

  get head(): Commit {
    const head = this.commits.get(this.branch.at(-1) ?? '');
    if (head === undefined) throw new Error('no head');
    return head;
  }

  /** Somebody pushes. */
  push(files: Readonly<Record<string, string>>, message: string): Commit {
    const commit = this.commit({
      files: { ...(this.branch.length > 0 ? this.head.files : {}), ...files },
      message,
      parent: this.branch.at(-1),
    });
    this.land(commit.sha);
    return commit;
  }

  /** Somebody rewrites the branch, to what it was `back` commits ago. */
  rewrite(back: number, files: Readonly<Record<string, string>>): void {
    this.branch.splice(this.branch.length - back, back);
    this.movedAt.splice(this.movedAt.length - back, back);
    this.push(files, 'Rewritten');
  }

  record(commit: Commit): CommitRecord {
    const before = this.commits.get(commit.parent ?? '')?.files ?? {};
    const changed = Object.keys(commit.files).filter(path => commit.files[path] !== before[path]);
    return {
      sha: commit.sha,
      parent: commit.parent ?? '',
      tree: this.treeOf(commit.files),
      verified: true,
      url: '',
      files: changed.map(path => ({
        path,
        before: blob(before[path]),
        after: blob(commit.files[path]) ?? fail(),
      })),
    };
  }

  holds(sha: string): boolean {
    return this.branch.includes(sha);
  }

  client(): GitHubClient {
    const clock = {
      now: () => this.now,
      sleep: (ms: number) => {
        this.now += ms;
        return Promise.resolve();
      },
    };
    const client = {
      apiUrl: '',
      rateLimit: new RateLimitObserver(),
      clock,
      random: () => 0.5,
      get octokit(): never {
        return fail();
      },
      get tokens(): never {
        return fail();
      },
      call: <T>(call: Call<T>): Promise<T> => {
        const send = () => Promise.resolve(call.schema.parse(this.answer(call)));
        if (call.resend === 'once') return Promise.resolve().then(send);
        const policy = { clock, random: () => 0.5, budgetMs: call.budgetMs ?? 60_000, maxDelayMs: 10_000 };
        return retrying(() => Promise.resolve().then(send), policy);
      },
    };
    return client;
  }

  private answer<T>(call: Call<T>): unknown {
    this.now += 100;
    this.catchUp();
    this.others.get(this.requests.length)?.();
    this.requests.push(`${call.method} ${call.route}`);
    const planned = call.method === 'PATCH' ? this.moves.shift() : undefined;
    const answer = planned ?? this.answers.shift() ?? { kind: 'well' };
    if (answer.kind === 'lost-before') throw httpError(500, 'socket hang up');
    if (answer.kind === 'lost-late') {
      if (call.method === 'PATCH')
        this.late.push({ at: this.now + answer.ms, sha: String(call.parameters?.sha) });
      throw httpError(500, 'socket hang up');
    }
    if (answer.kind === 'refused') throw httpError(answer.status, answer.message, answer.headers ?? {});
    const result = this.serve(
      call.method,
      call.route.replace('/repos/{owner}/{repo}', ''),
      call.parameters ?? {},
    );
    if (answer.kind === 'lost-after') throw httpError(500, 'socket hang up');
    return result;
  }

  private serve(method: string, route: string, on: Readonly<Record<string, unknown>>): unknown {
    switch (`${method} ${route}`) {
      case 'GET /git/ref/{ref}':
        return { object: { sha: this.seenHead() } };
      case 'PATCH /git/refs/{ref}':
        return this.move(String(on.sha));
      case 'GET /compare/{basehead}':
        return this.compared(String(on.basehead));
      case 'GET /git/commits/{sha}':
        return this.shown(this.commits.get(String(on.sha)) ?? throwing(404, 'Not Found'));
      case 'GET /git/trees/{sha}':
        return this.listed(String(on.sha));
      case 'GET /git/blobs/{sha}':
        return { content: this.blobText(String(on.sha)), encoding: 'utf-8' };
      case 'POST /git/trees':
        return { sha: this.edited(String(on.base_tree), on.tree) };
      case 'POST /git/commits': {
        const [parent] = Array.isArray(on.parents) ? on.parents : [];
        const files = this.trees.get(String(on.tree)) ?? {};
        return this.shown(this.commit({ files, message: String(on.message), parent: String(parent) }));
      }
      default:
        return fail(`${method} ${route}`);
    }
  }

  /** Updates take effect whose answer was lost, those that still can. */
  catchUp(now = this.now): void {
    const due = this.late.filter(({ at }) => at <= now);
    this.late = this.late.filter(({ at }) => at > now);
    for (const { sha } of due) if (this.commits.get(sha)?.parent === this.branch.at(-1)) this.land(sha);
  }

  private move(sha: string): unknown {
    if (this.holds(sha) && this.branch.at(-1) === sha) return { object: { sha } };
    if (this.commits.get(sha)?.parent !== this.branch.at(-1)) throwing(422, 'Update is not a fast forward');
    this.land(sha);
    return { object: { sha } };
  }

  private land(sha: string): void {
    this.branch.push(sha);
    this.movedAt.push(this.now);
  }

  /** What a replica that lags says. */
  private seenHead(): string {
    const at = this.movedAt.findLastIndex(time => time <= this.now - this.lagMs);
    return this.branch[Math.max(0, at)] ?? fail();
  }

  private compared(basehead: string): unknown {
    const [base = '', named = ''] = basehead.split('...');
    const head = this.commits.has(named) ? named : this.seenHead();
    const [ofHead, ofBase] = [this.ancestry(head), this.ancestry(base)];
    const ahead = ofHead.filter(sha => !ofBase.includes(sha));
    const behind = ofBase.filter(sha => !ofHead.includes(sha));
    const status =
      ahead.length === 0
        ? behind.length === 0
          ? 'identical'
          : 'behind'
        : behind.length === 0
          ? 'ahead'
          : 'diverged';
    const [from, to] = [this.commits.get(base)?.files ?? {}, this.commits.get(head)?.files ?? {}];
    const files = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter(
      path => from[path] !== to[path],
    );
    return {
      status,
      total_commits: ahead.length,
      commits: ahead.toReversed().map(sha => this.listedCommit(sha)),
      files: files.map(filename => ({ filename })),
    };
  }

  /** Newest first. */
  private ancestry(sha: string): readonly string[] {
    const found = this.commits.get(sha);
    return found === undefined
      ? []
      : [sha, ...(found.parent === undefined ? [] : this.ancestry(found.parent))];
  }

  private listedCommit(sha: string): unknown {
    const { message, files, parent } = this.commits.get(sha) ?? fail();
    return {
      sha,
      parents: parent === undefined ? [] : [{ sha: parent }],
      html_url: '',
      author: { login: 'somebody' },
      committer: { login: 'somebody' },
      commit: { message, tree: { sha: this.treeOf(files) }, verification: { verified: true } },
    };
  }

  private shown(commit: Commit): unknown {
    return {
      sha: commit.sha,
      tree: { sha: this.treeOf(commit.files) },
      parents: commit.parent === undefined ? [] : [{ sha: commit.parent }],
      message: commit.message,
      verification: { verified: true },
      html_url: '',
    };
  }

  private listed(sha: string): unknown {
    const files = this.trees.get(sha) ?? throwing(404, 'Not Found');
    const tree = Object.entries(files).map(([path, text]) => ({ path, mode: '100644', sha: blobSha(text) }));
    return { sha, tree };
  }

  private edited(base: string, edits: unknown): string {
    const files: Record<string, string> = { ...this.trees.get(base) };
    for (const edit of Array.isArray(edits) ? edits : []) {
      const { path, sha, content } = edit;
      if (sha === null) delete files[path];
      else files[path] = typeof content === 'string' ? content : this.blobText(sha);
    }
    return this.treeOf(files);
  }

  private blobText(sha: string): string {
    const texts = [...this.trees.values()].flatMap(files => Object.values(files));
    return texts.find(text => blobSha(text) === sha) ?? fail(`no blob ${sha}`);
  }

  private treeOf(files: Readonly<Record<string, string>>): string {
    const sha = blobSha(JSON.stringify(Object.entries(files).toSorted()));
    this.trees.set(sha, files);
    return sha;
  }

  private commit(commit: Omit<Commit, 'sha'>): Commit {
    const sha = blobSha(JSON.stringify({ ...commit, number: this.commits.size }));
    this.treeOf(commit.files);
    this.commits.set(sha, { ...commit, sha });
    return { ...commit, sha };
  }
}

function blob(text: string | undefined) {
  return text === undefined ? null : { sha: blobSha(text), mode: '100644' as const, text };
}

/** As Octokit throws it; without headers where no answer came. */
function httpError(status: number, message: string, headers?: Readonly<Record<string, string>>): Error {
  const error = Object.assign(new Error(message), { status, ...(headers ? { response: { headers } } : {}) });
  error.name = 'HttpError';
  return error;
}

function throwing(status: number, message: string): never {
  throw httpError(status, message, {});
}

function fail(what = 'unexpected'): never {
  throw new Error(what);
}
