/** Connection strings of libpq ("Connection Strings"), both directions. Passwords never stand in one. Pure. */

export type Conninfo = Readonly<Record<string, string | number>>;

/** A file that is on no host: libpq goes on without it, and does not take the one of the administrator's home. */
export const nowhere = '/nonexistent/pgduet';

function quoteValue(value: string): string {
  return /^[A-Za-z0-9_.:/@%+-]+$/.test(value)
    ? value
    : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** { host: 'a', port: 5432 } → "host=a port=5432". */
export function conninfo(parts: Conninfo): string {
  return Object.entries(parts)
    .map(([name, value]) => `${name}=${quoteValue(String(value))}`)
    .join(' ');
}

/**
 * How one server of a cluster logs into another. `name` is what the other one shows in pg_stat_activity and
 * pg_stat_replication; what holds for every such connection is said here.
 */
export const serverConninfo = (
  to: { readonly host: string; readonly port: number; readonly user: string },
  name: string,
  more: Conninfo = {},
): string => conninfo({ host: to.host, port: to.port, user: to.user, application_name: name, ...more });

/** "host=a port='5432'" → { host: 'a', port: '5432' }. What is no keyword and value is left out. */
export function parseConninfo(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/g);
  return Object.fromEntries(
    [...pairs].map(([, name, quoted, plain]) => [name, (quoted ?? plain ?? '').replace(/\\(.)/g, '$1')]),
  );
}

/** For clients that may meet any of the servers: a URI that finds the one with the wanted role, and verifies it by the list in `caFile`. */
export function multiHostUri(
  hosts: readonly { host: string; port: number }[],
  database: string,
  attribute: 'read-write' | 'prefer-standby',
  more: Conninfo = {},
): string {
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const words = Object.entries({ target_session_attrs: attribute, ...more });
  const query = words.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `postgresql://${list}/${encodeURIComponent(database)}?${query}`;
}
