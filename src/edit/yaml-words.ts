import type { ErrorCode, YAMLParseError } from 'yaml';

const WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BLOCK_AS_IMPLICIT_KEY:
    'A second “name: value” begins in the middle of a line, or the line is indented deeper than the one before it.',
  BAD_INDENT: 'The line is not indented like those that it belongs to.',
  TAB_AS_INDENT: 'The line is indented with a tab.',
  MISSING_CHAR: 'A quote or bracket is opened and not closed, or a comma or colon is missing.',
  BLOCK_IN_FLOW: 'Lines of a list or map begin within brackets.',
  BAD_DQ_ESCAPE: 'A backslash in double quotes begins nothing that YAML knows.',
  UNEXPECTED_TOKEN: 'There is text where none can be.',
  MULTILINE_IMPLICIT_KEY: 'A name is longer than its line: is a colon missing, or the blank after it?',
  BAD_ALIAS: 'An alias or anchor has no name.',
  BAD_SCALAR_START: 'A text begins with a sign that YAML keeps for itself: put it into quotes.',
  MULTIPLE_DOCS: 'A second document begins here (---).',
};

/** An error of the parser, in a sentence about the file. */
export function wordsOfError({ code, message }: YAMLParseError): string {
  if (/call stack/.test(message)) return 'It is nested too deeply.';
  if (code === 'BAD_INDENT' && /^Flow/.test(message))
    return 'A bracket that was opened before it is not closed.';
  return WORDS[code] ?? message.replace(/\s+/g, ' ');
}
