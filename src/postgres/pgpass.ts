/**
 * The password file of libpq ("The Password File"): lines host:port:database:user:password, of which the first one that fits
 * answers. Words are compared as text: a name and its address are two, and so are two spellings of one address. Pure.
 */
import { Secret } from '../base/secret.ts';

export interface PgpassEntry {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
}

/** What libpq asks the file for; in place of a host that is a socket directory it asks for localhost, or for that path. */
export type Asked = Omit<PgpassEntry, 'password'>;

const escapeField = (field: string): string => field.replaceAll('\\', '\\\\').replaceAll(':', '\\:');

export function pgpassLine(entry: PgpassEntry): string {
  return [entry.host, entry.port, entry.database, entry.user]
    .map(escapeField)
    .concat(escapeField(entry.password.reveal()))
    .join(':');
}

/** Behind a field that fits, as libpq walks: a backslash takes the next character as it is, and a star stands for everything. */
function behind(line: string, word: string): string | undefined {
  if (line.startsWith('*:')) return line.slice(2);
  let at = 0;
  for (let index = 0; index < word.length; index += 1) {
    if (line[at] === '\\') at += 1;
    if (line[at] !== word[index]) return undefined;
    at += 1;
  }
  return line[at] === ':' ? line.slice(at + 1) : undefined;
}

/** The password by which this line answers; undefined where libpq goes on to the next one. */
export function answerOf(line: string, { host, port, database, user }: Asked): Secret | undefined {
  if (line.startsWith('#')) return undefined;
  const rest = [host, port, database, user].reduce<string | undefined>(
    (left, word) => (left === undefined ? undefined : behind(left, word)),
    line.replace(/[\r\n]+$/, ''),
  );
  if (rest === undefined) return undefined;
  const [password = ''] = /^(?:\\.|[^:])*/s.exec(rest) ?? [];
  return new Secret(password.replace(/\\(.)/gs, '$1'));
}

/** Splits at colons that no backslash protects. Comments and lines of another shape give undefined. */
export function parsePgpassLine(line: string): PgpassEntry | undefined {
  if (line.startsWith('#') || line.trim() === '') return undefined;
  const fields = line
    .replace(/\r+$/, '')
    .match(/(?:^|:)((?:\\.|[^:\\])*)/g)
    ?.map((field, index) => (index === 0 ? field : field.slice(1)).replace(/\\(.)/g, '$1'));
  const [host, port, database, user, password] = fields ?? [];
  if (
    fields?.length !== 5 ||
    host === undefined ||
    port === undefined ||
    database === undefined ||
    user === undefined ||
    password === undefined
  )
    return undefined;
  return { host, port, database, user, password: new Secret(password) };
}
