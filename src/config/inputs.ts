import { durationMs } from './duration.ts';
import { gitopsCredentials } from './gitops-credentials.ts';
import { nearest } from './nearest.ts';
import { readSet } from './set-lines.ts';
import { urlFault } from './secure-url.ts';
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
  'metrics-namespaces': '',
  'settle-timeout': '15m',
  'apply-timeout': '10m',
  'approval-timeout': '30m',
  'lost-sight-timeout': '10m',
  'back-timeout': '10m',
  'job-timeout': '',
} as const satisfies Record<string, string>;

/** What is no input, and what people look for one to give. */
const VALUES: readonly string[] = ['image', 'version', 'tag', 'value', 'values'];

type InputName = keyof typeof INPUT_DEFAULTS;

const MODES = ['auto', 'release', 'plan', 'sweep'] as const;
const ON_CANCEL = ['revert', 'hand-over'] as const;
const SECRETS = ['token', 'gitops-token', 'app-private-key'] as const satisfies readonly InputName[];

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
    gitops: on.withoutSecrets ? { kind: 'job' } : gitopsCredentials(read, env['GITHUB_API_URL']),
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
    metricsNamespaces: read.namespaces('metrics-namespaces'),
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

/**
 * Whatever of the inputs must never be shown; the kubeconfig's secrets are found where it is read. A private key is
 * masked as a whole and by its long lines.
 */
function secretsOf(read: InputReader): readonly string[] {
  const whole = SECRETS.map(name => read.text(name));
  const keyLines = read
    .text('app-private-key')
    .split(/\r?\n|\\n/)
    .map(line => line.trim())
    .filter(line => line.length >= 40 && !line.startsWith('-----'));
  return [...whole, ...keyLines].filter(secret => secret.length >= 4);
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
      this.problem(input, {
        message: asked(`There is no input ${input}.`, nearest(input, known)),
        allowed: known.join(', '),
        ...(VALUES.includes(input) ? { remedy: `Values are given by set: image=6.14.1.` } : {}),
      });
    }
  }

  flag(name: InputName): boolean {
    const text = this.text(name).toLowerCase();
    if (text !== 'true' && text !== 'false') {
      const message = `${name} is neither true nor false.`;
      this.problem(name, { found: text, allowed: 'true or false', message });
    }
    return text === 'true';
  }

  oneOf<T extends string>(name: InputName, allowed: readonly [T, ...T[]]): T {
    const text = this.text(name);
    const found = allowed.find(value => value === text);
    if (found !== undefined) return found;
    const meant = nearest(text, allowed);
    const message = text === '' ? `${name} is empty.` : `${name} cannot be “${text}”.`;
    this.problem(name, { message: asked(message, meant), allowed: allowed.join(', ') });
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
    const wrong = urlFault(text);
    if (wrong !== undefined) {
      // What is not a URL may be anything, a secret in the wrong place among it.
      this.problem(name, { ...wrong, allowed: 'https://HOST/api/v3', message: `${name} ${wrong.message}` });
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

  namespaces(name: InputName): readonly string[] {
    const words = this.text(name)
      .split(/[\s,]+/)
      .filter(word => word !== '');
    const wrong = words.find(word => !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(word));
    if (wrong !== undefined) {
      this.problem(name, {
        found: wrong,
        allowed: 'names of namespaces, with blanks or commas between them',
        message: `${wrong} can be no namespace.`,
      });
    }
    return words;
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
    const found = problem.found === '' ? 'nothing' : problem.found;
    this.problems.push({ field: `input ${name}`, ...problem, ...(found === undefined ? {} : { found }) });
  }
}

/** The runner's rule: upper case, spaces to underscores, dashes stay. */
function variable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

function asked(message: string, meant: string | undefined): string {
  return meant === undefined ? message : `${message} Is ${meant} meant?`;
}
