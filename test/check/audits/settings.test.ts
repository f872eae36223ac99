/** The audits of settings in force: what servers show, and what is told of it. */
import { describe, expect, it } from 'vitest';
import type { OwnSetting } from '../../../src/check/audits/in-force.ts';
import { placesOfSettings, settingsInForce } from '../../../src/check/audits/settings.ts';
import type { SettingRow } from '../../../src/postgres/setting-row.ts';
import type { ProbeReply } from '../../../src/resources/contract/kind.ts';
import { serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell, type Wish } from './context.ts';

const conf = '/database/inst1/postgresql.conf';
const auto = '/database/inst1/postgresql.auto.conf';

const inFile = (raw: string, more: Partial<SettingRow> = {}): SettingRow => ({
  value: raw,
  raw,
  unit: null,
  type: 'string',
  context: 'sighup',
  pending: false,
  boot: null,
  source: 'configuration file',
  file: conf,
  line: 12,
  ...more,
});
const bySystem = (value: string, more: Partial<SettingRow> = {}) =>
  inFile(value, { file: auto, line: 3, ...more });
const byDefault = (value: string): SettingRow => ({
  ...inFile(value),
  source: 'default',
  file: null,
  line: null,
});

type Settings = Readonly<Record<string, SettingRow>>;

/** As initdb leaves a server, on every host. */
const plain: Settings = {
  server_version: byDefault('15.4'),
  wal_segment_size: byDefault('16777216'),
  max_connections: inFile('100'),
  max_wal_senders: byDefault('10'),
  max_worker_processes: byDefault('8'),
  max_locks_per_transaction: byDefault('64'),
  max_prepared_transactions: byDefault('0'),
  shared_buffers: inFile('16384', { unit: '8kB' }),
  max_wal_size: inFile('1024', { unit: 'MB' }),
  min_wal_size: inFile('80', { unit: 'MB' }),
  datestyle: inFile('ISO, MDY'),
  timezone: inFile('Europe/Berlin'),
  lc_time: inFile('C.UTF-8'),
  dynamic_shared_memory_type: inFile('posix'),
  synchronous_standby_names: inFile('server2'),
};

const shows = (settings: Settings, own: readonly OwnSetting[] = [], whole = true): ProbeReply =>
  reply({ whole, settings: { ...plain, ...settings }, own });
const one = (settings: Settings, wish: Wish = {}) => {
  const replies = { server1: shows(settings), server2: shows(settings) };
  return [...tell(settingsInForce, replies, wish), ...tell(placesOfSettings, replies, wish)];
};
const both = (first: Settings, second: Settings, wish: Wish = {}) => {
  const replies = { server1: shows(first), server2: shows(second) };
  return [...tell(settingsInForce, replies, wish), ...tell(placesOfSettings, replies, wish)];
};

describe('declared settings', () => {
  const declared = { work_mem: '8MB', log_checkpoints: 'on', synchronous_standby_names: 'server2' };
  const right = { work_mem: inFile('8192', { unit: 'kB' }), log_checkpoints: inFile('on') };
  /** The files of server1 are closed to the login. */
  const blind = { declared, views: { server1: {} } };

  it.each([
    [
      'are compared with those in force where the files cannot be seen',
      { ...right, work_mem: bySystem('4096', { unit: 'kB' }) },
      ['SET016 server1 work_mem'],
    ],
    ['may not be at their defaults', { log_checkpoints: inFile('on') }, ['SET016 server1 work_mem']],
    ['are equal in another unit', right, []],
  ])('%s', (_, settings, told) => {
    const found = tell(settingsInForce, { server1: shows(settings), server2: shows(right) }, blind);
    expect(brief(found)).toEqual(told);
  });

  it('are left alone where a login may not see all settings, and where the files can be seen', () => {
    const partly = { server1: shows({ log_checkpoints: inFile('on') }, [], false) };
    expect(tell(settingsInForce, partly, blind)).toEqual([]);
    expect(tell(settingsInForce, { server1: shows({}) }, { declared })).toEqual([]);
  });
});

it('what of a setting may be a secret is told by none of the audits', () => {
  const secret = 'Ca9naRy';
  const holding = (mark: string): Settings => ({
    ...plain,
    archive_command: bySystem(`KEY=${secret} put ${secret}${mark} %p`),
    'vault.token': inFile(`${secret}${mark}`),
    primary_conninfo: inFile(`host=a password=${secret}${mark}`),
    'shop.url': inFile(`https://u:${secret}${mark}@h`),
  });
  const declared = { archive_command: `KEY=${secret}`, 'vault.token': secret };
  const replies = { server1: shows(holding('1')), server2: shows(holding('2')) };
  const told = [
    ...tell(settingsInForce, replies, { declared, views: { server1: {} } }),
    ...tell(placesOfSettings, replies),
    ...tell(placesOfSettings, { server1: shows(holding('1')), server2: shows(plain) }),
    ...tell(placesOfSettings, { server1: shows(holding('1')), server2: shows(holding('1')) }),
  ];
  expect(new Set(told.map(({ code }) => code))).toEqual(new Set(['SET016', 'PEE002', 'SET014']));
  expect(JSON.stringify(told).includes(secret)).toBe(false);
  expect(JSON.stringify(told)).toContain('KEY=*** put *** %p');
});

describe('settings in force', () => {
  it('as initdb leaves them are nothing to tell', () => {
    expect(one({})).toEqual([]);
  });

  it.each([
    ['fsync', 'off'],
    ['full_page_writes', 'off'],
    ['synchronous_commit', 'off'],
    ['synchronous_commit', 'local'],
    ['zero_damaged_pages', 'on'],
    ['ignore_checksum_failure', 'on'],
  ])('%s = %s lets commits be lost, and is told once on each server', (name, value) => {
    expect(brief(one({ [name]: bySystem(value) }))).toEqual([
      `SET012 server1 ${name}`,
      `SET012 server2 ${name}`,
    ]);
  });

  it.each([
    ['synchronous_commit', 'remote_write'],
    ['synchronous_commit', 'remote_apply'],
    ['fsync', 'on'],
  ])('%s = %s does not', (name, value) => {
    expect(one({ [name]: byDefault(value) })).toEqual([]);
  });

  it('that lose commits are meant where the inventory says so', () => {
    expect(one({ synchronous_commit: inFile('off') }, { declared: { synchronous_commit: 'off' } })).toEqual(
      [],
    );
    expect(brief(one({ fsync: bySystem('off') }, { declared: { fsync: 'on' } }))).toHaveLength(2);
  });

  it('say where they stand, and how they go away', () => {
    const [system, file, command] = [
      bySystem('off'),
      inFile('off'),
      { ...byDefault('off'), source: 'command line' },
    ].map((setting) => both({ fsync: setting }, {})[0]);
    expect(system).toMatchObject({
      declared: 'on',
      found: 'off',
      source: `${auto}:3`,
      repair: 'on {host}: ALTER SYSTEM RESET fsync; then SELECT pg_reload_conf()',
    });
    expect(file).toMatchObject({ source: `${conf}:12`, repair: expect.stringContaining(`${conf}:12`) });
    expect(command).toMatchObject({ source: 'the command line of the server' });
  });

  it('of roles and databases are told once, with the statement that they came from', () => {
    const own = [
      { role: 'app', database: null, name: 'synchronous_commit', value: 'off' },
      { role: 'Other One', database: 'shop', name: 'synchronous_commit', value: 'local' },
      { role: null, database: 'shop', name: 'zero_damaged_pages', value: 'on' },
      { role: null, database: null, name: 'work_mem', value: '64MB' },
    ];
    const replies = { server1: shows({}, own), server2: shows({}, own) };
    const told = tell(settingsInForce, replies);
    expect(told.map(({ host, source }) => `${host} ${source}`)).toEqual([
      'server1 ALTER ROLE app',
      'server1 ALTER ROLE "Other One" IN DATABASE shop',
      'server1 ALTER DATABASE shop',
    ]);
    expect(told[0]?.repair).toBe(
      'on {host}: ALTER ROLE app RESET synchronous_commit; sessions that are open keep the value',
    );
  });
});

describe('limits', () => {
  it('of a standby that are lower than those of its primary are a danger', () => {
    const [told, ...more] = both({}, { max_connections: bySystem('40') });
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      code: 'PEE001',
      host: 'server2',
      declared: '100 at least, as on server1',
      found: '40',
      source: `${auto}:3`,
    });
  });

  it('that are higher are a difference like any other', () => {
    expect(brief(both({}, { max_worker_processes: bySystem('16') }))).toEqual([
      'PEE002 server2 max_worker_processes',
    ]);
  });

  it('follow who is primary now', () => {
    const told = both({ max_wal_senders: bySystem('5') }, {}, { primary: 'server2' });
    expect(brief(told)).toEqual(['PEE001 server1 max_wal_senders']);
  });
});

describe('a setting that differs between the servers', () => {
  const mem = { unit: 'kB', boot: '4096' };

  it('says both values and where they stand', () => {
    expect(both({ work_mem: bySystem('65536', mem) }, {})).toEqual([
      {
        code: 'PEE002',
        host: 'server2',
        object: 'work_mem',
        declared: '64 MB, as on server1',
        found: '4 MB',
        source: `server2: the default; server1: ${auto}:3`,
      },
    ]);
  });

  it.each<[string, Settings, Settings, Wish]>([
    [
      'that one has written down its default',
      { work_mem: inFile('4096', mem) },
      {},
      { declared: { work_mem: '4MB' } },
    ],
    ['what is declared', { work_mem: bySystem('65536', mem) }, {}, { declared: { work_mem: '64MB' } }],
    [
      'the directory of the log',
      { log_directory: inFile('a') },
      { log_directory: inFile('b') },
      { declared: { log_directory: 'a' } },
    ],
    [
      'anything as long as there is no primary',
      { work_mem: bySystem('65536', mem) },
      {},
      { primary: null, declared: { work_mem: '64MB' } },
    ],
    [
      'the names of the standbys',
      { synchronous_standby_names: inFile('server2') },
      { synchronous_standby_names: inFile('server1') },
      {},
    ],
    ['the port', { port: { ...byDefault('5433'), source: 'command line' } }, {}, {}],
  ])('is not %s', (_, first, second, wish) => {
    expect(both(first, second, wish)).toEqual([]);
  });

  it('but equal to the default is no difference, and still made by hand', () => {
    expect(brief(both({ work_mem: inFile('4096', mem) }, {}))).toEqual(['SET014 server1 work_mem']);
  });
});

describe('a setting made by hand', () => {
  it.each<[string, Settings]>([
    ['work_mem', { work_mem: bySystem('65536', { unit: 'kB' }) }],
    ['max_wal_size', { max_wal_size: inFile('4096', { unit: 'MB' }) }],
    ['shared_buffers', { shared_buffers: inFile('65536', { unit: '8kB' }) }],
    ['timezone', { timezone: bySystem('UTC') }],
    ['lc_time', { lc_time: inFile('de_DE.UTF-8', { file: '/database/inst1/conf.d/x.conf' }) }],
  ])('%s is told where it is not declared and not as initdb writes it', (name, settings) => {
    expect(brief(one(settings))).toEqual([`SET014 server1 ${name}`, `SET014 server2 ${name}`]);
  });

  it('says value and place', () => {
    expect(one({ work_mem: bySystem('65536', { unit: 'kB' }) })[0]).toMatchObject({
      declared: 'nothing',
      found: '64 MB',
      source: `${auto}:3`,
    });
  });

  it('is the right of a server that was there before', () => {
    const adopted = {
      adopted: { schema: 1, server: 'server1', logging: 'theirs', carried: {}, hba: '' },
    } as const;
    const views = { server1: adopted, server2: adopted };
    expect(one({ work_mem: bySystem('65536', { unit: 'kB' }) }, { views })).toEqual([]);
  });

  it('is not known to be none by a login that may not see all of them', () => {
    const seen = placesOfSettings.read(shows({}, [], false), serverNamed(pair, 'server1'));
    expect(seen).toMatchObject({ state: 'unknown', reason: expect.stringContaining('pg_read_all_settings') });
    expect(settingsInForce.read(shows({}, [], false), serverNamed(pair, 'server1')).state).toBe('present');
  });
});

describe('a server that does not answer', () => {
  it('is unknown with the reason', () => {
    const answer = { status: 0, stdout: '', stderr: '', sqlProblem: 'connection refused' };
    const seen = settingsInForce.read(answer, serverNamed(pair, 'server1'));
    expect(seen).toEqual({ state: 'unknown', reason: 'connection refused' });
  });
});
