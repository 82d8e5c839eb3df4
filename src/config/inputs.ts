import { durationMs } from './duration.ts';
import { nearest } from './nearest.ts';
import { readSet } from './set-lines.ts';
import type { ConfigProblem, Inputs } from './settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Inputs of action.yml with their defaults, which the runner fills in; here for runs without a runner. */
export const INPUT_DEFAULTS = {
  config: 'rollout.yaml',
  set: '',
  mode: 'auto',
  branches: '',
  token: '',
  'gitops-token': '',
  'app-client-id': '',
  'app-private-key': '',
  'gitops-api-url': '',
  kubeconfig: '',
  'kube-context': '',
  'allow-downgrade': 'false',
  'even-if-unchanged': 'false',
  'on-cancel': 'revert',
  'result-file': '',
  'report-file': '',
  environment: '',
  'flagger-metrics': 'flagger-system/flagger:http',
  'settle-timeout': '15m',
  'apply-timeout': '10m',
  'approval-timeout': '30m',
  'lost-sight-timeout': '10m',
  'back-timeout': '10m',
  'job-timeout': '',
} as const satisfies Record<string, string>;

type InputName = keyof typeof INPUT_DEFAULTS;

const MODES = ['auto', 'release', 'plan', 'sweep'] as const;
const ON_CANCEL = ['revert', 'hand-over'] as const;
const SECRETS = ['token', 'gitops-token', 'app-private-key'] as const satisfies readonly InputName[];
const KUBECONFIG_SECRETS =
  /^\s*(?:token|password|client-key-data|id-token|refresh-token|client-secret|access-token)\s*:\s*["']?([^"'\s#]+)/gm;

export type ReadInputs = { readonly inputs: Inputs } | { readonly problems: readonly ConfigProblem[] };

/**
 * The step's inputs from INPUT_*. Every secret is masked before anything else is done. Unknown inputs are errors: the
 * runner only warns of them, and a mistyped limit would silently be the default.
 */
export function readInputs(
  env: Env,
  mask: (secret: string) => void,
  on: { readonly withoutSecrets: boolean } = { withoutSecrets: false },
): ReadInputs {
  const read = new InputReader(env);
  for (const secret of secretsOf(read)) mask(secret);
  read.refuseUnknown();
  const inputs: Inputs = {
    config: read.text('config'),
    set: read.assignments('set'),
    mode: read.oneOf('mode', MODES),
    branches: read.branches('branches'),
    token: read.text('token'),
    // GitHub gives a fork empty secrets: an App given by half is no mistake of the workflow then.
    gitops: on.withoutSecrets ? { kind: 'token', token: read.text('token') } : gitopsCredentials(read),
    ...(read.text('gitops-api-url') === '' ? {} : { gitopsApiUrl: read.url('gitops-api-url') }),
    ...(read.text('kubeconfig') === '' ? {} : { kubeconfig: read.text('kubeconfig') }),
    ...(read.text('kube-context') === '' ? {} : { kubeContext: read.text('kube-context') }),
    allowDowngrade: read.flag('allow-downgrade'),
    evenIfUnchanged: read.flag('even-if-unchanged'),
    onCancel: read.oneOf('on-cancel', ON_CANCEL),
    ...(read.text('result-file') === '' ? {} : { resultFile: read.text('result-file') }),
    ...(read.text('report-file') === '' ? {} : { reportFile: read.text('report-file') }),
    ...(read.text('environment') === '' ? {} : { environment: read.text('environment') }),
    ...(read.text('flagger-metrics') === '' ? {} : { flaggerMetrics: read.service('flagger-metrics') }),
    limits: {
      settleMs: read.duration('settle-timeout'),
      applyMs: read.duration('apply-timeout'),
      approvalMs: read.duration('approval-timeout'),
      lostSightMs: read.duration('lost-sight-timeout'),
      backMs: read.duration('back-timeout'),
      jobMs: read.text('job-timeout') === '' ? undefined : read.duration('job-timeout'),
    },
  };
  return read.problems.length > 0 ? { problems: read.problems } : { inputs };
}

function gitopsCredentials(read: InputReader): Inputs['gitops'] {
  const token = read.text('gitops-token');
  const clientId = read.text('app-client-id');
  const privateKey = read.text('app-private-key');
  if (token !== '' && (clientId !== '' || privateKey !== '')) {
    read.problem('gitops-token', {
      found: 'a token and an App',
      allowed: 'either gitops-token, or app-client-id with app-private-key',
      message: 'There are two ways to the GitOps repository, and it is not clear which one is meant.',
    });
  }
  if (clientId !== '' && privateKey !== '') return { kind: 'app', clientId, privateKey };
  if (clientId !== '' || privateKey !== '') {
    const missing = clientId === '' ? 'app-client-id' : 'app-private-key';
    read.problem(missing, {
      found: 'nothing',
      allowed: 'app-client-id and app-private-key together',
      message: `The App is given by half: ${missing} is empty. A secret that does not exist reads as empty.`,
    });
  }
  const either = token === '' ? read.text('token') : token;
  if (either === '') {
    read.problem('token', {
      found: 'nothing',
      allowed: 'a token; by default that of the job',
      message: 'There is no token for GitHub.',
    });
  }
  return { kind: 'token', token: either };
}

/**
 * Whatever of the inputs must never be shown. Of a kubeconfig the credentials and not its lines: a masked `}` would
 * make outputs vanish (facts of the runner). A private key is masked as a whole and by its long lines.
 */
function secretsOf(read: InputReader): readonly string[] {
  const whole = SECRETS.map(name => read.text(name));
  const keyLines = read
    .text('app-private-key')
    .split(/\r?\n|\\n/)
    .map(line => line.trim())
    .filter(line => line.length >= 40 && !line.startsWith('-----'));
  const kubeconfig = [...read.text('kubeconfig').matchAll(KUBECONFIG_SECRETS)].map(match => match[1] ?? '');
  return [...whole, ...keyLines, ...kubeconfig].filter(secret => secret.length >= 4);
}

class InputReader {
  readonly problems: ConfigProblem[] = [];
  private readonly env: Env;

  constructor(env: Env) {
    this.env = env;
  }

  text(name: InputName): string {
    return (this.env[variable(name)] ?? INPUT_DEFAULTS[name]).trim();
  }

  refuseUnknown(): void {
    const known = Object.keys(INPUT_DEFAULTS);
    const variables = new Set(known.map(variable));
    for (const name of Object.keys(this.env)) {
      if (!name.startsWith('INPUT_') || variables.has(name)) continue;
      const input = name.slice('INPUT_'.length).toLowerCase();
      const meant = nearest(input, known);
      this.problem(input, {
        found: input,
        allowed: known.join(', '),
        message: `There is no input ${input}.${meant === undefined ? '' : ` Is ${meant} meant?`}`,
      });
    }
  }

  flag(name: InputName): boolean {
    const text = this.text(name).toLowerCase();
    if (text !== 'true' && text !== 'false') {
      this.problem(name, {
        found: text,
        allowed: 'true or false',
        message: `${name} is neither true nor false.`,
      });
    }
    return text === 'true';
  }

  oneOf<T extends string>(name: InputName, allowed: readonly [T, ...T[]]): T {
    const text = this.text(name);
    const found = allowed.find(value => value === text);
    if (found !== undefined) return found;
    const meant = nearest(text, allowed);
    this.problem(name, {
      found: text,
      allowed: allowed.join(', '),
      message: `${name} cannot be “${text}”.${meant === undefined ? '' : ` Is ${meant} meant?`}`,
    });
    return allowed[0];
  }

  duration(name: InputName): number {
    const text = this.text(name);
    const ms = durationMs(text);
    if (ms === undefined) {
      this.problem(name, {
        found: text,
        allowed: 'a duration such as 90s, 15m or 1h30m',
        message: `${name} is no duration.`,
      });
    }
    return ms ?? 0;
  }

  url(name: InputName): string {
    const text = this.text(name);
    if (!/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) {
      this.problem(name, { found: text, allowed: 'https://HOST/api/v3', message: `${name} is no URL.` });
    }
    return text.replace(/\/+$/, '');
  }

  service(name: InputName): { readonly namespace: string; readonly name: string; readonly port: string } {
    const text = this.text(name);
    const [, namespace, service, port] = /^([a-z0-9-]+)\/([a-z0-9-]+):([a-z0-9-]+)$/.exec(text) ?? [];
    if (namespace === undefined || service === undefined || port === undefined) {
      this.problem(name, {
        found: text,
        allowed: 'namespace/service:port, or nothing at all',
        message: `${name} names no Service.`,
      });
    }
    return { namespace: namespace ?? '', name: service ?? '', port: port ?? '' };
  }

  /** Names or patterns. A `!` would turn a list of what is allowed into one of what is not. */
  branches(name: InputName): readonly string[] {
    const listed = this.text(name)
      .split(/[\s,]+/)
      .filter(text => text !== '');
    for (const text of listed.filter(each => each.startsWith('!') || each.startsWith('refs/'))) {
      this.problem(name, {
        found: text,
        allowed: 'names of branches or patterns such as release/*, one per line',
        message: `${name} lists what may be released: ${text} is no name of a branch and no pattern of names.`,
      });
    }
    return listed;
  }

  assignments(name: 'set'): Inputs['set'] {
    const { set, problems } = readSet(this.text(name).split(/\r?\n/), `input ${name}`);
    this.problems.push(...problems);
    return set;
  }

  problem(name: string, problem: Omit<ConfigProblem, 'field' | 'position'>): void {
    this.problems.push({ field: `input ${name}`, ...problem });
  }
}

/** The runner's rule: upper case, spaces to underscores, dashes stay. */
function variable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}
