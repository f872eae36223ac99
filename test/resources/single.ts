/** A single server as its probe prints it: shared by the cases of `adopt` and `takeover` and by the tests of adoption. */

import type { SettingRow } from '../../src/postgres/setting-row.ts';
import type { ProbeReply } from '../../src/resources/contract/kind.ts';
import { type AdoptObservation, readAdoptObservation } from '../../src/resources/single/adopt-observation.ts';

export const b64 = (text: string): string => Buffer.from(text).toString('base64');

type Row = readonly [
  value: string,
  raw: string,
  unit: string | null,
  context: string,
  source: string,
  file: string | null,
  line: number | null,
  pending: boolean,
];

const plain = (value: string, context: string, source = 'default'): Row => [
  value,
  value,
  null,
  context,
  source,
  null,
  null,
  false,
];

export const dataDir = '/database/inst1';
export const place = { id: 'server1', dataDir, managementDir: '/mcdir/inst1' };

/** As initdb leaves a server that somebody started by hand with an option. */
export const settings: Readonly<Record<string, Row>> = {
  config_file: plain(`${dataDir}/postgresql.conf`, 'postmaster', 'override'),
  hba_file: plain(`${dataDir}/pg_hba.conf`, 'postmaster', 'override'),
  ident_file: plain(`${dataDir}/pg_ident.conf`, 'postmaster', 'override'),
  listen_addresses: [
    'localhost',
    'localhost',
    null,
    'postmaster',
    'configuration file',
    `${dataDir}/postgresql.conf`,
    60,
    false,
  ],
  port: plain('27500', 'postmaster'),
  data_checksums: plain('off', 'internal'),
  work_mem: ['7MB', '7168', 'kB', 'user', 'command line', null, null, false],
  logging_collector: plain('off', 'postmaster'),
  log_destination: plain('stderr', 'sighup'),
  wal_level: plain('replica', 'postmaster'),
  wal_keep_size: [
    '2GB',
    '2048',
    'MB',
    'sighup',
    'configuration file',
    `${dataDir}/postgresql.auto.conf`,
    3,
    false,
  ],
  archive_mode: plain('off', 'postmaster'),
};

export const row = ([value, raw, unit, context, source, file, line, pending]: Row): SettingRow => ({
  ...{ value, raw, unit, context, source, file, line, pending },
  type: 'string',
  boot: null,
});

export const live = (over: Readonly<Record<string, unknown>> = {}, changed: Record<string, Row> = {}) => ({
  settings: Object.fromEntries(
    Object.entries({ ...settings, ...changed }).map(([name, one]) => [name, row(one)]),
  ),
  inRecovery: false,
  tablespaces: [],
  slots: [],
  roles: ['postgres', 'app'],
  senders: [],
  clients: { '10.0.0.9': 3 },
  locales: ['C.UTF-8', 'en_US.UTF-8'],
  ...over,
});

export const file = (path: string, mode: string, text: string): string =>
  `file ${mode} postgres:postgres ${b64(path)} ${b64(text)}`;

export const hba = 'local all all trust\nhost app app 10.0.0.0/8 scram-sha-256\n';

export const running = [
  'clock 1795000000',
  'architecture x86_64',
  'libc glibc 2.36',
  'missing /mcdir/inst1',
  'missing /mcdir',
  'version 15',
  'system 7300000000000000001',
  'running 27500 /run/postgresql',
  `log ${b64('/database/inst1.log')}`,
  `options ${b64('"-D" "/database/inst1" "-c" "work_mem=7MB"')}`,
  file(`${dataDir}/postgresql.conf`, '600', "#listen_addresses = '*'\ninclude 'extra.conf'\n"),
  file(`${dataDir}/pg_hba.conf`, '640', hba),
  file(`${dataDir}/pg_ident.conf`, '600', '# none\n'),
  file(`${dataDir}/postgresql.auto.conf`, '600', "wal_keep_size = '2GB'\n"),
  file(`${dataDir}/extra.conf`, '600', 'geqo = off\n'),
  'read 67108864 500000000',
  'extension plpgsql',
  'unlogged 2',
  'bytes 50000000',
  'publications 1',
];

/** With another rule behind the first one. */
export const withRules = (rule: string): readonly string[] => [
  ...running,
  file(`${dataDir}/pg_hba.conf`, '640', `local all all peer\n${rule}\n`),
];

export const reply = (lines: readonly string[] = running, sql: unknown = live()): ProbeReply => ({
  status: 0,
  stdout: lines.join('\n'),
  stderr: '',
  sql,
});

export function observation(lines: readonly string[] = running, sql: unknown = live()): AdoptObservation {
  const seen = readAdoptObservation(reply(lines, sql));
  if (!seen) throw new Error('the server could not be looked at');
  return seen;
}

/** The same server as Debian's packages have it. */
export const packaged = [
  ...running.filter((line) => !line.startsWith('file ') && !line.startsWith('options ')),
  'unit postgresql@15-main.service enabled-runtime',
  file(
    '/etc/postgresql/15/main/postgresql.conf',
    '644',
    `data_directory = '${dataDir}'\ninclude_dir = 'conf.d'\n`,
  ),
  file('/etc/postgresql/15/main/conf.d/b.conf', '644', 'geqo = on'),
  file('/etc/postgresql/15/main/conf.d/a.conf', '644', 'geqo = off\n'),
  file('/etc/postgresql/15/main/pg_hba.conf', '640', hba),
  file('/etc/postgresql/15/main/pg_ident.conf', '640', '# none\n'),
  file(`${dataDir}/postgresql.auto.conf`, '600', ''),
];

export const packagedLive = live(
  {},
  {
    config_file: plain('/etc/postgresql/15/main/postgresql.conf', 'postmaster', 'override'),
    hba_file: plain('/etc/postgresql/15/main/pg_hba.conf', 'postmaster', 'configuration file'),
    ident_file: plain('/etc/postgresql/15/main/pg_ident.conf', 'postmaster', 'configuration file'),
  },
);
