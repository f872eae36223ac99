/**
 * Text of others as it may be shown: what may be a secret in it is withheld. Here are the forms that every program knows:
 * assignments, options, addresses with a user in front, headers. It rather withholds too much than too little. Pure.
 */

/** Stands in the place of what is not shown. */
export const withheld = '***';

/** What a name of a secret has in it; names of files, of programs and of methods are no secrets themselves. */
const telling = /pass|pwd|secret|token|credential|cookie|bearer/;
const tellingTogether = /apikey|accesskey|privatekey/;
const tellingWord = /^(?:key|pw|pin|salt|auth|authorization|hmac|dsn|license|signature|psk)$/;
const harmless =
  /(?:file|path|dir|directory|command|encryption|method|mechanism|size|length|timeout|policy|attribute|warnings|reload|auth-local|auth-host)$/;

/** Does a name sound like that of a secret? "PGPASSWORD", "aws_secret_access_key", "vault.token", "apiKey". */
export function isSecretName(name: string): boolean {
  const lower = name.toLowerCase();
  if (harmless.test(lower)) return false;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return (
    telling.test(lower) ||
    tellingTogether.test(words.join('')) ||
    words.some((word) => tellingWord.test(word))
  );
}

/** Parameters of an address that are never secret ("Parameter Key Words" of libpq). */
const openParameters: readonly string[] = [
  'application_name',
  'channel_binding',
  'connect_timeout',
  'dbname',
  'fallback_application_name',
  'gssencmode',
  'host',
  'hostaddr',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'load_balance_hosts',
  'passfile',
  'port',
  'replication',
  'require_auth',
  'sslcert',
  'sslcompression',
  'sslcrl',
  'sslkey',
  'sslmode',
  'sslnegotiation',
  'sslrootcert',
  'target_session_attrs',
  'tcp_user_timeout',
  'user',
];

export const isOpenParameter = (name: string): boolean => openParameters.includes(name);

const isHost = /^(?:\[[\w:.%]*\]|[\w.-]*)(?::(?:\d*|PORT))?$/;

/** What follows "scheme://": who logs in is withheld, and of the parameters what is not known to be harmless. */
export function openAddress(rest: string): string {
  const at = rest.lastIndexOf('@');
  const [place = '', ...more] = rest.slice(at + 1).split(/[?#]/);
  const [, hosts = '', path = ''] = /^([^/]*)(\/\S*)?/.exec(place) ?? [];
  const pairs = more
    .join('&')
    .split('&')
    .filter((pair) => pair !== '');
  const shown = pairs.map((pair) => {
    const [name = ''] = pair.split('=');
    return isOpenParameter(name) ? pair : withheld;
  });
  const named = hosts.split(',').map((host) => (isHost.test(host) ? host : withheld));
  return `${at < 0 ? '' : `${withheld}@`}${named.join(',')}${path}${shown.length === 0 ? '' : `?${shown.join('&')}`}`;
}

/** A password may hold quotes, so what ends at the last '@' of a word belongs to the address. */
const address = /\b([a-z][a-z0-9+.-]*:\/\/)(\S*@)?([^\s'"`<>)]*)/gi;

const openAddresses = (text: string): string =>
  text.replace(address, (_, scheme: string, login: string | undefined, rest: string) => {
    // What ends a sentence, or a list that the address stands in, is no part of it.
    const end = (rest.includes('[') ? /[.,;:]*$/ : /[.,;:\]]*$/).exec(rest)?.[0] ?? '';
    return `${scheme}${openAddress(`${login ?? ''}${rest.slice(0, rest.length - end.length)}`)}${end}`;
  });

/** A name, and what makes what follows its value: "name=", "name = ", '"name": ', "--name ", "-name=", "X-Name: ". */
const naming = /(['"`]?)((?:(?<![\w-])--?)?[A-Za-z_][\w.-]*)(?:(['"`]?\s*=\s*)|(['"`]\s*:\s*)|(\s+))/g;

/** Where a secret begins and ends; one that is quoted or escaped in any way is taken to reach to the end of the line. */
function firstSecret(
  text: string,
  from: number,
): { readonly start: number; readonly end: number } | undefined {
  naming.lastIndex = from;
  for (let match = naming.exec(text); match; match = naming.exec(text)) {
    const [whole, quote = '', name = '', assigned, paired] = match;
    const start = match.index + whole.length;
    const value = /^\S+/.exec(text.slice(start))?.[0] ?? '';
    const given = assigned !== undefined || paired !== undefined || name.startsWith('-');
    if (given && value !== '' && value !== withheld && isSecretName(name)) {
      const open = quote !== '' || /['"`\\$]/.test(value) || /['"`]/.test(assigned ?? paired ?? '');
      return { start, end: open ? text.length : start + value.length };
    }
    // The separator may stand in front of the next name.
    naming.lastIndex = match.index + quote.length + Math.max(1, name.length);
  }
  return undefined;
}

function withoutNamed(text: string): string {
  let rest = text;
  let at = 0;
  for (let found = firstSecret(rest, at); found; found = firstSecret(rest, at)) {
    rest = `${rest.slice(0, found.start)}${withheld}${rest.slice(found.end)}`;
    at = found.start + withheld.length;
  }
  return rest;
}

/** A line of YAML or a header, a token behind its kind, a password as SQL has it, and who logs in as programs take it. */
const forms: readonly RegExp[] = [
  /^([-+ ]?\s*(?:-\s+)?["']?[\w.-]*(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key)["']?)(:\s+)\S[^\n]*/gi,
  /\b((?:proxy-)?authorization|x-[\w-]+|[\w-]+-(?:token|key|secret))(["']?\s*:\s*)\S[^\n]*/gi,
  /\b(bearer)(\s+)[\w.~+/=-]{4,}/gi,
  /\b(password)(\s+(?:E|U&)?)(?:'(?:[^']|'')*'?|\$\w*\$[^\n]*)/gi,
  /((?:^|\s)(?:-u|--user|--proxy-user))([= ]?)["']?[^\s:'"]+:\S[^\n]*/g,
];

/** One line of any text. */
export const openText = (line: string): string =>
  forms.reduce(
    (text, form) => text.replace(form, (_, name: string, between: string) => `${name}${between}${withheld}`),
    withoutNamed(openAddresses(line)),
  );
