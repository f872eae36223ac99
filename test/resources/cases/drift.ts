/** Cases of what `check` tells one by one: settings, client rules, roles that are not as declared, and who repairs them. */
import { expect } from 'vitest';
import { ourHeading } from '../../../src/postgres/conf-file.ts';
import type { FileLine, Live, LiveSetting } from '../../../src/resources/postgres/settings-observation.ts';
import type { Case } from '../cases.ts';
import { b64 } from '../single.ts';

export const hbaText = 'local all all peer\nhost\tall all 10.0.0.0/8   scram-sha-256 # clients\n';
export const conf = "port = 27500\nlisten_addresses = '*'\n";
const confFile = '/database/inst1/postgresql.conf';
export const autoFile = '/database/inst1/postgresql.auto.conf';
export const fileLine = (
  name: string | null,
  value: string | null,
  over: Partial<FileLine> = {},
): FileLine => ({
  name,
  value,
  file: confFile,
  line: 3,
  error: null,
  context: 'sighup',
  pending: false,
  ...over,
});
export const live = (
  over: Record<string, Partial<LiveSetting>> = {},
  lines: readonly FileLine[] = [],
  more: Partial<Live> = {},
): Live => ({
  loaded: 200,
  lines,
  overrides: [],
  places: {
    config_file: confFile,
    hba_file: '/database/inst1/pg_hba.conf',
    ident_file: '/database/inst1/pg_ident.conf',
    data_directory: '/database/inst1',
  },
  settings: Object.fromEntries(
    ['port', 'listen_addresses', ...Object.keys(over)].map((name) => [
      name,
      { context: 'sighup', pending: false, ...over[name] },
    ]),
  ),
  ...more,
});

const reload = [{ action: 'reload', target: 'instance' }] as const;
const restart = [{ action: 'restart', target: 'instance' }] as const;
const running = `100 600 postgres\nrunning auto=90.5\n`;
const whole = '{ name: server, template: conf.hbs, except: [synchronous_standby_names] }';
const included = { file: '/database/inst1/law.inc', line: 7 };
const notApplied = 'setting could not be applied';
const integer = (raw: string, more: Partial<LiveSetting> = {}): Partial<LiveSetting> => ({
  type: 'integer',
  value: raw,
  raw,
  source: 'configuration file',
  file: confFile,
  line: 1,
  ...more,
});
const text = (value: string, more: Partial<LiveSetting> = {}): Partial<LiveSetting> =>
  integer(value, { type: 'string', line: 2, ...more });
const buffers = "{ name: server, values: { shared_buffers: '1GB' } }";

export const settingsDrift: readonly Case[] = [
  {
    title: 'a later line of the same file wins',
    reply: { stdout: `${running}${conf}port = 5433\n`, sql: live({ port: { context: 'postmaster' } }) },
    gives: { change: 'set port', reason: 'other values', effects: restart },
    tells: [
      {
        code: 'SET001',
        object: 'port',
        declared: '27500',
        found: '5433',
        source: `${confFile}:3`,
        since: 100,
      },
    ],
  },
  {
    title: 'the file was edited and read, and the value in force is still the declared one',
    reply: {
      stdout: `${running}${conf}port = 5433\n`,
      sql: live({ port: integer('27500', { context: 'postmaster', pending: true }) }),
    },
    gives: { change: 'set port', reason: 'other values', effects: reload },
    tells: [{ code: 'SET001' }],
  },
  {
    title: 'a value is written in another unit than the server shows',
    desired: buffers,
    reply: {
      stdout: `${running}shared_buffers = '1GB'\n`,
      sql: live({ shared_buffers: integer('131072', { value: '1GB', unit: '8kB', context: 'postmaster' }) }),
    },
    gives: { same: '1 settings are in force' },
    tells: [],
  },
  {
    title: 'ALTER SYSTEM was used',
    desired: whole,
    reply: { stdout: `${running}${conf}`, sql: live({}, [fileLine('port', '5433', { file: autoFile })]) },
    gives: { change: 'bring', reason: 'ALTER SYSTEM', effects: reload },
    tells: [{ code: 'SET002', object: 'port', found: '5433', source: `${autoFile}:3`, since: 90.5 }],
  },
  {
    title: 'ALTER SYSTEM was used on a server that does not run',
    desired: whole,
    reply: { stdout: `100 600 postgres\nstopped held=${b64("port = '5433'\nwork_mem = '1MB'\n")}\n${conf}` },
    gives: {
      change: 'bring',
      reason: 'ALTER SYSTEM',
      script: ["printf '%s\\004' 'work_mem = ", 'sha256sum'],
    },
    tells: [{ code: 'SET002', object: 'port', found: '5433', source: `${autoFile}:1` }],
  },
  {
    title: 'a copy that has never run holds a recovery target',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nstopped held=${b64("recovery_target_time = '2024-01-01'\n")} standby\n${conf}`,
    },
    gives: { change: 'bring', reason: 'ALTER SYSTEM', script: ["printf '%s\\004' '' "] },
    tells: [{ code: 'SET017', object: 'recovery_target_time', found: '2024-01-01' }],
  },
  {
    title: 'a recovery target that does nothing is in nobody’s way',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nstopped held=${b64("recovery_target_time = ''\nrecovery_target_action = 'pause'\nrestore_command = 'cp /a/%f %p'\n")} standby\n${conf}`,
    },
    gives: { same: '2 settings' },
  },
  {
    title: 'somebody names a slot on a standby',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nrunning auto=90.5 standby\n${conf}`,
      sql: live({ primary_slot_name: text('node_2', { file: autoFile }) }, [
        fileLine('primary_slot_name', 'node_2', { file: autoFile }),
      ]),
    },
    gives: {
      change: 'bring',
      reason: 'ALTER SYSTEM',
      effects: reload,
      script: ['ALTER SYSTEM RESET primary_slot_name;'],
    },
    tells: [
      { code: 'SET017', object: 'primary_slot_name', found: 'node_2', source: `${autoFile}:3`, since: 90.5 },
    ],
  },
  {
    title: 'a standby has a recovery target in postgresql.conf: it is restarted without it',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nrunning standby\n${conf}recovery_target_xid = 9 # old\r\n`,
      sql: live({ recovery_target_xid: text('9', { context: 'postmaster' }) }),
    },
    gives: {
      change: 'set recovery_target_xid',
      reason: 'other values',
      effects: restart,
      script: ['#pgduet: recovery_target_xid = 9 # old'],
    },
    tells: [{ code: 'SET017', object: 'recovery_target_xid', found: '9', source: `${confFile}:3` }],
  },
  {
    title: 'a primary has it: nobody reads it there, and no restart is worth it',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nrunning\n${conf}recovery_target_xid = 9 # old\r\n`,
      sql: live({ recovery_target_xid: text('9', { context: 'postmaster' }) }),
    },
    gives: { change: 'set recovery_target_xid', reason: 'other values', effects: reload },
    tells: [{ code: 'SET017', object: 'recovery_target_xid' }],
  },
  {
    title: 'a line of ours keeps a command out of force that was there before',
    desired: '{ name: server, template: conf.hbs, except: [synchronous_standby_names], adopted: taken }',
    reply: {
      stdout: `100 600 postgres\nstopped\n#pgduet: restore_command = 'cp /a/%f %p'\n\n${ourHeading}\n${conf}restore_command = ''\n`,
    },
    gives: { same: '2 settings' },
  },
  {
    title: 'a standby still works with a target that no file has any more',
    desired: whole,
    reply: {
      stdout: `100 600 postgres\nrunning standby\n${conf}`,
      sql: live({ recovery_target: text('immediate', { context: 'postmaster', pending: true }) }),
    },
    gives: { change: 'bring', reason: 'restarted for recovery_target', effects: restart, noSteps: true },
    tells: [{ code: 'SET007', object: 'recovery_target' }],
  },
  {
    title: 'a primary is taken in with commands of the recovery that made it',
    desired: '{ name: server, template: conf.hbs, except: [synchronous_standby_names], adopted: taking }',
    reply: {
      stdout: `100 600 postgres\nrunning\n${conf}`,
      sql: live({ port: text('27500'), listen_addresses: text('*') }, [
        fileLine('restore_command', 'cp /a/%f %p', { file: autoFile }),
      ]),
    },
    gives: { change: 'bring', reason: 'ALTER SYSTEM', script: ['ALTER SYSTEM RESET restore_command;'] },
    tells: [{ code: 'SET017', object: 'restore_command' }],
  },
  {
    title: 'the controller has commented out the slots, because no standby is in',
    desired: "{ name: slots, values: { synchronized_standby_slots: 'a' } }",
    reply: {
      stdout: `${running}#synchronized_standby_slots = 'a'\n`,
      sql: live({ synchronized_standby_slots: {} }),
    },
    gives: { same: '1 settings' },
    tells: [],
  },
  {
    title: 'the slots that are commented out are others than the declared ones',
    desired: "{ name: slots, values: { synchronized_standby_slots: 'a' } }",
    reply: {
      stdout: `${running}#synchronized_standby_slots = 'b'\n`,
      sql: live({ synchronized_standby_slots: {} }),
    },
    gives: { change: 'set synchronized_standby_slots', reason: 'other values' },
  },
  {
    title: 'ALTER SYSTEM holds what the controller manages, with a password',
    desired: "{ name: upstream, values: { primary_conninfo: 'host=a user=repl' } }",
    reply: {
      stdout: `${running}#primary_conninfo = 'host=a user=repl'\n`,
      sql: live({ primary_conninfo: {} }, [
        fileLine('primary_conninfo', "host=b password='canary' user=repl", { file: autoFile }),
      ]),
    },
    gives: { change: 'bring', reason: 'ALTER SYSTEM', script: ['RESET primary_conninfo;'] },
    tells: [{ code: 'SET010', found: 'host=b password=*** user=repl' }],
  },
  {
    title: 'ALTER SYSTEM holds slots that nobody declares',
    desired: whole,
    reply: {
      stdout: `${running}${conf}`,
      sql: live({}, [fileLine('synchronized_standby_slots', 'a', { file: autoFile })]),
    },
    gives: { same: '2 settings' },
    tells: [
      { code: 'SET010', repair: expect.stringContaining('ALTER SYSTEM RESET synchronized_standby_slots') },
    ],
  },
  {
    title: 'an included file wins, and nothing is restarted for it',
    desired: whole,
    reply: {
      stdout: `${running}${conf}`,
      sql: live({ port: integer('27500', { context: 'postmaster', pending: true }) }, [
        fileLine('port', '27500'),
        fileLine('port', '5433', { ...included, error: notApplied, context: 'postmaster', pending: true }),
        fileLine('listen_addresses', 'localhost', included),
      ]),
    },
    gives: { same: '2 settings' },
    tells: [
      { code: 'SET003', object: 'port', found: '5433' },
      {
        code: 'SET003',
        object: 'listen_addresses',
        source: '/database/inst1/law.inc:7',
        repair: expect.stringContaining('remove the line for listen_addresses in /database/inst1/law.inc:7'),
      },
    ],
  },
  {
    title: 'an included file says what is declared, or stands in front of our line',
    desired: whole,
    reply: {
      stdout: `${running}${conf}`,
      sql: live({}, [
        fileLine('port', '1', included),
        fileLine('port', '27500'),
        fileLine('listen_addresses', '*', included),
      ]),
    },
    gives: { same: '2 settings' },
    tells: [],
  },
  {
    title: 'an included file holds what the controller manages',
    desired: whole,
    reply: {
      stdout: `${running}${conf}`,
      sql: live({}, [fileLine('primary_conninfo', 'host=b', included)]),
    },
    gives: { same: '2 settings' },
    tells: [{ code: 'SET011', object: 'primary_conninfo' }],
  },
  {
    title: 'the command line holds one',
    reply: {
      stdout: `${running}${conf}`,
      sql: live({ listen_addresses: text('localhost', { source: 'command line', file: null, line: null }) }),
    },
    gives: { same: '2 settings' },
    tells: [{ code: 'SET004', object: 'listen_addresses', found: 'localhost' }],
  },
  {
    title: 'roles and databases hold one, and one of them the declared value',
    desired: buffers,
    reply: {
      stdout: `${running}shared_buffers = '1GB'\n`,
      sql: live({ shared_buffers: integer('131072', { unit: '8kB' }) }, [], {
        overrides: [
          { role: 'app', database: 'Shop', setting: 'shared_buffers=2GB' },
          { role: null, database: 'shop', setting: 'shared_buffers=3GB' },
          { role: null, database: null, setting: 'shared_buffers=4GB' },
          { role: 'b', database: null, setting: 'shared_buffers=1024MB' },
        ],
      }),
    },
    gives: { same: '1 settings' },
    tells: [
      { code: 'SET005', found: '2GB', repair: 'ALTER ROLE app IN DATABASE "Shop" RESET shared_buffers;' },
      { code: 'SET005', found: '3GB', repair: 'ALTER DATABASE shop RESET shared_buffers;' },
      { code: 'SET005', found: '4GB', repair: 'ALTER ROLE ALL RESET shared_buffers;' },
    ],
  },
  ...(
    [
      ['replica', ['feed'], { refuse: 'INV013', what: 'logical slots (feed)' }],
      ['replica', [], { change: 'set wal_level', reason: 'other values' }],
      ['logical', ['feed'], { same: '1 settings' }],
    ] as const
  ).map(([declared, logicalSlots, gives]) => ({
    title: `wal_level is to be ${declared}, and there are ${logicalSlots.length} logical slots`,
    desired: `{ name: wal, values: { wal_level: ${declared} } }`,
    reply: {
      stdout: `${running}wal_level = logical\n`,
      sql: live({ wal_level: text('logical', { context: 'postmaster' }) }, [], { logicalSlots }),
    },
    gives,
  })),
  {
    title: 'a role keeps its own time for a consumer, which holds for no standby',
    desired: "{ name: times, values: { wal_sender_timeout: '5400' } }",
    reply: {
      stdout: `${running}wal_sender_timeout = 5400\n`,
      sql: live({ wal_sender_timeout: integer('5400', { unit: 'ms' }) }, [], {
        overrides: [
          { role: 'cdc', database: null, setting: 'wal_sender_timeout=60000' },
          { role: null, database: 'shop', setting: 'wal_sender_timeout=1min' },
        ],
      }),
    },
    gives: { same: '1 settings' },
    tells: [],
  },
  {
    title: 'one waits for a restart',
    reply: {
      stdout: `${running}${conf}`,
      sql: live({ port: integer('5432', { context: 'postmaster', pending: true }) }),
    },
    gives: { change: 'bring', reason: 'restarted for port', effects: restart, noSteps: true },
    tells: [{ code: 'SET007', object: 'port', declared: '27500', since: 200 }],
  },
  {
    title: 'one waits for a restart, and the server would not start',
    desired: whole,
    reply: {
      stdout: `${running}${conf}law_unknown = 1\n`,
      sql: live({ port: integer('5432', { context: 'postmaster', pending: true }) }, [
        fileLine('law_unknown', '1', { error: 'unrecognized configuration parameter "law_unknown"' }),
      ]),
    },
    gives: { same: '2 settings' },
    tells: [
      { code: 'SET007', repair: expect.stringContaining('correct the lines') },
      { code: 'SET008', object: `${confFile}:3`, found: expect.stringContaining('law_unknown') },
    ],
  },
  {
    title: 'the files cannot be read, so that the time of the last reading says nothing',
    desired: whole,
    reply: {
      stdout: `300 600 postgres\nrunning\n${conf}no = line = at all\n`,
      sql: live({}, [fileLine(null, null, { error: 'syntax error' })]),
    },
    gives: { same: '2 settings' },
    tells: [{ code: 'SET008', found: 'syntax error' }],
  },
  {
    title: 'a declared one has a value that is none',
    desired: whole,
    reply: {
      stdout: `${running}${conf}port = many\n`,
      sql: live({ port: integer('27500', { context: 'postmaster' }) }, [
        fileLine('port', 'many', { error: notApplied, context: 'postmaster' }),
      ]),
    },
    gives: { change: 'set port', reason: 'other values', effects: reload },
    tells: [
      { code: 'SET001', found: 'many' },
      { code: 'SET008', repair: 'provision' },
    ],
  },
  {
    title: 'the file was put back with its old time',
    desired: "{ name: server, values: { wal_sender_timeout: '5400' } }",
    reply: {
      stdout: `${running}wal_sender_timeout = 5400\n`,
      sql: live({ wal_sender_timeout: integer('9000', { value: '9s', unit: 'ms' }) }),
    },
    gives: { change: 'bring', reason: 'has not read', effects: reload, noSteps: true },
    tells: [{ code: 'SET006', object: confFile }],
  },
  {
    title: 'the file is newer than what was read',
    reply: { stdout: `300 600 postgres\nrunning\n${conf}`, sql: live() },
    gives: { change: 'bring', reason: 'has not read', effects: reload, noSteps: true },
    tells: [{ code: 'SET006', object: confFile, since: 300 }],
  },
  {
    title: 'one of our block is declared no more',
    desired: whole,
    reply: { stdout: `100 600 postgres\nstopped\n${ourHeading}\n${conf}work_mem = '5MB'\n` },
    gives: { change: 'set work_mem', reason: 'declared no more' },
    tells: [{ code: 'SET009', object: 'work_mem', found: '5MB', source: `${confFile}:4` }],
  },
  {
    title: 'the file is open to others',
    desired: whole,
    reply: { stdout: `100 644 postgres\nrunning\n${conf}`, sql: live() },
    gives: {
      change: 'give /database/inst1/postgresql.conf its owner and mode',
      reason: 'open to others',
      effects: [],
      script: ["own /database/inst1/postgresql.conf 0600 postgres: ''"],
    },
    tells: [{ code: 'SET013', declared: 'postgres 0600', found: 'postgres 0644' }],
  },
  {
    title: 'it belongs to somebody else, and the administrator may read it',
    desired: whole,
    reply: { stdout: `100 644 root\nrunning\n${conf}`, sql: live() },
    gives: {
      change: 'give /database/inst1/postgresql.conf',
      reason: 'somebody else',
      script: ["own /database/inst1/postgresql.conf 0600 postgres: ''"],
    },
    tells: [{ code: 'SET013', found: 'root 0644' }],
  },
  {
    title: 'it belongs to somebody else, and neither the administrator nor the server may read it',
    desired: whole,
    reply: {
      status: 3,
      stdout: '300 600 root\nrunning\n',
      sql: live({}, [fileLine(null, null, { line: 0, error: 'could not open file' })]),
    },
    gives: { refuse: 'SAF040', what: '(root 0600) cannot be read by postgres' },
  },
  {
    title: 'the file of a server that was there before keeps its mode',
    desired: whole.replace('}', ', adopted: taken, logging: theirs }'),
    reply: { stdout: `100 644 postgres\nstopped\n${conf}` },
    gives: { same: 'in force' },
    tells: [],
  },
  {
    title: 'the server reads another file',
    desired: whole,
    reply: {
      stdout: `300 600 postgres\nrunning\n${conf}hba_file = '/etc/hba'\n`,
      sql: live({ port: integer('1', { context: 'postmaster', pending: true }) }, [], {
        places: { ...live().places, config_file: '/etc/other.conf', hba_file: '/etc/hba' },
      }),
    },
    gives: { same: '2 settings' },
    tells: [
      { code: 'SET015', object: 'config_file', found: '/etc/other.conf' },
      { code: 'SET015', object: 'hba_file', found: '/etc/hba', source: `${confFile}:3` },
    ],
  },
  {
    title: 'the value in force is another one for no reason that can be seen',
    reply: {
      stdout: `${running}${conf}`,
      sql: live({ port: integer('27500'), listen_addresses: text('localhost', { file: '/x', line: 1 }) }),
    },
    gives: { same: '2 settings' },
    tells: [{ code: 'SET016', object: 'listen_addresses', found: 'localhost', source: '/x:1' }],
  },
];

const hbaSql = (rows: readonly object[] = [], broken = false) => ({ loaded: 200, broken, rows });

export const hbaDrift: readonly Case[] = [
  {
    title: 'one rule is missing, one lets everybody in',
    reply: {
      stdout: '100 600 postgres\nrunning\nlocal all all peer\nhost all all 0.0.0.0/0 trust\n',
      sql: hbaSql(),
    },
    gives: { change: 'rewrite', reason: 'rules differ', effects: reload },
    tells: [
      { code: 'HBA001', object: 'host all all 10.0.0.0/8 scram-sha-256', found: '(not there)' },
      {
        code: 'HBA002',
        object: 'host all all 0.0.0.0/0 trust',
        source: '/database/inst1/pg_hba.conf:2',
        since: 100,
      },
    ],
  },
  {
    title: 'only the order differs',
    reply: {
      stdout: '100 600 postgres\nrunning\nhost all all 10.0.0.0/8 scram-sha-256\nlocal all all peer\n',
      sql: hbaSql(),
    },
    gives: { change: 'rewrite', reason: 'rules differ' },
    tells: [{ code: 'HBA001', found: expect.stringContaining('only the order of the rules differs') }],
  },
  {
    title: 'a line has an error',
    reply: {
      stdout: `100 600 postgres\nrunning\n${hbaText}host all nonsense\n`,
      sql: hbaSql([{ file: null, line: 3, method: null, error: 'end-of-line before IP address' }]),
    },
    gives: { change: 'rewrite', reason: 'rules differ' },
    tells: [
      {
        code: 'HBA004',
        object: '/database/inst1/pg_hba.conf:3',
        found: 'host all nonsense: end-of-line before IP address',
      },
    ],
  },
  {
    title: 'a declared rule has an error',
    reply: {
      stdout: `100 600 postgres\nrunning\n${hbaText}`,
      sql: hbaSql([{ file: null, line: 2, method: null, error: 'no such host' }]),
    },
    gives: { refuse: 'SAF046', what: 'pg_hba.conf:2 cannot be read by the server: no such host' },
  },
  {
    title: 'a declared rule is for connections that cannot come, since TLS is off',
    reply: {
      stdout: `100 600 postgres\nrunning\n${hbaText}`,
      sql: hbaSql([
        {
          file: null,
          line: 2,
          method: null,
          error: 'hostssl record cannot match because SSL is disabled',
        },
      ]),
    },
    gives: { same: '2 rules' },
    tells: [{ code: 'HBA004', repair: expect.stringContaining('in the inventory') }],
  },
  {
    title: 'only quotes, spaces, line ends and comments differ',
    reply: {
      stdout: `100 600 postgres\nrunning\nlocal all all peer # all\r\nhost all \\\nall  10.0.0.0/8 scram-sha-256\r\n`,
      sql: hbaSql([]),
    },
    gives: { same: '2 rules' },
  },
  {
    title: "a secret behind a '#' in quotes is another one",
    desired: '{ template: ldap.hbs }',
    reply: {
      stdout: '100 600 postgres\nrunning\nhost all all 10.0.0.0/8 ldap ldapserver=a ldapbindpasswd="a#c"\n',
      sql: hbaSql([]),
    },
    gives: { change: 'rewrite', reason: 'rules differ' },
  },
  {
    title: 'an included file lets everybody in',
    reply: {
      stdout: `100 600 postgres\nrunning\n${hbaText}include more.conf\n`,
      sql: hbaSql([{ file: '/database/inst1/more.conf', line: 1, method: 'trust', error: null }]),
    },
    gives: { change: 'rewrite', reason: 'rules differ' },
    tells: [
      { code: 'HBA001', object: 'include more.conf' },
      { code: 'HBA002', object: '/database/inst1/more.conf:1' },
    ],
  },
  {
    title: 'another file has an error, so that the time of the last reading says nothing',
    reply: { stdout: `300 600 postgres\nrunning\n${hbaText}`, sql: hbaSql([], true) },
    gives: { same: '2 rules' },
    tells: [],
  },
  {
    title: 'it was not read',
    reply: { stdout: `300 600 postgres\nrunning\n${hbaText}`, sql: hbaSql() },
    gives: { change: 'bring', reason: 'not read', noSteps: true },
    tells: [{ code: 'HBA003', since: 300 }],
  },
  {
    title: 'the server cannot read it, since it belongs to somebody else',
    reply: { status: 3, stdout: '300 600 root\nrunning\n', sqlProblem: 'ERROR: could not open it' },
    gives: {
      change: 'rewrite',
      reason: 'postgres cannot read it',
      script: ['acting /database/inst1/pg_hba.conf postgres received', '.pg_hba.conf.trial 0600 postgres:'],
    },
    tells: [{ code: 'HBA006' }],
  },
  {
    title: 'it belongs to somebody else',
    reply: { stdout: `100 640 root\nrunning\n${hbaText}`, sql: hbaSql() },
    gives: { change: 'give', reason: 'root 0640', script: [/^own .* 0600 postgres: '# rules/] },
    tells: [{ code: 'HBA006', declared: 'postgres 0600', found: 'root 0640' }],
  },
  {
    title: 'it had rules of its own before, and cannot be read',
    desired: "{ template: 'adopted.hbs' }",
    reply: { status: 3, stdout: '100 777 postgres\nstopped\n' },
    gives: { refuse: 'SAF040', what: '(postgres 0777) cannot be read by postgres' },
  },
];

export const roleDrift = (row: object): readonly Case[] => [
  {
    title: 'it may do more than it needs',
    reply: {
      sql: { ...row, createdb: true, bypassrls: true, memberOf: ['pg_monitor', 'pg_write_all_data'] },
    },
    gives: {
      change: 'alter role repl',
      reason: 'differs: CREATEDB, BYPASSRLS, memberships',
      script: ['NOBYPASSRLS', 'REVOKE %I FROM %I'],
    },
    tells: [
      { code: 'ROL002', declared: 'NOCREATEDB', found: 'CREATEDB' },
      { code: 'ROL002', found: 'BYPASSRLS' },
      { code: 'ROL002', found: 'a member of pg_monitor, pg_write_all_data' },
    ],
  },
  {
    title: 'it may not come in any more',
    reply: { sql: { ...row, login: false, connections: 0, until: '2020-01-01', expired: true } },
    gives: {
      change: 'alter role repl',
      reason: 'LOGIN, VALID UNTIL, CONNECTION LIMIT',
      script: ["'infinity'"],
    },
    tells: [{ code: 'ROL007' }, { code: 'ROL007', found: "VALID UNTIL '2020-01-01'" }, { code: 'ROL007' }],
  },
  {
    title: 'it may come in until some day, as a superuser without a password',
    reply: { sql: { ...row, until: '2099-01-01', superuser: true, verifier: null } },
    gives: { change: 'alter role repl', reason: 'VALID UNTIL' },
    tells: [{ code: 'ROL002' }, { code: 'ROL003' }, { code: 'ROL004', found: 'no password' }],
  },
  {
    title: 'its password is kept in another form',
    reply: { sql: { ...row, verifier: 'md5d9bb1cd24c5b4a9f1ce36cd1c8b8a6f5' } },
    gives: { change: 'alter role repl', reason: 'password' },
    tells: [{ code: 'ROL004', found: 'a password that is not kept as SCRAM' }],
  },
];
