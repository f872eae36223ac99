/**
 * What an auditor asks of a configuration (points of the CIS benchmark of PostgreSQL), as far as it costs next to nothing (`standard`)
 * or a little more (`cis`): data, and the settings of a level. In: a level, and what the server is. Out: settings in the order in which they
 * are written. What is left out, and why, is in docs/security.md. Pure.
 */

import { bareLibrary, librariesIn } from './libraries.ts';

export const hardeningLevels = ['standard', 'cis'] as const;
export type HardeningLevel = (typeof hardeningLevels)[number];

interface Setting {
  /** The first level that has it. */
  readonly level: HardeningLevel;
  readonly name: string;
  readonly value: string;
  /** It means nothing without this. */
  readonly with?: 'tls' | 'libraries';
  /** For docs/security.md. */
  readonly what: string;
}

const preload = 'shared_preload_libraries';

/** Only suites with forward secrecy and an authenticated cipher; those of TLS 1.3 are such, and chosen elsewhere. */
const ciphers = ['AES256-GCM-SHA384', 'CHACHA20-POLY1305', 'AES128-GCM-SHA256']
  .flatMap((cipher) => ['ECDSA', 'RSA'].map((key) => `ECDHE-${key}-${cipher}`))
  .join(':');

export const hardening: readonly Setting[] = [
  { level: 'standard', name: 'log_connections', value: 'on', what: 'who came, and how' },
  { level: 'standard', name: 'log_disconnections', value: 'on', what: 'who went, and after how long' },
  {
    level: 'standard',
    name: 'log_replication_commands',
    value: 'on',
    what: 'what came in over a replication connection',
  },
  {
    level: 'standard',
    name: 'log_line_prefix',
    value: '%m [%p] %quser=%u,db=%d,app=%a,client=%h ',
    what: 'time, process, user, database, program and address in each line',
  },
  { level: 'standard', name: 'log_timezone', value: 'UTC', what: 'one clock in the logs of all hosts' },
  {
    level: 'standard',
    name: 'auth_delay.milliseconds',
    value: '500',
    with: 'libraries',
    what: 'half a second behind each failed login (library `auth_delay`)',
  },
  {
    level: 'standard',
    name: 'ssl_ciphers',
    value: ciphers,
    with: 'tls',
    what: 'forward secrecy only',
  },
  { level: 'cis', name: 'log_error_verbosity', value: 'verbose', what: 'SQLSTATE and place in the source' },
  {
    level: 'cis',
    name: 'log_statement',
    value: 'ddl',
    what: 'who changed what; the clear text of a password in `CREATE ROLE`, too: send verifiers (`\\password` of psql)',
  },
  {
    level: 'cis',
    name: 'pgaudit.log',
    value: 'ddl, role',
    with: 'libraries',
    what: 'who changed objects, roles and rights, in one form (library `pgaudit`)',
  },
  {
    level: 'cis',
    name: 'unix_socket_permissions',
    value: '0770',
    what: "local clients are members of the administrator's group, or of `unix_socket_group`",
  },
];

interface Library {
  readonly level: HardeningLevel;
  readonly name: string;
  /** It is no part of PostgreSQL: a package of its own brings it, which has to be on every host before a setting names it. */
  readonly packaged?: true;
  /** An auditor looks for its extension in the database of administration. */
  readonly extension?: true;
  readonly what: string;
}

/** In the order of `shared_preload_libraries`. */
export const hardeningLibraries: readonly Library[] = [
  { level: 'standard', name: 'auth_delay', what: 'see above' },
  {
    level: 'standard',
    name: 'passwordcheck',
    what: 'no short and simple passwords, where they come as clear text',
  },
  { level: 'cis', name: 'pgaudit', packaged: true, what: 'see above; from a package' },
  {
    level: 'cis',
    name: 'set_user',
    packaged: true,
    extension: true,
    what: 'administrators become superuser within their session, which is logged from then on; from a package, with its extension in database `postgres`',
  },
];

/** Those that a package brings to a server of this level. */
export const packagedLibraries = (level: HardeningLevel): readonly Library[] =>
  hardeningLibraries.filter((one) => one.packaged && isWithin(one.level, level));

/** As templates/postgresql.conf.hbs has it. */
const walSenders = 10;

/**
 * The limit of connections for the role that the standbys replicate with. It keeps no standby out: each connection of a standby is one of
 * `max_wal_senders`, but for the one by which it follows logical slots, and there are two for each standby at most. Ten are for logins that try.
 */
export function replicationConnections(declared: Readonly<Record<string, string>>): number {
  const own = Object.entries(declared).find(([name]) => name.toLowerCase() === 'max_wal_senders')?.[1];
  return 2 * Math.max(walSenders, Number(own) || 0) + 10;
}

export interface Hardened {
  readonly level: HardeningLevel;
  readonly tls: boolean;
  /** Settings of the inventory, by the name that it gives. They win, and its libraries are loaded first. */
  readonly declared: Readonly<Record<string, string>>;
  /** False: libraries of the server are its own matter, as those of one that was taken in. */
  readonly loads: boolean;
}

export function hardeningSettings({
  level,
  tls,
  declared,
  loads,
}: Hardened): Readonly<Record<string, string>> {
  const own = new Map(Object.entries(declared).map(([name, value]) => [name.toLowerCase(), value]));
  const settings = hardening
    .filter((one) => isWithin(one.level, level) && (one.with !== 'tls' || tls))
    .filter((one) => one.with !== 'libraries' || loads)
    .filter(({ name }) => !own.has(name))
    .map(({ name, value }) => [name, value] as const);
  return Object.fromEntries([...settings, ...(loads ? [[preload, loaded(level, own.get(preload))]] : [])]);
}

const isWithin = (one: HardeningLevel, level: HardeningLevel): boolean =>
  hardeningLevels.indexOf(one) <= hardeningLevels.indexOf(level);

function loaded(level: HardeningLevel, declared = ''): string {
  const theirs = librariesIn(declared);
  const bare = theirs.map(bareLibrary);
  const ours = hardeningLibraries.filter((one) => isWithin(one.level, level) && !bare.includes(one.name));
  return [...theirs, ...ours.map(({ name }) => name)].join(', ');
}
