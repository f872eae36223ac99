/** A single server that is to be multiplexed: which settings change, what is recorded, and what is said beforehand. */
import { describe, expect, it } from 'vitest';
import { asInForce, judge, suffices } from '../../src/resources/postgres/adopted-rules.ts';
import { notesOn } from '../../src/resources/single/adopt-notes.ts';
import {
  adoptedOf,
  carriedSettings,
  formerRules,
  movesIn,
  recordOf,
  standingAlone,
} from '../../src/resources/single/adoption.ts';
import {
  b64,
  dataDir,
  file,
  hba,
  live,
  observation,
  packaged,
  packagedLive,
  place,
  row,
  running,
} from './single.ts';

const values = {
  listen_addresses: '*',
  wal_level: 'replica',
  wal_keep_size: '1024MB',
  logging_collector: 'on',
  log_directory: '/mcdir/inst1/server1-log',
  work_mem: '7MB',
};
const wanted = { values, roles: ['pgduet_repl', 'app'] };
const intention = {
  ...place,
  version: 15,
  instance: { dataDir, socketDir: '/run/postgresql', port: 27500, owner: 'postgres' },
  values,
  standbys: ['server2'],
  addresses: ['10.0.0.1/32', '10.0.0.2/32'],
  managed: true,
};

const receiver = { name: 'debezium', user: 'cdc', address: '192.0.2.77', slot: 'feed', logical: true };

describe('what is in force', () => {
  it.each([
    ['listen_addresses', '*', '0.0.0.0', true],
    ['listen_addresses', '*', 'localhost, 10.0.0.1', false],
    ['unix_socket_directories', '/run/a', '/tmp, /run/a', true],
    ['wal_level', 'replica', 'logical', true],
    ['wal_level', 'replica', 'minimal', false],
    ['max_wal_senders', '10', '5', true],
    ['max_wal_senders', '10', '4', false],
    ['wal_keep_size', '1024MB', '2GB', true],
    ['wal_keep_size', '1024MB', '512MB', false],
    ['full_page_writes', 'on', 'true', true],
    ['full_page_writes', 'on', 'off', false],
    ['wal_sender_timeout', '5400', '5400ms', true],
    ['wal_sender_timeout', '5400', '60s', false],
    ['password_encryption', 'scram-sha-256', 'md5', true],
    ['primary_conninfo', '', '', false],
  ])('%s: wanted %s, there is %s: as good: %s', (name, want, there, good) => {
    const inForce = { ...asInForce(there), ...(name === 'wal_sender_timeout' ? { unit: 'ms' } : {}) };
    expect(suffices(name, want, new Map([[name, inForce]]))).toBe(good);
  });

  it('wal_log_hints are spared where there are checksums', () => {
    const off = asInForce('off');
    const checksums = (value: string) =>
      new Map([
        ['wal_log_hints', off],
        ['data_checksums', asInForce(value)],
      ]);
    expect(suffices('wal_log_hints', 'on', checksums('on'))).toBe(true);
    expect(suffices('wal_log_hints', 'on', checksums('off'))).toBe(false);
  });

  it('a log of its own stays; without one it is moved where there is a restart anyway', () => {
    const all = observation().live?.settings ?? new Map();
    expect(judge(values, all, undefined)).toEqual({
      names: ['listen_addresses', 'logging_collector', 'log_directory', 'work_mem'],
      restart: ['listen_addresses', 'logging_collector'],
      logging: 'ours',
    });
    const open = new Map([...all, ['listen_addresses', { ...asInForce('*'), context: 'postmaster' }]]);
    expect(judge(values, open, undefined)).toEqual({ names: ['work_mem'], restart: [], logging: 'theirs' });
    expect(judge(values, open, undefined, true).logging).toBe('ours');
    const collects = new Map([...all, ['logging_collector', asInForce('on')]]);
    expect(judge(values, collects, undefined).logging).toBe('theirs');
  });
});

describe('the record', () => {
  it('holds files, settings with their places, and who started the server', () => {
    const before = recordOf(place, observation(), wanted);
    expect(before).toMatchObject({
      systemIdentifier: '7300000000000000001',
      starter: {
        kind: 'hand',
        options: '"-D" "/database/inst1" "-c" "work_mem=7MB"',
        log: '/database/inst1.log',
      },
      configFile: `${dataDir}/postgresql.conf`,
      made: ['/mcdir/inst1', '/mcdir'],
      roles: ['app'],
    });
    expect(before?.settings).toEqual([
      {
        name: 'listen_addresses',
        value: 'localhost',
        place: `${dataDir}/postgresql.conf:60`,
        commentedOut: true,
      },
      { name: 'logging_collector', value: 'off', place: 'default', commentedOut: false },
      { name: 'log_directory', value: '', place: 'default', commentedOut: false },
      { name: 'work_mem', value: '7MB', place: 'command line', commentedOut: false },
      { name: 'synchronous_standby_names', value: '', place: 'default', commentedOut: false },
    ]);
    expect(before?.files.find(({ path }) => path.endsWith('pg_hba.conf'))).toEqual({
      path: `${dataDir}/pg_hba.conf`,
      mode: '640',
      owner: 'postgres:postgres',
      text: hba,
    });
  });

  it('an earlier attempt saw what was there before, a later one does not', () => {
    const first = recordOf(place, observation(), wanted);
    const encoded = Buffer.from(JSON.stringify(first)).toString('base64');
    const later = observation([...running, `record ${encoded}`], live({ senders: [receiver] }));
    expect(recordOf(place, later, wanted)).toEqual(first);
    expect(formerRules(later)).toBe(hba);
  });

  it('what was edited since an earlier attempt is gathered as it is now', () => {
    const first = recordOf(place, observation(packaged, packagedLive), wanted);
    const record = `record ${b64(JSON.stringify(first))}`;
    const etc = '/etc/postgresql/15/main';
    const edits: Readonly<Record<string, string>> = {
      [`${etc}/postgresql.conf`]: "work_mem = '8MB'\n",
      [`${etc}/pg_hba.conf`]: 'local all all peer map=m\n',
      [`${etc}/pg_ident.conf`]: 'm root postgres\n',
    };
    const lines = packaged.filter((line) => !Object.keys(edits).some((path) => line.includes(b64(path))));
    const edited = Object.entries(edits).map(([path, text]) => file(path, '640', text));
    const later = observation([...lines, ...edited, record], packagedLive);
    const before = recordOf(place, later, wanted);
    expect(before).toEqual(first);
    expect(before && standingAlone(place, later, before).map(({ text }) => text)).toEqual(
      Object.values(edits),
    );
    expect(adoptedOf(place, later, values).hba).toBe('local all all peer map=m\n');
  });

  it('what travels with the data has the options of the command line and the rules', () => {
    expect(carriedSettings(observation())).toEqual({ work_mem: '7MB' });
    const given = (value: string, context = 'postmaster') =>
      [value, value, null, context, 'command line', null, null, false] as const;
    // Not what differs between servers, nor what multiplexing needs otherwise; but what is better.
    const options = { port: given('27500'), wal_level: given('logical'), max_wal_senders: given('2') };
    expect(carriedSettings(observation(running, live({}, options)))).toEqual({
      wal_level: 'logical',
      work_mem: '7MB',
    });
    expect(adoptedOf(place, observation(), values)).toEqual({
      schema: 1,
      server: 'server1',
      logging: 'ours',
      carried: { work_mem: '7MB' },
      hba,
    });
  });
});

describe('a configuration that stands alone', () => {
  it('in the data directory: includes are brought in', () => {
    const before = recordOf(place, observation(), wanted);
    const files = before ? standingAlone(place, observation(), before) : [];
    expect(files.map(({ path }) => path)).toEqual([`${dataDir}/postgresql.conf`]);
    expect(files[0]?.text).toBe(`#listen_addresses = '*'
#pgduet: include 'extra.conf'
#pgduet begin ${dataDir}/extra.conf
geqo = off
#pgduet end
`);
  });

  it("Debian's: three files come to be, in the order in which conf.d is read, and nothing points elsewhere", () => {
    const seen = observation(packaged, packagedLive);
    expect(movesIn(place, seen)).toBe(true);
    const before = recordOf(place, seen, wanted);
    const files = before ? standingAlone(place, seen, before) : [];
    expect(files.map(({ path, mode }) => [path, mode])).toEqual([
      [`${dataDir}/postgresql.conf`, '644'],
      [`${dataDir}/pg_hba.conf`, '640'],
      [`${dataDir}/pg_ident.conf`, '640'],
    ]);
    expect(files[0]?.text).toBe(`#pgduet: data_directory = '${dataDir}'
#pgduet: include_dir = 'conf.d'
#pgduet begin /etc/postgresql/15/main/conf.d/a.conf
geqo = off
#pgduet end
#pgduet begin /etc/postgresql/15/main/conf.d/b.conf
geqo = on
#pgduet end
`);
    expect(before?.starter).toEqual({
      kind: 'unit',
      unit: 'postgresql@15-main.service',
      enabled: 'enabled-runtime',
    });
  });

  it('what has been written already is not written again', () => {
    const before = recordOf(place, observation(), wanted);
    const edited = running.map((line) =>
      line.includes(Buffer.from(`${dataDir}/postgresql.conf`).toString('base64'))
        ? line.replace(/ [^ ]+$/, ` ${Buffer.from('edited\n').toString('base64')}`)
        : line,
    );
    expect(before && standingAlone(place, observation(edited), before)).toEqual([]);
  });
});

describe('what is said beforehand', () => {
  it('name what is left of a recovery, wherever it stands, and the record gives it back', () => {
    const line = (name: string, value: string, file: string) => ({ name, value, file, line: 7, error: null });
    const sql = live({
      lines: [
        line('recovery_target_time', '2024-01-01', `${dataDir}/postgresql.auto.conf`),
        line('restore_command', 'cp /a/%f %p', `${dataDir}/extra.conf`),
        line('recovery_min_apply_delay', '0s', `${dataDir}/extra.conf`),
        line('primary_slot_name', '', `${dataDir}/extra.conf`),
      ],
    });
    const notes = notesOn(intention, observation(running, sql)).filter((note) => note.includes('is left'));
    expect(notes).toEqual([
      expect.stringMatching(/^recovery_target_time: 2024-01-01 \(ALTER SYSTEM\) is left/),
      expect.stringMatching(/^restore_command: cp \/a\/%f %p \(\/database\/inst1\/extra.conf:7\) is left/),
    ]);
    expect(recordOf(place, observation(running, sql), wanted)?.settings).toContainEqual({
      name: 'recovery_target_time',
      value: '2024-01-01',
      place: 'ALTER SYSTEM',
      commentedOut: false,
    });
  });

  it('of a server that needs a restart', () => {
    expect(notesOn(intention, observation())).toEqual([
      `listen_addresses: localhost (${dataDir}/postgresql.conf:60) becomes *; needs the restart`,
      'logging_collector: off (default) becomes on; needs the restart',
      'log_directory: what is not known becomes /mcdir/inst1/server1-log; needs a reload',
      "work_mem: 7MB stood on the server's command line; it moves into postgresql.conf",
      'PostgreSQL is restarted once, for listen_addresses, logging_collector: a checkpoint is made first, then connections end and about a second passes until new ones are taken (it was started by hand)',
      '47.7 MB of data are copied to server2 while clients go on working: 0.4 s at least, at the 128 MB/s that its disk was just read with; the network and the other disk may be slower',
      'the 2 rules of pg_hba.conf stay; in front of them come: replication from 10.0.0.1/32, 10.0.0.2/32 with scram-sha-256, and postgres to database postgres by peer on the socket',
      'rules that let anyone in without proof stay too, and hold on the standbys as well: local all all trust',
      'clients are connected from 10.0.0.9 (3): the same rules go on letting them in',
      '2 unlogged tables are not replicated: they are empty after a switch',
    ]);
  });

  it.each(['off', 'local'])('of commits that wait for nobody: synchronous_commit = %s', (value) => {
    const row = [value, value, null, 'user', 'configuration file', null, null, false] as const;
    const notes = notesOn(intention, observation(running, live({}, { synchronous_commit: row })));
    expect(notes).toContainEqual(expect.stringContaining(`synchronous_commit is ${value} and stays so`));
  });

  it('of transactions that are read-only by default: whoever looks for a primary finds none', () => {
    const row = ['on', 'on', null, 'user', 'configuration file', null, null, false] as const;
    const name = 'default_transaction_read_only';
    const told = expect.stringContaining('target_session_attrs=read-write');
    expect(notesOn(intention, observation(running, live({}, { [name]: row })))).toContainEqual(told);
    const declared = { ...intention, values: { ...intention.values, [name]: 'yes' } };
    expect(notesOn(declared, observation(running, live({})))).toContainEqual(told);
    expect(notesOn(intention, observation(running, live({})))).not.toContainEqual(told);
  });

  it('of a certificate in the data directory, which is copied with it', () => {
    const row = (value: string) =>
      [value, value, null, 'sighup', 'configuration file', null, null, false] as const;
    const notes = (key: string) =>
      notesOn(
        intention,
        observation(
          running,
          live({}, { ssl: row('on'), ssl_cert_file: row('server.crt'), ssl_key_file: row(key) }),
        ),
      );
    const told = expect.stringContaining('(server.crt, server.key) lie in the data directory');
    expect(notes('server.key')).toContainEqual(told);
    expect(notes('/etc/ssl/db1.key')).not.toContainEqual(
      expect.stringContaining('lie in the data directory'),
    );
  });

  it('of a database that lets nobody in, and of data that nobody could measure', () => {
    const barred = `unlooked ${b64(`\\connect -reuse-previous=on "dbname='it\\'s'"\nFATAL:  cannot connect`)}`;
    const lines = running.filter((line) => !line.startsWith('bytes '));
    const notes = notesOn(intention, observation([...lines, barred]));
    expect(notes).toContainEqual(
      expect.stringContaining("into the database 'it's' (FATAL:  cannot connect)"),
    );
    expect(notes).toContainEqual(expect.stringContaining('nobody has looked whether there is room for it'));
  });

  it('of slots, archiving and a configuration that moves', () => {
    const sql = {
      ...packagedLive,
      slots: [
        { name: 'feed', type: 'logical' },
        { name: 'old', type: 'physical' },
      ],
      settings: {
        ...packagedLive.settings,
        archive_mode: row(['on', 'on', null, 'postmaster', 'configuration file', '/x', 1, false]),
        archive_command: row([
          'cp %p /a/%f',
          'cp %p /a/%f',
          null,
          'sighup',
          'configuration file',
          '/x',
          2,
          false,
        ]),
      },
    };
    const notes = notesOn(intention, observation(packaged, sql)).join('\n');
    expect(notes).toContain('the configuration moves from /etc/postgresql/15/main/postgresql.conf to');
    expect(notes).toContain('restarted once, for config_file, listen_addresses');
    expect(notes).toContain('logical slots are not carried to the other server by a switch');
    expect(notes).toContain('physical slots stay on this server alone: old');
    expect(notes).toContain('archiving goes on as it is');
  });

  it('who receives WAL already is named, and what keeps his time', () => {
    const slow = {
      wal_sender_timeout: ['60000', '60000', 'ms', 'user', 'default', null, null, false] as const,
    };
    const values5 = { ...intention, values: { ...intention.values, wal_sender_timeout: '5400' } };
    const told = (senders: readonly object[], slots: readonly object[] = [], changed = slow) =>
      notesOn(values5, observation(running, live({ senders, slots }, changed))).join('\n');
    const both = told([
      receiver,
      { ...receiver, name: '', user: 'Backup', slot: null, address: null, logical: false },
    ]);
    expect(both).toContain(
      'others receive WAL from it already; they go on, and are no part of the cluster: debezium (role cdc, from 192.0.2.77, logical slot feed); one without a name (role Backup, from the socket of the host)',
    );
    expect(both).toContain('one that answers nothing for 5.4 s is disconnected');
    expect(both).toContain('ALTER ROLE "cdc" SET wal_sender_timeout = \'60000\';');
    expect(both).not.toContain('ALTER ROLE "Backup"');
    expect(both).toContain("options='-c wal_sender_timeout=60000'");
    // Whose role is not known while nobody is connected.
    const away = told([], [{ name: 'feed', type: 'logical' }]);
    expect(away).toContain('ALTER ROLE <its role> SET wal_sender_timeout');
    expect(told([])).not.toContain('is disconnected');
    const same = {
      wal_sender_timeout: ['5400', '5400', 'ms', 'user', 'default', null, null, false] as const,
    };
    expect(told([receiver], [], same as never)).not.toContain('is disconnected');
  });
});
