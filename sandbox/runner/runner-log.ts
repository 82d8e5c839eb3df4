/** A line of a step's log as the runner shows it: commands obeyed and taken out, secrets masked. */
export interface LogLine {
  readonly kind: 'text' | 'error' | 'warning' | 'notice' | 'debug' | 'group' | 'endgroup';
  readonly text: string;
  readonly stream: 'stdout' | 'stderr';
}

/** What the runner makes of a process's output (runner ActionCommandManager.cs, SecretMasker). */
export class RunnerLog {
  readonly lines: LogLine[] = [];
  /** Values that were masked by `::add-mask::`. */
  readonly masks: string[] = [];
  private readonly rest = { stdout: '', stderr: '' };
  private readonly onLine: ((line: LogLine) => void) | undefined;

  constructor(onLine?: (line: LogLine) => void) {
    this.onLine = onLine;
  }

  write(stream: 'stdout' | 'stderr', data: Buffer): void {
    const lines = `${this.rest[stream]}${data.toString('utf8')}`.split('\n');
    this.rest[stream] = lines.pop() ?? '';
    for (const line of lines) this.take(line.replace(/\r$/, ''), stream);
  }

  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.rest[stream] !== '') this.take(this.rest[stream], stream);
      this.rest[stream] = '';
    }
  }

  /** All that a reader sees. */
  get text(): string {
    return this.lines
      .filter(({ kind }) => kind !== 'debug' && kind !== 'endgroup')
      .map(({ text }) => text)
      .join('\n');
  }

  /** Errors, warnings and notices, which GitHub shows on the run's page. */
  get annotations(): readonly LogLine[] {
    return this.lines.filter(({ kind }) => kind === 'error' || kind === 'warning' || kind === 'notice');
  }

  private take(line: string, stream: LogLine['stream']): void {
    const command = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line.trimStart());
    const [, name = '', value = ''] = command ?? [];
    const text = unescaped(value);
    switch (name) {
      case 'add-mask':
        this.masks.push(...text.split('\n').filter(part => part.trim() !== ''));
        return;
      case 'error':
      case 'warning':
      case 'notice':
      case 'debug':
      case 'group':
        this.add({ kind: name, text, stream });
        return;
      case 'endgroup':
        this.add({ kind: 'endgroup', text: '', stream });
        return;
      default:
        this.add({ kind: 'text', text: line, stream });
    }
  }

  private add(line: LogLine): void {
    const masked = this.masks.reduce((text, secret) => text.replaceAll(secret, '***'), line.text);
    const shown = { ...line, text: masked };
    this.lines.push(shown);
    this.onLine?.(shown);
  }
}

function unescaped(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
