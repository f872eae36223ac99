/** Cases of the kinds that take a server into the cluster that was there before it. */
import type { Before } from '../../../src/resources/data/record.ts';
import type { Case, KindCases } from '../cases.ts';
import { b64, dataDir, file, live, packaged, packagedLive, reply, running, withRules } from '../single.ts';

/** An interrupted migration has left it; whoever may write there can have written it, too. */
const record = (starter: Before['starter']): string =>
  `record ${Buffer.from(
    JSON.stringify({
      schema: 1,
      at: 1,
      systemIdentifier: '7300000000000000001',
      version: 15,
      starter,
      configFile: '/database/inst1/postgresql.conf',
      hbaFile: '/database/inst1/pg_hba.conf',
      identFile: '/database/inst1/pg_ident.conf',
      files: [],
      settings: [],
      made: [],
      roles: [],
    } satisfies Before),
  ).toString('base64')}`;
const bySsh = record({ kind: 'unit', unit: 'ssh.service', enabled: 'enabled' });
const recorded = ['recorded 7300000000000000001'];
const adopting = (over = ''): string =>
  `{ template: conf.hbs, standbys: server2, addresses: 10.0.0.1/32, roles: pgduet_repl${over} }`;
const following = (sender: string): string =>
  adopting(`, follows: true, pair: true${sender === '' ? '' : `, sender: '${sender}'`}`);
const taking = '{ unit: mcoi_inst1, template: conf.hbs }';
const target =
  "{ rooms: [{ path: /database/inst1, bytes: 1000000000 }, { path: /space1, bytes: 1000 }], architecture: x86_64, libc: glibc 2.36, libraries: pg_stat_statements, extensions: 'plpgsql uuid-ossp', locales: 'C.UTF-8 de_DE.UTF-8', tablespaces: /space1 }";
const configured = target.replace(
  '{ ',
  '{ configuration: { ssl_cert_file: /etc/ssl/db1.crt, lc_messages: de_DE.UTF-8, log_directory: /var/log/pgsql, shared_buffers: 8GB }, ',
);
const trial = (word: string, said: string): string =>
  `trial ${word} ${Buffer.from(said).toString('base64')}\n`;
const fits = 'architecture x86_64\nlibc glibc 2.36\n';
const free = (bytes: number): string =>
  `free ${bytes} /dev/sda1:/ /database/inst1\nfree ${bytes} /dev/sda1:/ /space1\n`;

export const adopts: readonly KindCases[] = [
  {
    kind: 'adopt',
    desired: adopting(),
    key: '/database/inst1',
    describes: 'the server in /database/inst1',
    errors: [{ desired: adopting(', managed: x'), what: "not 'x'", at: '1:95' }],
    cases: [
      {
        title: 'it runs alone, started by hand',
        reply: reply(),
        gives: {
          change: 'take the server in /database/inst1',
          reason: 'started by hand',
          script: [
            '/mcdir/inst1/server1.before.json',
            '/mcdir/inst1/server1.former',
            '/mcdir/inst1/server1.system',
          ],
        },
      },
      {
        title: "it runs as one of Debian's clusters",
        reply: reply(packaged, packagedLive),
        gives: {
          change: 'take the server',
          reason: 'started by postgresql@15-main.service',
          script: [
            'postgresql@15-main.service.d/pgduet.conf',
            'ConditionPathExists=/mcdir/inst1/server1.former',
            '/database/inst1/.postgresql.conf.trial',
          ],
        },
      },
      {
        title: 'it is recorded',
        reply: reply([...running, ...recorded]),
        gives: { same: 'recorded in /mcdir/inst1/server1.before.json' },
      },
      {
        title: 'another cluster is recorded',
        reply: reply([...running, 'recorded 1']),
        gives: { refuse: 'SAF001', what: 'holds another cluster' },
      },
      {
        title: 'there is no data directory',
        reply: reply(running.slice(0, 3), undefined),
        gives: { refuse: 'SAF030', what: 'no PostgreSQL data directory' },
      },
      {
        title: 'its version is another one',
        reply: reply(running.map((line) => (line === 'version 15' ? 'version 14' : line))),
        gives: { refuse: 'SAF030', what: 'holds PostgreSQL 14' },
      },
      {
        title: 'its version is older than what is supported',
        reply: reply(running.map((line) => (line === 'version 15' ? 'version 12' : line))),
        gives: {
          refuse: 'SAF030',
          what: 'holds PostgreSQL 12; pgduet takes servers of version 13 and newer in',
        },
      },
      {
        title: 'it does not run',
        reply: reply(
          running.filter((line) => !line.startsWith('running')),
          undefined,
        ),
        gives: { refuse: 'SAF030', what: 'no server runs' },
      },
      {
        title: 'it listens on another port',
        reply: reply(
          running.map((line) => line.replace('running 27500', 'running 5432')),
          undefined,
        ),
        gives: { refuse: 'SAF030', what: 'listens on port 5432' },
      },
      {
        title: 'it is a standby',
        reply: reply(running, live({ inRecovery: true })),
        gives: { refuse: 'SAF030', what: 'is a standby itself' },
      },
      {
        title: 'a unit starts it, and there is no root',
        desired: adopting(', managed: false'),
        reply: reply(packaged, packagedLive),
        gives: { refuse: 'SAF030', what: 'cannot be changed without root' },
      },
      {
        title: 'an init script of the distribution starts it at boot, and there is no systemd',
        desired: adopting(', managed: false'),
        reply: reply(
          [...running, `atboot ${Buffer.from('/etc/postgresql/15/main').toString('base64')}`],
          live(),
        ),
        gives: {
          refuse: 'SAF030',
          what: '/etc/init.d/postgresql starts the server at boot',
          fix: 'echo manual > /etc/postgresql/15/main/start.conf',
        },
      },
      {
        title: 'it is a standby that streams, with a slot and its own upstream',
        desired: following('streaming 1234'),
        reply: reply(
          running,
          live(
            { inRecovery: true },
            {
              primary_slot_name: [
                'hand_b',
                'hand_b',
                null,
                'sighup',
                'configuration file',
                `${dataDir}/postgresql.auto.conf`,
                4,
                false,
              ],
            },
          ),
        ),
        gives: {
          change: /^take the server in/,
          reason: 'it streams from the primary, started by hand',
          script: ['"pair": {', '"role": "standby"', '"slots": ['],
        },
      },
      {
        title: 'it is a standby of somebody else',
        desired: following(''),
        reply: reply(running, live({ inRecovery: true })),
        gives: { refuse: 'SAF030', what: 'the primary has no WAL sender for it' },
      },
      {
        title: 'it is a standby that catches up',
        desired: following('catchup 1234'),
        reply: reply(running, live({ inRecovery: true })),
        gives: { refuse: 'SAF030', what: 'it is behind its primary: catchup' },
      },
      {
        title: 'it is a standby that is far behind',
        desired: following('streaming 99999999'),
        reply: reply(running, live({ inRecovery: true })),
        gives: { refuse: 'SAF030', what: '99999999 bytes are missing' },
      },
      {
        title: 'it was promoted meanwhile',
        desired: following('streaming 0'),
        reply: reply(running, live()),
        gives: { refuse: 'SAF030', what: 'the server takes writes' },
      },
      {
        title: "a record of an earlier cluster is left, and Debian's unit runs it",
        reply: reply([...packaged, 'recorded 7300000000000000001'], packagedLive),
        gives: { refuse: 'SAF083', what: "is pgduet's already, and postgresql@15-main.service runs it" },
      },
      {
        title: 'Patroni looks after it',
        reply: reply([...running, 'watcher patroni'], live()),
        gives: { refuse: 'SAF030', what: 'Patroni looks after it' },
      },
      {
        title: 'pg_auto_failover has started it',
        reply: reply([...running, 'watcher pg_autoctl'], live()),
        gives: { refuse: 'SAF030', what: 'pg_auto_failover (pg_autoctl) started it' },
      },
      {
        title: 'repmgrd looks after it',
        reply: reply(
          [...running, 'watcher repmgrd'],
          live(
            {},
            {
              shared_preload_libraries: [
                'pg_stat_statements, repmgr',
                'pg_stat_statements, repmgr',
                null,
                'postmaster',
                'configuration file',
                null,
                null,
                false,
              ],
            },
          ),
        ),
        gives: { refuse: 'SAF030', what: 'repmgrd (repmgr) looks after it' },
      },
      {
        title: 'a repmgrd of the host looks after another server',
        reply: reply([...running, 'watcher repmgrd'], live()),
        gives: { change: /^take the server in/, reason: 'it runs alone' },
      },
      {
        title: 'its commits wait for others',
        reply: reply(
          running,
          live({}, { synchronous_standby_names: ['*', '*', null, 'sighup', 'default', null, null, false] }),
        ),
        gives: { refuse: 'SAF030', what: 'wait for other standbys already' },
      },
      {
        title: 'one of those others is called as the word for any of them',
        desired: adopting(),
        reply: reply(
          running,
          live(
            {},
            { synchronous_standby_names: ['"any"', '"any"', null, 'sighup', 'default', null, null, false] },
          ),
        ),
        gives: { refuse: 'SAF030', what: 'wait for other standbys already' },
      },
      {
        title: 'its name has a space',
        server: { dataDir: '/data base/inst1' },
        reply: reply(),
        gives: { refuse: 'SAF030', what: 'spaces or characters outside of ASCII' },
      },
      {
        title: 'WAL is elsewhere, and the version wrong: both are told',
        reply: reply([
          `wal ${b64('/wal/inst1')}`,
          ...running.map((line) => line.replace('version 15', 'version 13')),
        ]),
        gives: { refuse: 'SAF030', what: '2 things stand in the way' },
      },
      {
        title: 'the name of a database would be a command',
        reply: reply([...running, 'unasked "a\\nb"']),
        gives: { refuse: 'SAF030', what: 'the database "a\\nb" has a line break' },
      },
      {
        title: 'the server is too slow to answer',
        reply: {
          ...reply(running, null),
          sqlProblem: 'ERROR:  canceling statement due to statement timeout',
        },
        gives: { refuse: 'SAF030', what: 'has not answered within 10 s' },
      },
      {
        title: 'it has no database for administration',
        reply: { ...reply(running, null), sqlProblem: 'FATAL:  database "postgres" does not exist' },
        gives: { refuse: 'SAF030', what: "has no database 'postgres'" },
      },
      {
        title: 'its superuser has another name',
        reply: { ...reply(running, null), sqlProblem: 'FATAL:  role "postgres" does not exist' },
        gives: { refuse: 'SAF030', what: 'no role of the name of its owner' },
      },
      {
        title: 'a record names a unit that does not run it',
        reply: reply([...running, bySsh]),
        gives: { refuse: 'SAF030', what: 'says that ssh.service started' },
      },
      {
        title: 'a record names a unit that root has told of it',
        reply: reply([...running, bySsh, 'dropin /etc/systemd/system/ssh.service.d/pgduet.conf']),
        gives: { change: 'take the server', reason: 'an interrupted run has begun it' },
      },
      {
        title: 'a record is broken',
        reply: reply([...running, `record ${Buffer.from('{}').toString('base64')}`]),
        gives: { refuse: 'SAF030', what: "its field 'schema' is not as this version" },
      },
      {
        title: 'its configuration names what only others may read',
        reply: reply([...running, `closed ${b64('/etc/shadow')}`]),
        gives: { refuse: 'SAF030', what: 'postgres may not read /etc/shadow' },
      },
      {
        title: 'a file beside its own cannot be copied',
        desired: adopting(),
        reply: reply([...running, `uncopied ${b64('/database/inst1/root.key')}`]),
        gives: {
          refuse: 'SAF030',
          what: 'postgres may not read /database/inst1/root.key: a copy of the data directory stops there',
        },
      },
      ...[
        'host all all 10.0.0.0/8 ldap ldapserver=a ldapprefix="" ldapsuffix="@corp.example"',
        'host all "jane@corp.example" 10.0.0.0/8 scram-sha-256',
        'host all "@jane" 10.0.0.0/8 scram-sha-256',
        'host all all 10.0.0.0/8 scram-sha-256 # @admins',
        `host all @${dataDir}/admins 10.0.0.0/8 scram-sha-256`,
        'host all @admins 10.0.0.0/8 scram-sha-256',
        'include more.conf',
      ].map(
        (rule): Case => ({
          title: `a rule leads to no file, or to one that is copied: ${rule}`,
          reply: reply(withRules(rule)),
          gives: { change: 'take the server', reason: 'started by hand' },
        }),
      ),
      ...[
        'host all @/etc/postgresql/admins 10.0.0.0/8 scram-sha-256',
        'host @../dbs all 10.0.0.0/8 scram-sha-256\r',
        'include /etc/postgresql/hba.d/apps.conf',
        'include_dir "/etc/postgresql/hba d"',
      ].map(
        (rule): Case => ({
          title: `a rule leads out of the data directory: ${rule}`,
          reply: reply(withRules(rule)),
          gives: { refuse: 'SAF030', what: 'pg_hba.conf:2 leads to /' },
        }),
      ),
      {
        title: 'a rule of a server whose files move leads to another file',
        reply: reply(
          [...packaged, file('/etc/postgresql/15/main/pg_hba.conf', '640', 'local all @admins peer\n')],
          packagedLive,
        ),
        gives: { refuse: 'SAF030', what: 'pg_hba.conf:1 leads to /etc/postgresql/15/main/admins' },
      },
      {
        title: 'an included file in the data directory includes one that is elsewhere',
        reply: reply([
          ...withRules('include more.conf'),
          file(`${dataDir}/more.conf`, '600', 'include_if_exists /etc/more.conf\n'),
        ]),
        gives: { refuse: 'SAF030', what: `${dataDir}/more.conf:1 leads to /etc/more.conf` },
      },
      {
        title: 'a map of user names leads out of the data directory',
        reply: reply([
          ...running,
          file(`${dataDir}/pg_ident.conf`, '600', '# maps\ninclude_dir /etc/maps\n'),
        ]),
        gives: { refuse: 'SAF030', what: 'pg_ident.conf:2 leads to /etc/maps' },
      },
      {
        title: 'the server reads rules from a file that was not seen',
        reply: reply(running, live({ ruleFiles: [`${dataDir}/pg_hba.conf`, '/srv/rules.conf'] })),
        gives: { refuse: 'SAF030', what: 'leads to /srv/rules.conf' },
      },
      {
        title: 'its rules, or its settings, have an error: it would not start again',
        reply: reply(
          running,
          live({
            rules: [
              { file: `${dataDir}/pg_hba.conf`, line: 3, error: 'end-of-line before authentication method' },
              {
                file: `${dataDir}/pg_hba.conf`,
                line: 4,
                error: 'hostssl record cannot match because SSL is disabled',
              },
            ],
            lines: [
              {
                name: 'work_mem',
                value: '1',
                file: 'a.conf',
                line: 1,
                error: 'setting could not be applied',
              },
              { name: null, value: null, file: 'b.conf', line: 2, error: 'syntax error' },
            ],
          }),
        ),
        gives: { refuse: 'SAF030', what: '2 things stand in the way' },
      },
      {
        title: 'pg_wal leads there, and says so in another way',
        server: { walDir: '/wal/inst1' },
        reply: reply([`wal ${b64('/wal/inst1')}`, 'wal-as-declared', ...running]),
        gives: { change: 'take the server', reason: 'started by hand' },
      },
      {
        title: 'pg_wal leads elsewhere',
        server: { walDir: '/wal/inst1' },
        reply: reply([`wal ${b64('/wal/inst2')}`, ...running]),
        gives: { refuse: 'SAF030', what: 'pg_wal leads to /wal/inst2, the inventory says /wal/inst1' },
      },
      { title: 'the host does not say', reply: { status: 1, stderr: 'no' }, gives: { unknown: 'no' } },
    ],
  },
  {
    kind: 'takeover',
    desired: taking,
    key: '/database/inst1',
    describes: 'control over the server in /database/inst1',
    errors: [
      {
        desired: '{ template: missing.hbs }',
        what: "no template 'missing.hbs'",
        at: '1:13',
        beyondSchema: true,
      },
    ],
    cases: [
      {
        title: 'a setting needs a restart',
        reply: reply([...running, ...recorded, 'mark']),
        gives: {
          change: 'restart the server in /database/inst1',
          reason: 'listen_addresses',
          script: ['CHECKPOINT', 'rm -f /mcdir/inst1/server1.former', 'systemctl start mcoi_inst1'],
        },
      },
      {
        title: 'nothing needs a restart, and a unit was in charge',
        reply: reply(
          [...running, ...recorded, 'mark', 'unit postgresql-inst1.service enabled'],
          live({}, { listen_addresses: ['*', '*', null, 'postmaster', 'default', null, null, false] }),
        ),
        gives: {
          change: 'hand the running server',
          reason: 'postgresql-inst1.service is in charge',
          script: ['KillMode=none', 'systemctl stop postgresql-inst1.service', 'cgroup.procs'],
        },
      },
      {
        title: 'the mark is away, and the former unit still runs it',
        reply: reply([...running, ...recorded, 'unit postgresql-inst1.service enabled']),
        gives: { change: 'restart the server', reason: 'postgresql-inst1.service' },
      },
      {
        title: 'a record names a unit that does not run it',
        reply: reply([...running, ...recorded, 'mark', bySsh]),
        gives: { refuse: 'SAF030', what: 'says that ssh.service started' },
      },
      {
        title: 'it is done',
        reply: reply([...running, ...recorded]),
        gives: { same: 'the Mirroring Controller is in charge' },
      },
      { title: 'the host does not say', reply: { status: 1, stderr: 'no' }, gives: { unknown: 'no' } },
    ],
  },
  {
    kind: 'copy_target',
    desired: target,
    key: 'fits',
    describes: 'a host that can take a copy of the primary',
    errors: [
      {
        desired: '{ rooms: [{ path: /d, bytes: 1 }], architecture: x }',
        what: "'libc' is missing",
        at: '1:1',
      },
    ],
    cases: [
      { title: 'it fits', reply: { stdout: `${fits}${free(2e9)}` }, gives: { same: 'it can take the copy' } },
      { title: 'the copy is there', reply: { stdout: 'copied\n' }, gives: { same: 'the copy is there' } },
      {
        title: 'two places share too little room',
        reply: { stdout: `${fits}${free(1_000_000_500)}` },
        gives: { refuse: 'SAF031', what: 'are free for /database/inst1 and /space1' },
      },
      {
        title: 'another machine',
        reply: { stdout: `architecture aarch64\nlibc glibc 2.36\n${free(2e9)}` },
        gives: { refuse: 'SAF031', what: 'architecture is aarch64' },
      },
      {
        title: 'another build',
        desired: target.replace('{ ', "{ build: 'postgres (PostgreSQL) 15.4 (Debian 15.4-1)', "),
        reply: { stdout: `${fits}${free(2e9)}build postgres (PostgreSQL) 15.4\n` },
        gives: { refuse: 'SAF031', what: 'its PostgreSQL is another build, postgres (PostgreSQL) 15.4, the' },
      },
      {
        title: 'a correction of the same build',
        desired: target.replace('{ ', "{ build: 'postgres (PostgreSQL) 15.4 (Debian 15.4-1)', "),
        reply: { stdout: `${fits}${free(2e9)}build postgres (PostgreSQL) 15.6 (Debian 15.6-0+deb12u1)\n` },
        gives: { same: 'it can take the copy' },
      },
      {
        title: 'another C library',
        reply: { stdout: `architecture x86_64\nlibc glibc 2.41\n${free(2e9)}` },
        gives: { refuse: 'SAF031', what: 'C library is glibc 2.41' },
      },
      {
        title: 'an extension is missing, and a place is not empty',
        reply: { stdout: `${fits}${free(2e9)}missing the extension uuid-ossp\nfilled /space1\n` },
        gives: { refuse: 'SAF031', what: /extension uuid-ossp is not installed .*, and 1 more/ },
      },
      {
        title: 'a server would not start there with the configuration',
        desired: configured,
        reply: {
          stdout: `${fits}${free(2e9)}${trial('start', 'FATAL:  could not load server certificate file "/etc/ssl/db1.crt": No such file or directory')}trial tried\n`,
        },
        gives: {
          refuse: 'SAF031',
          what: /with ssl_cert_file = '\/etc\/ssl\/db1\.crt' no server starts there \(FATAL: could not load .* put such a file on the host/,
        },
      },
      {
        title: 'several values of the configuration are none there',
        desired: configured,
        reply: {
          stdout: `${fits}${free(2e9)}${trial('values', 'LOG:  invalid value for parameter "lc_messages": "de_DE.UTF-8"\nFATAL:  configuration file "/tmp/x/conf" contains errors')}${trial('log', 'FATAL:  could not open log file "/var/log/pgsql/x.log": No such file or directory')}trial tried\n`,
        },
        gives: { refuse: 'SAF031', what: /with lc_messages = 'de_DE\.UTF-8' .*, and 1 more$/ },
      },
      {
        title: 'what could not be tried to its end is no reproach',
        desired: configured,
        reply: { stdout: `${fits}${free(2e9)}${trial('start', 'FATAL:  no room')}` },
        gives: { same: 'it can take the copy' },
      },
      {
        title: 'more memory than there is',
        desired: configured,
        reply: {
          stdout: `${fits}${free(2e9)}trial memory 9000\ntrial has MemTotal 4194304\ntrial has SwapTotal 0\ntrial tried\n`,
        },
        gives: {
          refuse: 'SAF031',
          what: /shared_buffers = '8GB' a server takes 8\.8 GB of shared memory, and the host has 4\.0? GB/,
        },
      },
      {
        title: 'PostgreSQL is not there yet',
        reply: { stdout: `${fits}${free(2e9)}no programs\n` },
        gives: { unknown: 'not installed yet' },
      },
      { title: 'the host does not say', reply: { status: 1, stderr: 'no' }, gives: { unknown: 'no' } },
    ],
  },
];
