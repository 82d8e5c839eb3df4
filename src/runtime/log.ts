import * as core from '@actions/core';

/** The log of the step. Text may come from anywhere; it is made harmless here. */
export interface Log {
  info(message: string): void;
  /** Lines that are folded under a title. */
  group(title: string, lines: readonly string[]): void;
  /** Also an annotation on the run, while there is room. */
  warning(message: string): void;
  /**
   * Also an annotation on the run, while there is room: at a place of a file where one is given (1-based), which GitHub
   * then shows in the diff. Does not fail the step.
   */
  error(message: string, at?: FilePlace): void;
  /** Shown only when the run has debug logging on. */
  debug(message: string): void;
}

export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is used of @actions/core. */
export type LogSink = Pick<typeof core, 'info' | 'startGroup' | 'endGroup' | 'warning' | 'error' | 'debug'>;

/**
 * Nobody reads more annotations; what is over goes to the log only. (GitHub keeps 10 warnings and 10 errors of a step,
 * and drops the rest silently.) Warnings leave room for how it ended.
 */
const MAX_ANNOTATIONS = 10;
const MAX_WARNINGS = 5;
const LONGEST_LINE = 2_000;
const MOST_LINES = 50;
/** Terminal codes and direction marks: what they show is not what is there. */
const INVISIBLE = /(?!\t)[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function createLog(sink: LogSink = core): Log {
  const used = { warning: 0, error: 0 };
  const annotate = (level: 'warning' | 'error', message: string, at?: FilePlace): void => {
    const text = logText(message);
    const room = used.warning + used.error < MAX_ANNOTATIONS;
    if (room && (level === 'error' || used.warning < MAX_WARNINGS)) {
      used[level] += 1;
      if (at) sink[level](text, { file: at.file, startLine: at.line, startColumn: at.column });
      else sink[level](text);
    } else sink.info(`${level}: ${text}`);
  };
  return {
    info: message => sink.info(logText(message)),
    group: (title, lines) => {
      sink.startGroup(logText(title).replaceAll('\n', ' '));
      for (const line of lines) sink.info(logText(line));
      sink.endGroup();
    },
    warning: message => annotate('warning', message),
    error: (message, at) => annotate('error', message, at),
    debug: message => sink.debug(logText(message)),
  };
}

/**
 * Text as it may stand in a step's log. The runner obeys lines that start with `::` and any `##[` in a line
 * (ActionCommand.cs), so an event message could set outputs or stop the masking of secrets.
 */
export function logText(text: string): string {
  const lines = text.toWellFormed().split(/\r\n|[\n\r\u2028\u2029]/);
  const shown = lines.slice(0, MOST_LINES).map(harmless);
  if (lines.length > MOST_LINES) shown.push(`… ${lines.length - MOST_LINES} more lines`);
  return shown.join('\n');
}

function harmless(line: string): string {
  const cut = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE).toWellFormed()} …` : line;
  return cut
    .replace(INVISIBLE, '\ufffd')
    .replace(/^(\s*):(?=:)/, '$1: ')
    .replaceAll('##[', '## [');
}
