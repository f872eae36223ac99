/** Cases of the kinds that a rebuild is made of: which way it takes and why, what it refuses, and the role of pg_rewind. */
import { scramVerifier } from '../../../src/postgres/scram.ts';
import { canary, type KindCases } from '../cases.ts';

const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const yaml = `{ primary: server2, host: 192.0.2.110, port: 27500, user: repl, slot: pgduet_copy_server1, rewind_user: pgduet_rewind, rewind_password: !secret replication_password }`;
const copyYaml = yaml.replace('primary:', 'copy: true, primary:');

const control = (
  over: { state?: string; checksums?: number; hints?: string; full?: string; system?: string } = {},
) =>
  `Database system identifier:           ${over.system ?? '77'}
Database cluster state:               ${over.state ?? 'in production'}
Latest checkpoint location:           0/3000060
Latest checkpoint's TimeLineID:       1
Latest checkpoint's full_page_writes: ${over.full ?? 'on'}
wal_log_hints setting:                ${over.hints ?? 'on'}
Data page checksum version:           ${over.checksums ?? 1}
`;
const source = 'source 77|2|0/5000000|\n';
const room = 'size 1000\nfree 900000\n';
/** A former primary, stopped, whose controller runs. */
const former = (beyond = 'none', over: Parameters<typeof control>[0] = {}, more = ''): string =>
  `recorded 77\ncontent cluster\nversion 15\nstarted once\n${control(over)}controller runs\n${more}${source}beyond ${beyond}\n${room}`;
const standby = (more: string): string =>
  `recorded 77\ncontent cluster\nversion 15\nsignal standby\n${more}${control({ state: 'in archive recovery' })}${source}beyond none\n${room}`;
const streams = { sql: { streams: 2 } };

const verifier = scramVerifier(canary, salt);
const role = { verifier, plain: true, lasts: true, grants: 4 };
const rewindYaml = '{ name: pgduet_rewind, password: !secret replication_password }';
const seen = (over: Record<string, unknown> = {}) => ({
  sql: { role, checkpointed: 2, current: 2, ...over },
});

export const rebuilding: readonly KindCases[] = [
  {
    kind: 'rebuild',
    desired: yaml,
    key: '/database/inst1',
    describes: 'server1 as standby of server2',
    errors: [
      { desired: yaml.replace('27500', 'new'), what: "not 'new'", at: '1:46' },
      { desired: yaml.replace('primary: server2, ', ''), what: "'primary' is missing", at: '1:1' },
    ],
    cases: [
      {
        title: 'it was primary and was killed',
        reply: { stdout: former() },
        gives: {
          change: 'rewind server1 to the primary, server2',
          reason: 'it was primary on timeline 1; checksums and full_page_writes were on',
          script: [
            'mc_ctl stop -M /mcdir/inst1 --local-server server1',
            'put /mcdir/inst1/server1.making 0600 postgres: rewind',
            '--single',
            'pg_rewind',
            '--dry-run',
            'standby.signal',
          ],
        },
      },
      {
        title: 'it was primary and holds commits that nobody else has',
        reply: { stdout: former('commits 3') },
        gives: {
          change: 'rewind server1',
          reason: 'it was primary',
          script: ['cp -a --reflink=auto', '/database/inst1.before-rebuild', 'pg_rewind'],
        },
      },
      {
        title: 'its data was put aside by an earlier attempt',
        reply: { stdout: former('commits 3', {}, 'record kept /database/inst1.before-rebuild-1\n') },
        gives: { change: 'rewind server1', reason: 'it was primary' },
      },
      {
        title: 'it may hold commits, and there is no room to keep them',
        reply: { stdout: former('unknown its WAL file is gone').replace('free 900000', 'free 900') },
        gives: { refuse: 'SAF011', what: 'no room to keep its data' },
      },
      {
        title: 'it was primary with hint bits in WAL alone',
        reply: { stdout: former('none', { checksums: 0 }) },
        gives: { change: 'rewind', reason: 'wal_log_hints and full_page_writes were on' },
      },
      {
        title: 'it was primary without checksums and without hint bits in WAL',
        reply: { stdout: former('none', { checksums: 0, hints: 'off' }) },
        gives: {
          change: 'copy the primary, server2, to server1',
          reason: 'neither checksums nor wal_log_hints',
          script: ['put /mcdir/inst1/server1.making 0600 postgres: copy', 'pg_basebackup'],
        },
      },
      {
        title: 'it was primary without full pages in WAL',
        reply: { stdout: former('none', { full: 'off' }) },
        gives: { change: 'copy the primary', reason: 'full_page_writes was off' },
      },
      {
        title: 'a base backup was asked for',
        desired: copyYaml,
        reply: { stdout: former() },
        gives: { change: 'copy the primary', reason: '--copy' },
      },
      {
        title: 'a base backup was asked for, of a standby that streams',
        desired: copyYaml,
        reply: { stdout: standby('started once\nrunning 7\ncontroller runs\n'), ...streams },
        gives: { change: 'copy the primary', reason: '--copy', script: ['mc_ctl stop', 'pg_basebackup'] },
      },
      {
        title: 'the base backup that was asked for has been taken in this run',
        desired: copyYaml,
        reply: {
          stdout: standby(
            'started once\nrunning 7\ncontroller runs\nrecord done 000102030405060708090a0b0c0d0e0f\n',
          ),
          ...streams,
        },
        gives: { same: 'a standby of server2 that streams' },
      },
      {
        title: 'an interrupted rewind',
        reply: { stdout: `making rewind\n${former()}`.replace('started once\n', '') },
        gives: { change: 'copy the primary', reason: 'an interrupted rewind left an unfinished one' },
      },
      {
        title: 'a dry run that said no',
        reply: {
          stdout: `making copy\nrecord why no rewind is possible: WAL is gone\n${former()}`.replace(
            'started once\n',
            '',
          ),
        },
        gives: { change: 'copy the primary', reason: 'no rewind is possible: WAL is gone' },
      },
      {
        title: 'an empty directory',
        reply: { stdout: `content empty\n${source}` },
        gives: { change: 'copy the primary', reason: 'the directory is empty' },
      },
      {
        title: 'a standby that does not stream',
        reply: { stdout: standby('started once\nrunning 7\ncontroller runs\n'), sql: { streams: null } },
        gives: { change: 'copy the primary', reason: 'does not stream', script: ['mc_ctl stop'] },
      },
      {
        title: 'a standby that is ahead, and is refused each time that it asks for its own timeline',
        reply: { stdout: standby('started once\nrunning 7\ncontroller runs\n'), sql: { streams: 1 } },
        gives: { change: 'copy the primary', reason: 'does not stream', script: ['mc_ctl stop'] },
      },
      {
        title: 'a standby that streams',
        reply: { stdout: standby('started once\nrunning 7\ncontroller runs\n'), ...streams },
        gives: { same: 'that streams' },
      },
      {
        title: 'made a standby, and not started yet',
        reply: { stdout: standby('') },
        gives: { same: 'made a standby of server2' },
      },
      {
        title: 'it is the primary',
        desired: yaml.replace('primary: server2', 'primary: server1'),
        reply: { stdout: former() },
        gives: { refuse: 'SAF012', what: "'server1' is the primary" },
      },
      {
        title: 'a server that somebody has started by hand',
        reply: { stdout: standby('started once\nrunning 7\n') },
        gives: { refuse: 'SAF012', what: 'no controller watches' },
      },
      {
        title: 'the primary does not answer it',
        reply: { stdout: former().replace(source, 'problem connection refused\n') },
        gives: { refuse: 'SAF012', what: 'does not let' },
      },
      {
        title: "another cluster's data",
        reply: { stdout: former('none', { system: '99' }) },
        gives: { refuse: 'SAF001', what: 'another cluster' },
      },
      {
        title: 'data that nobody has recorded',
        reply: { stdout: former().replace('recorded 77\n', '') },
        gives: { refuse: 'SAF001', what: 'another cluster' },
      },
      {
        title: "somebody's files",
        reply: { stdout: `content foreign\nfile notes\n${source}` },
        gives: { refuse: 'SAF002', what: 'not PostgreSQL' },
      },
      { title: 'nothing can be seen', reply: { status: 1 }, gives: { unknown: 'looked at' } },
    ],
  },
  {
    kind: 'rewind_source',
    desired: rewindYaml,
    key: 'pgduet_rewind',
    describes: 'role pgduet_rewind for pg_rewind',
    errors: [{ desired: '{ state: present }', what: "'name' is missing", at: '1:1' }],
    cases: [
      { title: 'it is there', reply: seen(), gives: { same: 'may read' } },
      {
        title: 'it is not there',
        reply: seen({ role: null }),
        gives: {
          change: 'make role pgduet_rewind',
          reason: 'does not exist',
          script: [
            'GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir',
            'VALID UNTIL',
            'CHECKPOINT',
            'NOREPLICATION',
          ],
        },
      },
      {
        title: 'there was no checkpoint since the promotion',
        reply: seen({ checkpointed: 1 }),
        gives: { change: 'make role', reason: 'no checkpoint since the promotion' },
      },
      {
        title: 'it has the password of an earlier run',
        reply: seen({ role: { ...role, verifier: scramVerifier('other', salt) } }),
        gives: { change: 'make role', reason: 'another password' },
      },
      {
        title: 'it may do other things, may not read, and its time is up',
        reply: seen({ role: { ...role, plain: false, grants: 1, lasts: false } }),
        gives: { change: 'make role', reason: 'other attributes, its time is up, it may not read' },
      },
      {
        title: 'it is to go',
        desired: '{ name: pgduet_rewind, state: absent }',
        reply: seen(),
        gives: { change: 'drop role', reason: 'nothing is rewound', script: ['DROP OWNED BY', 'DROP ROLE'] },
      },
      {
        title: 'it has gone',
        desired: '{ name: pgduet_rewind, state: absent }',
        reply: seen({ role: null }),
        gives: { same: 'does not exist' },
      },
      { title: 'the server does not answer', reply: { sqlProblem: 'down' }, gives: { unknown: 'down' } },
    ],
  },
];
