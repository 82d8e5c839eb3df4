/** In place of a query, which may be a token. */
const CUT = '?…';
/** `https://`, also with escaped or wrong slashes: `https:\/\/`, `https:\\`. */
const SCHEME = String.raw`[a-z][a-z0-9+.-]{0,30}:(?:\\{0,3}/|\\){2}`;
const QUOTED = new RegExp(String.raw`(["'\x60“‘«])(${SCHEME})([^\r\n]{0,2000}?)(?=["'\x60”’»])`, 'gi');
const PLAIN = new RegExp(String.raw`(${SCHEME})([^\s"'\x60<>“”‘’«»]{0,4000})`, 'gi');
/** A password that holds what no URL may hold, blanks and quotes, as Go's net/url quotes it back. */
const BROKEN_USER = new RegExp(
  String.raw`(${SCHEME})(?![^\s/@]{1,200}:\d{1,5}[\s"'/,;)])[^\s/:@]{0,200}:[^\r\n/@]{0,200}@`,
  'gi',
);
/** A whole address as a part of another one, encoded once or more often. */
const ENCODED = /[a-z][a-z0-9+.-]{0,30}%(?:25){0,5}3a(?:%(?:25){0,5}2f){2}[^\s"'`<>&]{0,4000}/gi;
/** `user:password@host`; `image:tag@sha256:…` is none. */
const BARE_USER = /[\w.%+~!$&*-]{1,200}:[^\s@"'`<>]{1,200}@(?!sha\d{1,3}:)(?=[\w[])/g;
const BARE_QUERY = /\?[\w.%[\]-]{1,200}=[^\s"'`<>]{0,4000}/g;

/**
 * Text of somebody else (events, conditions, answers, words of programs) with user, password and query cut out of every
 * address in it, however it is spelt: there others keep their credentials.
 */
export function withoutUrlSecrets(text: string): string {
  if (!/[@?:%]/.test(text)) return text;
  return text
    .replace(ENCODED, encoded => withoutUrlSecrets(decodedFully(encoded)))
    .replace(BROKEN_USER, '$1')
    .replace(
      QUOTED,
      (_, quote: string, scheme: string, rest: string) => `${quote}${scheme}${publicRest(rest)}`,
    )
    .replace(PLAIN, (_, scheme: string, rest: string) => `${scheme}${publicRest(rest)}`)
    .replace(BARE_USER, '')
    .replace(BARE_QUERY, CUT);
}

/** What follows the slashes: host and path. */
function publicRest(rest: string): string {
  const end = userEnd(rest);
  const [place = ''] = rest.slice(end).split(/[?#;]|%3f/i, 1);
  return place.length === rest.length - end ? place : `${place}${CUT}`;
}

/** Where the host begins. */
function userEnd(rest: string): number {
  const [authority = ''] = rest.split(/[/?#\\]/, 1);
  const inAuthority = authority.lastIndexOf('@');
  if (inAuthority >= 0) return inAuthority + 1;
  // A colon that no port follows: the password holds a slash or a question mark.
  const isPort = /^(?:\[[^\]]*\]|[^:]*)(?::\d{0,5})?$/.test(authority);
  return isPort ? 0 : rest.lastIndexOf('@') + 1;
}

function decodedFully(text: string): string {
  let now = text;
  for (let round = 0; round < 6; round += 1) {
    try {
      const next = decodeURIComponent(now);
      if (next === now) return now;
      now = next;
    } catch {
      return now.replace(/%[0-9a-f]{2}.*$/is, '…');
    }
  }
  return now;
}
