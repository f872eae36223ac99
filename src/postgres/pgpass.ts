/** The password file of libpq ("The Password File"): lines host:port:database:user:password. Pure. */
import { Secret } from '../base/secret.ts';

export interface PgpassEntry {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
}

const escapeField = (field: string): string => field.replaceAll('\\', '\\\\').replaceAll(':', '\\:');

export function pgpassLine(entry: PgpassEntry): string {
  return [entry.host, entry.port, entry.database, entry.user]
    .map(escapeField)
    .concat(escapeField(entry.password.reveal()))
    .join(':');
}

/** Splits at colons that no backslash protects. Comments and lines of another shape give undefined. */
export function parsePgpassLine(line: string): PgpassEntry | undefined {
  if (line.startsWith('#') || line.trim() === '') return undefined;
  const fields = line
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
