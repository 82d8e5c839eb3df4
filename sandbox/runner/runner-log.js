/** What the runner makes of a process's output (runner ActionCommandManager.cs, SecretMasker). */
export class RunnerLog {
  lines = [];
  /** Values that were masked by `::add-mask::`. */
  masks = [];
  rest = { stdout: '', stderr: '' };
  onLine;
  constructor(onLine) {
    this.onLine = onLine;
  }
  write(stream, data) {
    const lines = `${this.rest[stream]}${data.toString('utf8')}`.split('\n');
    this.rest[stream] = lines.pop() ?? '';
    for (const line of lines) this.take(line.replace(/\r$/, ''), stream);
  }
  end() {
    for (const stream of ['stdout', 'stderr']) {
      if (this.rest[stream] !== '') this.take(this.rest[stream], stream);
      this.rest[stream] = '';
    }
  }
  /** All that a reader sees. */
  get text() {
    return this.lines
      .filter(({ kind }) => kind !== 'debug' && kind !== 'endgroup')
      .map(({ text }) => text)
      .join('\n');
  }
  /** Errors, warnings and notices, which GitHub shows on the run's page. */
  get annotations() {
    return this.lines.filter(({ kind }) => kind === 'error' || kind === 'warning' || kind === 'notice');
  }
  take(line, stream) {
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
  add(line) {
    const masked = this.masks.reduce((text, secret) => text.replaceAll(secret, '***'), line.text);
    const shown = { ...line, text: masked };
    this.lines.push(shown);
    this.onLine?.(shown);
  }
}
function unescaped(text) {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
