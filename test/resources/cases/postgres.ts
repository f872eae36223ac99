/** Cases of the kinds that deal with an instance: its data directory, its files, its roles, its slots, its standbys. */
import { Secret } from '../../../src/base/secret.ts';
import { ourHeading } from '../../../src/postgres/conf-file.ts';
import { scramVerifier } from '../../../src/postgres/scram.ts';
import { canary, type KindCases } from '../cases.ts';
import { autoFile, conf, fileLine, hbaDrift, hbaText, live, roleDrift, settingsDrift } from './drift.ts';

export const controlData = (systemIdentifier: string, state = 'in production', timeline = 1): string =>
  `pg_control version number:            1300
Database system identifier:           ${systemIdentifier}
Database cluster state:               ${state}
Latest checkpoint location:           0/3000060
Latest checkpoint's TimeLineID:       ${timeline}
Data page checksum version:           1
`;

/** No object of a user was ever made. */
const unused = "Latest checkpoint's NextOID: 13572\n";
const ours = `recorded 77\ncontent cluster\nversion 15\nrunning 12\n${controlData('77')}`;
const follows = `recorded 77\ncontent cluster\nversion 15\nsignal standby\nrunning 12\n${controlData('77', 'in archive recovery')}`;
const verifier = scramVerifier(new Secret(canary).reveal(), Buffer.alloc(16, 7));
const row = {
  verifier,
  replication: true,
  login: true,
  superuser: false,
  createdb: false,
  createrole: false,
  bypassrls: false,
  connections: -1,
  until: null,
  expired: false,
  memberOf: [],
};

const reload = [{ action: 'reload', target: 'instance' }] as const;
const restart = [{ action: 'restart', target: 'instance' }] as const;

const streams = { name: 'server2', address: '192.0.2.110', state: 'streaming', sync: 'sync' };
const senders = (...rows: readonly (typeof streams)[]) => ({ names: 'server2', rows });
const sync = '{ standbys: server2, state: sync }';
const twoStandbys = '{ standbys: [server2, server3], state: sync }';

const standbyYaml =
  '{ host: 192.0.2.100, port: 27500, user: repl, slot: pgduet_copy_server2, system_identifier: 77 }';

const names = "{ name: names, values: { synchronous_standby_names: 'server2' } }";
const upstream =
  "{ name: upstream, values: { primary_conninfo: 'host=a port=1 user=repl application_name=server1' } }";

const libraries = '{ name: libraries, values: { shared_preload_libraries: auth_delay } }';
const ownBlock = `\n${ourHeading}\nshared_preload_libraries = 'auth_delay'\n`;

export const postgres: readonly KindCases[] = [
  {
    kind: 'instance',
    desired: '{}',
    key: '/database/inst1',
    describes: 'instance in /database/inst1',
    errors: [{ desired: '{ locale: [C] }', what: "'locale' must be a single value", at: '1:11' }],
    cases: [
      { title: 'it is ours', reply: { stdout: ours }, gives: { same: 'cluster 77, timeline 1' } },
      {
        title: 'the directory is empty',
        reply: { stdout: 'content empty\n' },
        gives: {
          change: 'make instance in /database/inst1 (initdb, checksums)',
          reason: 'the directory is empty',
          script: ['--data-checksums', '--auth-host=scram-sha-256', '/mcdir/inst1/server1.making', 'rm -f'],
        },
      },
      {
        title: 'the directory is not there, and WAL has its own disk',
        server: { walDir: '/wal/in st' },
        reply: { stdout: 'content absent\n' },
        gives: { change: 'WAL in /wal/in st', reason: 'absent', script: ["--waldir='/wal/in st'"] },
      },
      {
        title: 'schema public is to be closed before anybody comes',
        desired: '{ closed: true }',
        reply: { stdout: 'content empty\n' },
        gives: {
          change: 'make instance in /database/inst1 (initdb, checksums)',
          reason: 'the directory is empty',
          script: [
            /--single -c exit_on_error=on -D '?\/database\/inst1'? '?template1/,
            "'REVOKE ALL ON SCHEMA public FROM PUBLIC;'",
          ],
        },
      },
      {
        title: 'it holds the files of somebody',
        reply: { stdout: 'content foreign\nfile a letter.txt\nfile b\n' },
        gives: { refuse: 'SAF002', what: 'not PostgreSQL' },
      },
      {
        title: 'it holds another cluster, which nobody recorded',
        reply: { stdout: `content cluster\nversion 15\n${controlData('99', 'shut down')}` },
        gives: { refuse: 'SAF001', what: 'system identifier 99' },
      },
      {
        title: 'it holds another cluster in place of the one that was recorded',
        reply: { stdout: `recorded 77\ncontent cluster\nversion 15\n${controlData('99')}` },
        gives: { refuse: 'SAF001', what: 'system identifier 99' },
      },
      {
        title: 'it holds another cluster, and no program is there to tell which',
        reply: { stdout: 'content cluster\nversion 15\n' },
        gives: { refuse: 'SAF001', what: 'system identifier unknown' },
      },
      {
        title: 'no program is there to tell whether it is still ours',
        reply: { stdout: 'recorded 77\ncontent cluster\nversion 15\n' },
        gives: { unknown: 'pg_controldata' },
      },
      {
        title: 'it is of another major version',
        reply: { stdout: `recorded 77\ncontent cluster\nversion 14\n` },
        gives: { refuse: 'SAF006', what: 'holds PostgreSQL 14, the inventory says 15' },
      },
      {
        title: 'initdb was interrupted before the version was written',
        reply: { stdout: 'making initdb\ncontent partial\n' },
        gives: { change: 'make instance', reason: 'an interrupted initdb' },
      },
      {
        title: 'an unfinished one was started by somebody, so that it may hold data',
        reply: {
          stdout: `making initdb\ncontent cluster\nversion 15\nstarted once\n${controlData('78')}`,
        },
        gives: { refuse: 'SAF001', what: 'a server has been started in it' },
      },
      {
        title: 'initdb was interrupted at its end',
        reply: { stdout: `making initdb\ncontent cluster\nversion 15\n${controlData('78')}${unused}` },
        gives: { change: 'make instance', reason: 'an interrupted initdb' },
      },
      {
        title: 'initdb was interrupted at its beginning',
        reply: { stdout: 'making initdb\ncontent foreign\nfile base\nfile pg_wal\n' },
        gives: { change: 'make instance', reason: 'an interrupted initdb' },
      },
      {
        title: 'initdb was interrupted while it wrote its version',
        reply: { stdout: 'making initdb\ncontent cluster\nversion \n' },
        gives: { change: 'make instance', reason: 'an interrupted initdb' },
      },
      {
        title: 'a server runs in an unfinished one',
        reply: { stdout: `making initdb\ncontent cluster\nversion 15\nrunning 12\n${controlData('78')}` },
        gives: { refuse: 'SAF005', what: 'a server runs' },
      },
      {
        title: 'the directory cannot be listed',
        reply: { status: 1, stderr: 'ls: Permission denied' },
        gives: { unknown: 'Permission denied' },
      },
      {
        title: 'the answer was cut off',
        reply: { stdout: 'recorded 77\ncont' },
        gives: { unknown: 'looked at' },
      },
    ],
  },
  {
    kind: 'standby',
    desired: standbyYaml,
    key: '/database/inst1',
    describes: 'copy of the primary in /database/inst1',
    errors: [
      { desired: standbyYaml.replace('27500', 'x'), what: "'port' must be a whole number", at: '1:28' },
    ],
    cases: [
      { title: 'it follows', reply: { stdout: follows }, gives: { same: 'standby of cluster 77' } },
      {
        title: 'the directory is empty',
        reply: { stdout: 'content empty\n' },
        gives: {
          change: 'copy the primary (192.0.2.100:27500) to /database/inst1',
          reason: 'empty',
          script: [
            'pg_basebackup',
            '-S pgduet_copy_server2',
            '-X stream',
            'touch /database/inst1/standby.signal',
          ],
        },
      },
      {
        title: 'the copy was interrupted before the version came over',
        reply: { stdout: 'making copy\ncontent foreign\nfile backup_label.old\n' },
        gives: { change: 'copy the primary', reason: 'an interrupted copy' },
      },
      {
        title: 'the copy was interrupted behind that',
        reply: { stdout: 'making copy\ncontent cluster\nversion 15\n' },
        gives: { change: 'copy the primary', reason: 'an interrupted copy' },
      },
      {
        title: 'it was a primary',
        reply: { stdout: `recorded 77\ncontent cluster\nversion 15\n${controlData('77', 'shut down', 2)}` },
        gives: { refuse: 'SAF007', what: 'was a primary' },
      },
      {
        title: "it holds Debian's own cluster, which nobody has ever used",
        reply: {
          stdout: `content cluster\nversion 15\nrunning 12\npackaged 15 main\nunit postgresql@15-main.service\n${controlData('99', 'shut down')}${unused}`,
        },
        gives: {
          refuse: 'SAF001',
          what: /system identifier 99\), 15\/main of the packages of Debian; it is empty: nobody/,
          fix: 'If nobody needs it: `pg_dropcluster --stop 15 main` on server1; then run the same command again',
        },
      },
      {
        title: 'it holds the empty cluster of a unit',
        reply: {
          stdout: `content cluster\nversion 15\nrunning 12\nunit pg-shop.service\n${controlData('99', 'shut down')}${unused}`,
        },
        gives: {
          refuse: 'SAF001',
          what: /which pg-shop\.service runs; it is empty/,
          fix: 'systemctl disable --now pg-shop.service && mv /database/inst1 /database/inst1.old',
        },
      },
      {
        title: 'it holds another cluster of the packages, with something in it',
        reply: {
          stdout: `content cluster\nversion 15\npackaged 15 main\n${controlData('99', 'shut down')}Latest checkpoint's NextOID: 24600\n`,
        },
        gives: { refuse: 'SAF001', what: /Debian$/, fix: /^(?!.*pg_dropcluster)/ },
      },
      {
        title: 'it comes from the same image as the primary',
        reply: {
          stdout: `content cluster\nversion 15\npackaged 15 main\n${controlData('77', 'shut down')}${unused}`,
        },
        gives: {
          refuse: 'SAF001',
          what: 'a copy of this cluster that pgduet has not made (15/main of the packages of Debian)',
          fix: 'pg_dropcluster --stop 15 main',
        },
      },
      {
        title: 'it follows another cluster',
        reply: { stdout: `content cluster\nversion 15\nsignal standby\n${controlData('99')}` },
        gives: { refuse: 'SAF001', what: 'system identifier 99' },
      },
      {
        title: 'it holds the files of somebody',
        reply: { stdout: 'content foreign\nfile notes\n' },
        gives: { refuse: 'SAF002', what: 'not PostgreSQL' },
      },
      {
        title: 'it is of another major version',
        reply: { stdout: `recorded 77\ncontent cluster\nversion 16\nsignal standby\n` },
        gives: { refuse: 'SAF006', what: 'holds PostgreSQL 16' },
      },
      {
        title: 'no program is there to tell whose it is',
        reply: { stdout: 'content cluster\nversion 15\nsignal standby\n' },
        gives: { unknown: 'pg_controldata' },
      },
      {
        title: 'nobody can tell whose it is, and the primary is not known either',
        desired: standbyYaml.replace('system_identifier: 77', "system_identifier: ''"),
        reply: { stdout: 'content cluster\nversion 15\nsignal standby\n' },
        gives: { unknown: 'pg_controldata' },
      },
      { title: 'nothing can be seen', reply: { status: 1 }, gives: { unknown: 'looked at' } },
    ],
  },
  {
    kind: 'hba',
    desired: '{ template: hba.hbs }',
    key: '/database/inst1/pg_hba.conf',
    describes: 'client rules in /database/inst1/pg_hba.conf',
    errors: [
      { desired: '{ template: trust.hbs }', what: "'trust'", at: '1:13', beyondSchema: true },
      { desired: '{ template: missing.hbs }', what: "'missing.hbs'", at: '1:13', beyondSchema: true },
      { desired: '{}', what: "'template' is missing", at: '1:1' },
    ],
    cases: [
      ...hbaDrift,
      {
        title: 'the rules are the same, in other spacing',
        reply: {
          stdout: `100.5 600 postgres\nrunning\n${hbaText}`,
          sql: { loaded: 200, broken: false, rows: [] },
        },
        gives: { same: '2 rules are in force' },
      },
      {
        title: 'the rules are the same and no server runs',
        reply: { stdout: `100.5 600 postgres\nstopped\n${hbaText}`, sqlProblem: 'no server' },
        gives: { same: 'at the next start' },
      },
      {
        title: 'a rule was added by hand',
        reply: {
          stdout: `100 600 postgres\nrunning\n${hbaText}host all all all trust\n`,
          sql: { loaded: 200, broken: false, rows: [] },
        },
        gives: {
          change: 'rewrite',
          reason: 'rules differ',
          effects: reload,
          script: ['.pg_hba.conf.trial 0600 postgres:', 'mv -fT /database/inst1/.pg_hba.conf.trial'],
        },
      },
      {
        title: 'who cannot come again is named',
        desired: '{ template: hba.hbs, locked_out: sessions of now }',
        reply: {
          stdout: '100 600 postgres\nrunning\n',
          sql: { loaded: 200, broken: false, rows: [] },
        },
        gives: { change: 'rewrite', reason: 'rules differ', notes: ['sessions of now'] },
      },
      {
        title: 'the rules differ and no server runs',
        reply: { stdout: '100 600 postgres\nstopped\n' },
        gives: { change: 'rewrite', reason: 'rules differ', effects: [] },
      },
      {
        title: 'the server has not read them',
        reply: {
          stdout: `300 600 postgres\nrunning\n${hbaText}`,
          sql: { loaded: 200, broken: false, rows: [] },
        },
        gives: { change: 'bring', reason: 'has not read it', effects: reload, noSteps: true },
      },
      {
        title: 'there is no instance yet',
        reply: { stdout: 'absent\n' },
        gives: { unknown: 'not there yet' },
      },
      {
        title: 'the server runs and does not answer',
        reply: { stdout: `100 600 postgres\nrunning\n${hbaText}`, sqlProblem: 'timeout expired' },
        gives: { unknown: 'timeout expired' },
      },
      {
        title: 'the answer is no answer',
        reply: { stdout: 'who knows\n', sql: { loaded: 200, broken: false, rows: [] } },
        gives: { unknown: 'could not be read' },
      },
    ],
  },
  {
    kind: 'settings',
    desired: '{ name: server, template: conf.hbs }',
    key: 'server',
    describes: "settings 'server' in /database/inst1/postgresql.conf",
    errors: [
      {
        desired: '{ name: server, template: missing.hbs }',
        what: "'missing.hbs'",
        at: '1:27',
        beyondSchema: true,
      },
      { desired: '{ name: server, values: many }', what: "'values' must be a map", at: '1:25' },
    ],
    cases: [
      ...settingsDrift,
      {
        title: 'they are in force',
        reply: { stdout: `100 600 postgres\nrunning\n${conf}`, sql: live() },
        gives: { same: '2 settings are in force' },
      },
      {
        title: 'they stand in the file of a stopped server',
        reply: { stdout: `100 600 postgres\nstopped\n${conf}` },
        gives: { same: 'at the next start' },
      },
      {
        title: 'one is written differently and means the same',
        reply: { stdout: "100 600 postgres\nstopped\nPort 27500\nlisten_addresses='*' # all\n" },
        gives: { same: '2 settings' },
      },
      {
        title: 'one differs: a reload is enough',
        reply: {
          stdout: `100 600 postgres\nrunning\nport = 27500\nlisten_addresses = 'localhost'\n`,
          sql: live(),
        },
        gives: {
          change: 'set listen_addresses in /database/inst1/postgresql.conf',
          reason: 'other values',
          effects: reload,
          script: ['changed by someone else', "'port = 27500", '.trial 0600 postgres:', 'mv -f'],
        },
      },
      {
        title: 'one differs in a file that is not UTF-8: it is not written from what was read of it',
        reply: {
          stdout: `100 600 postgres\nrunning\n# gr\ufffd\ufffdere Werte\nport = 27500\nlisten_addresses = 'localhost'\n`,
          sql: live(),
        },
        gives: {
          change: 'set listen_addresses in /database/inst1/postgresql.conf',
          reason: 'other values',
          effects: reload,
          script: ['holds bytes that are no UTF-8: write it in UTF-8'],
        },
      },
      {
        title: 'one differs that only a start reads',
        reply: {
          stdout: `100 600 postgres\nrunning\nport = 5432\n`,
          sql: live({ port: { context: 'postmaster' } }),
        },
        gives: { change: 'set 2 settings', reason: 'other values', effects: restart },
      },
      {
        title: 'the file is right, but the server waits for a restart',
        reply: { stdout: `100 600 postgres\nrunning\n${conf}`, sql: live({ port: { pending: true } }) },
        gives: { change: 'bring', reason: 'restarted for port', effects: restart, noSteps: true },
      },
      {
        title: 'the file is newer than what the server has read',
        reply: { stdout: `300 600 postgres\nrunning\n${conf}`, sql: live() },
        gives: { change: 'bring', reason: 'has not read', effects: reload, noSteps: true },
      },
      {
        title: 'ALTER SYSTEM holds one over the file',
        reply: {
          stdout: `100 600 postgres\nrunning\n${conf}`,
          sql: live({}, [fileLine('listen_addresses', 'localhost', { file: autoFile })]),
        },
        gives: {
          change: 'bring',
          reason: 'ALTER SYSTEM holds other values: listen_addresses',
          effects: reload,
          script: ['ALTER SYSTEM RESET listen_addresses;'],
        },
      },
      {
        title: 'a library was loaded by hand, by ALTER SYSTEM',
        desired: libraries,
        reply: {
          stdout: `100 600 postgres\nrunning\n${ownBlock}`,
          sql: live({ shared_preload_libraries: { context: 'postmaster', value: 'auth_delay, pgaudit' } }, [
            fileLine('shared_preload_libraries', 'auth_delay, pgaudit', { file: autoFile }),
          ]),
        },
        gives: {
          refuse: 'INV013',
          what: "'auth_delay' would take away what was loaded by hand: pgaudit",
        },
      },
      {
        title: 'a library was loaded by hand, by an included file',
        desired: libraries,
        reply: {
          stdout: "100 600 postgres\nrunning\ninclude_if_exists = 'own.conf'\n",
          sql: live({ shared_preload_libraries: { context: 'postmaster', value: 'pgaudit' } }, [
            fileLine('shared_preload_libraries', 'pgaudit', { file: '/database/inst1/own.conf' }),
          ]),
        },
        gives: { refuse: 'INV013', what: 'loaded by hand: pgaudit' },
      },
      {
        title: 'a library was loaded by hand, by a line of its own, on a server that does not run',
        desired: libraries,
        reply: {
          stdout: `100 600 postgres\nstopped\n${ownBlock}\nshared_preload_libraries = '"$libdir/auth_delay", pgaudit'\n`,
        },
        gives: { refuse: 'INV013', what: 'loaded by hand: pgaudit' },
      },
      {
        title: 'a library that our own block loads is declared no more',
        desired: libraries,
        reply: {
          stdout: `100 600 postgres\nstopped\nshared_preload_libraries = 'old'\n${ownBlock.replace('auth_delay', 'auth_delay, pgaudit')}`,
        },
        gives: {
          change: 'set shared_preload_libraries',
          reason: 'other values',
          script: ['shared_preload_libraries = auth_delay'],
        },
      },
      {
        title: 'all libraries that were loaded by hand are declared',
        desired: libraries.replace('auth_delay', "'pgaudit, auth_delay'"),
        reply: {
          stdout: '100 600 postgres\nstopped\nshared_preload_libraries = pgaudit\n',
        },
        gives: {
          change: 'set shared_preload_libraries',
          reason: 'other values',
          script: ['pgaudit, auth_delay'],
        },
      },
      {
        title: 'one stands in our block and is declared no more',
        desired: '{ name: server, template: conf.hbs, except: [synchronous_standby_names] }',
        reply: {
          stdout: `100 600 postgres\nstopped\n\n# Written by pgduet. Edit the inventory instead: pgduet changes these lines back.\n${conf}work_mem = '5MB'\nsynchronous_standby_names = 'b'\n`,
        },
        gives: {
          change: 'set work_mem',
          reason: 'declared no more: work_mem',
          script: ['synchronous_standby_names'],
        },
      },
      {
        title: 'a standby keeps what its primary still has',
        desired: '{ name: server, values: { max_connections: 100 } }',
        reply: {
          stdout: '100 600 postgres\nstopped max_connections=120 max_wal_senders=10\nmax_connections = 120\n',
        },
        gives: { same: '1 settings are in force' },
      },
      {
        title: 'a copy of a server that was there before gets no more than that has by ALTER SYSTEM',
        desired: '{ name: server, adopted: taken, logging: theirs, values: { max_wal_senders: 10 } }',
        reply: { stdout: '100 600 postgres\nstopped standby max_wal_senders=6\nmax_wal_senders = 4\n' },
        gives: { same: '1 settings are in force' },
      },
      {
        title: 'the controller has commented the names out: no commit is to wait for a standby that is out',
        desired: names,
        reply: { stdout: "100 600 postgres\nstopped\n#synchronous_standby_names = 'server2'\n" },
        gives: { same: '1 settings' },
      },
      {
        title: 'the controller waits for one of two standbys',
        desired: names.replace('server2', 'FIRST 1 (server2, server3)'),
        reply: {
          stdout:
            "100 600 postgres\nstopped\n#synchronous_standby_names = 'FIRST 1 (server2, server3)'\nsynchronous_standby_names = server3 # by the Mirroring Controller\n",
        },
        gives: { same: '1 settings' },
      },
      {
        title: 'the names that were commented out are other ones',
        desired: names,
        reply: {
          stdout:
            "100 600 postgres\nstopped\n#synchronous_standby_names = ''\n#synchronous_standby_names = 'server3'\n",
        },
        gives: { change: 'set synchronous_standby_names', reason: 'other values', script: ['server2'] },
      },
      {
        title: 'a new primary has its upstream commented out',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped\n#primary_conninfo = 'host=b port=1 user=repl application_name=server1'\n`,
        },
        gives: { same: '1 settings' },
      },
      {
        title: 'a primary has an upstream with another user, behind a mark or not',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped\n#primary_conninfo = 'host=b port=1 user=other application_name=server1'\n`,
        },
        gives: { change: 'set primary_conninfo', reason: 'other values' },
      },
      {
        title:
          'an older line of a primary says what is declared, and the one that a switch begins with does not',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped\n#primary_conninfo = 'host=b port=1 user=repl application_name=server1'\nprimary_conninfo = 'host=b port=1 user=repl application_name=server1 sslmode=verify-full'\n`,
        },
        gives: {
          change: 'set primary_conninfo',
          reason: 'other values',
          script: [`primary_conninfo = '\\''host=a port=1 user=repl application_name=server1'\\''`],
        },
      },
      {
        title: 'a standby has its upstream in another order',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped standby\nprimary_conninfo = 'application_name=server1 host=a  port=1 user=repl'\n`,
        },
        gives: { same: '1 settings' },
      },
      {
        title: 'a standby has its upstream commented out',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped standby\n#primary_conninfo = 'host=a port=1 user=repl application_name=server1'\n`,
        },
        gives: { change: 'set primary_conninfo', reason: 'other values' },
      },
      {
        title: 'a standby follows another server',
        desired: upstream,
        reply: {
          stdout: `100 600 postgres\nstopped standby\nprimary_conninfo = 'host=c port=1 user=repl application_name=server1'\n`,
        },
        gives: { change: 'set primary_conninfo', reason: 'other values' },
      },
      {
        title: 'the server does not know one',
        desired: '{ name: server, values: { no_such_setting: 1 } }',
        reply: { stdout: `100 600 postgres\nrunning\n${conf}`, sql: live() },
        gives: { refuse: 'INV013', what: "no setting 'no_such_setting'" },
      },
      {
        title: 'one of an extension is set',
        desired: '{ name: server, values: { auto_explain.log_min_duration: 1s } }',
        reply: { stdout: `100 600 postgres\nrunning\n${conf}`, sql: live() },
        gives: { change: 'set auto_explain.log_min_duration', reason: 'other values', effects: reload },
      },
      {
        title: 'there is no instance yet',
        reply: { stdout: 'absent\n' },
        gives: { unknown: 'not there yet' },
      },
      {
        title: 'the server runs and does not answer',
        reply: { stdout: `100 600 postgres\nrunning\n${conf}`, sqlProblem: 'too many clients' },
        gives: { unknown: 'too many clients' },
      },
      {
        title: 'the answer is no answer',
        reply: { stdout: 'who knows\n', sql: live() },
        gives: { unknown: 'could not be read' },
      },
    ],
  },
  {
    kind: 'public_schema',
    desired: '{}',
    key: 'postgres',
    describes: 'schema public of database postgres',
    errors: [],
    cases: [
      {
        title: 'nobody has more than its owner',
        reply: { sql: { open: null } },
        gives: { same: 'not open' },
      },
      { title: 'there is none', reply: { sql: null }, gives: { same: 'not open' } },
      {
        title: 'everybody may use it',
        reply: { sql: { open: 'USAGE' } },
        gives: {
          change: 'close schema public',
          reason: 'everybody has USAGE',
          script: ['REVOKE ALL', 'local;'],
        },
        tells: [{ code: 'ROL008', found: 'USAGE for everybody' }],
      },
      {
        title: 'everybody may make objects there, as up to PostgreSQL 14',
        reply: { sql: { open: 'USAGE, CREATE' } },
        gives: { change: 'close schema public', reason: 'USAGE, CREATE' },
        tells: [{ code: 'ROL008' }],
      },
      {
        title: 'its server was made and never started',
        reply: { stdout: 'new\n', sqlProblem: 'connection refused' },
        gives: { same: 'not open' },
      },
      {
        title: 'the server does not answer',
        reply: { sqlProblem: 'connection refused' },
        gives: { unknown: 'connection refused' },
      },
    ],
  },
  {
    kind: 'extension',
    desired: '{ name: set_user }',
    key: 'set_user',
    describes: 'extension set_user of database postgres',
    errors: [{ desired: '{}', what: "'name' is missing", at: '1:1' }],
    cases: [
      { title: 'it is there', reply: { sql: { version: '4.0.1' } }, gives: { same: 'version 4.0.1' } },
      {
        title: 'it is not there',
        reply: { sql: null },
        gives: {
          change: 'create extension set_user in database postgres',
          reason: 'does not exist',
          differences: ['HRD001 set_user: created → (not there)'],
          script: ['local;', 'CREATE EXTENSION IF NOT EXISTS "set_user" SCHEMA public;'],
        },
      },
      {
        title: 'its server was made and never started',
        reply: { stdout: 'new\n', sqlProblem: 'connection refused' },
        gives: { change: 'create extension', reason: 'does not exist' },
      },
      {
        title: 'the server does not answer',
        reply: { sqlProblem: 'connection refused' },
        gives: { unknown: 'connection refused' },
      },
    ],
  },
  {
    kind: 'role',
    desired: '{ name: repl, replication: true, password: !secret replication_password }',
    key: 'repl',
    describes: 'role repl',
    errors: [
      { desired: '{ name: repl, replication: yes please }', what: "not 'yes please'", at: '1:28' },
      { desired: '{ name: repl, password: clear }', what: 'a secret by name', at: '1:25' },
    ],
    cases: [
      ...roleDrift(row),
      { title: 'it is right', reply: { sql: row }, gives: { same: 'right' } },
      {
        title: 'it does not exist',
        reply: { sql: null },
        gives: {
          change: 'create role repl for replication (SCRAM)',
          reason: 'does not exist',
          script: [
            'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
            ' REPLICATION ',
            'SCRAM-SHA-256$4096',
            'local;',
          ],
        },
      },
      {
        title: 'a standby that commits wait for does not have it yet',
        desired: '{ name: repl, replication: true, password: !secret replication_password, received: true }',
        reply: { stdout: 'behind server2\n', sql: row },
        gives: {
          change: 'wait until the standbys have role repl',
          reason: 'not received yet by: server2',
          script: ['pg_current_wal_flush_lsn', "flush_lsn < '$mark'", 'sync_priority > 0', 'exit 1'],
        },
      },
      {
        title: 'it is changed, and its standbys are to have it',
        desired: '{ name: repl, replication: true, password: !secret replication_password, received: true }',
        reply: { stdout: 'behind \n', sql: { ...row, verifier: null } },
        gives: { change: 'alter role repl', reason: 'password', script: ['ALTER ROLE', 'flush_lsn'] },
      },
      {
        title: 'every standby that commits wait for has it',
        desired: '{ name: repl, replication: true, password: !secret replication_password, received: true }',
        reply: { stdout: 'behind \n', sql: row },
        gives: { same: 'right' },
      },
      {
        title: 'its server was made and never started',
        reply: { stdout: 'new\n', sqlProblem: 'connection refused' },
        gives: { change: 'create role repl for replication (SCRAM)', reason: 'does not exist' },
      },
      {
        title: 'its password is another one',
        reply: { sql: { ...row, verifier: scramVerifier('other', Buffer.alloc(16)) } },
        gives: { change: 'alter role repl', reason: 'differs: password' },
      },
      {
        title: 'its password is of the old kind',
        reply: { sql: { ...row, verifier: 'md5d9bb1cd24c5b4a9f1ce36cd1c8b8a6f5' } },
        gives: { change: 'alter role repl', reason: 'password' },
      },
      {
        title: 'it is a superuser that may not log in or replicate and has no password',
        reply: { sql: { ...row, verifier: null, replication: false, login: false, superuser: true } },
        gives: { change: 'alter role repl', reason: 'REPLICATION, LOGIN, it is a superuser, password' },
      },
      {
        title: 'it has no limit of connections, and one is declared',
        desired: '{ name: repl, replication: true, password: !secret replication_password, connections: 30 }',
        reply: { sql: row },
        gives: { change: 'alter role repl', reason: 'CONNECTION LIMIT', script: ['CONNECTION LIMIT 30 '] },
        tells: [{ code: 'ROL002', declared: 'CONNECTION LIMIT 30', found: 'CONNECTION LIMIT -1' }],
      },
      {
        title: 'its limit of connections is lower than the declared one',
        desired: '{ name: repl, replication: true, password: !secret replication_password, connections: 30 }',
        reply: { sql: { ...row, connections: 29 } },
        gives: { change: 'alter role repl', reason: 'CONNECTION LIMIT' },
        tells: [{ code: 'ROL007', declared: 'CONNECTION LIMIT 30', found: 'CONNECTION LIMIT 29' }],
      },
      {
        title: 'somebody gave it a higher limit of connections',
        desired: '{ name: repl, replication: true, password: !secret replication_password, connections: 30 }',
        reply: { sql: { ...row, connections: 31 } },
        gives: { same: 'right' },
      },
      {
        title: 'a limit of connections is declared no more',
        reply: { sql: { ...row, connections: 30 } },
        gives: { change: 'alter role repl', reason: 'CONNECTION LIMIT', script: ['CONNECTION LIMIT -1 '] },
        tells: [{ code: 'ROL007', declared: 'CONNECTION LIMIT -1', found: 'CONNECTION LIMIT 30' }],
      },
      {
        title: 'it has a name that wants quotes',
        desired: `{ name: 'a"b''c' }`,
        reply: { sql: null },
        gives: { change: 'create role', reason: 'not exist', script: ['a""b'] },
      },
      {
        title: 'the server does not answer',
        reply: { sqlProblem: 'connection refused' },
        gives: { unknown: 'connection refused' },
      },
      { title: 'nobody asked the server', reply: {}, gives: { unknown: 'did not answer' } },
    ],
  },
  {
    kind: 'former_passwords',
    desired: '{ user: repl, addresses: [192.0.2.1, 192.0.2.3], ports: [5432] }',
    key: 'repl',
    describes: 'no password of repl for former addresses',
    errors: [{ desired: '{}', what: "'user' is missing", at: '1:1' }],
    cases: [
      { title: 'there is nothing yet', reply: { stdout: 'looked\n' }, gives: { same: 'it has none' } },
      {
        title:
          'the configuration names an address that no server has any more, and the file a password for it',
        reply: {
          stdout: `log_transfer_addresses 'server2=192.0.2.2, server3=192.0.2.3'
line 192.0.2.2:5432:replication:repl:secret
line 192.0.2.3:5432:replication:repl:secret
looked
`,
        },
        gives: {
          change: 'remove the password of repl for 192.0.2.2 from the password file',
          reason: 'no server of the cluster has that address any more',
          script: ['192.0.2.2:5432:replication:repl:', 'awk'],
        },
        tells: [{ code: 'PWD005', object: '192.0.2.2:5432', found: 'a line for repl' }],
      },
      {
        title: 'the line is of another cluster, by its port, and another one of another role',
        reply: {
          stdout: `log_transfer_addresses 'server2=192.0.2.2'
line 192.0.2.2:6000:replication:repl:secret
line 192.0.2.2:5432:repl:app:secret
looked
`,
        },
        gives: { same: 'it has none' },
      },
      {
        title: 'the address is an IPv6 one',
        reply: {
          stdout: `log_transfer_addresses 'server2=fd00::2'
line fd00\\:\\:2:5432:postgres:repl:secret
looked
`,
        },
        gives: { change: 'for fd00::2', reason: 'any more', script: ['fd00\\:\\:2:5432:postgres:repl:'] },
      },
      {
        title: 'the line is for an address that no configuration of ours has named',
        reply: {
          stdout: `log_transfer_addresses 'server3=192.0.2.3'
line 198.51.100.1:5432:replication:repl:secret
looked
`,
        },
        gives: { same: 'it has none' },
      },
      { title: 'the look was cut off', reply: { stderr: 'no' }, gives: { unknown: 'no' } },
    ],
  },
  {
    kind: 'slot',
    desired: '{ name: pgduet_copy_server2, state: absent }',
    key: 'pgduet_copy_server2',
    describes: 'slot pgduet_copy_server2',
    errors: [{ desired: '{ name: a, state: gone }', what: "cannot be 'gone'", at: '1:19' }],
    cases: [
      { title: 'it is gone', reply: { sql: null }, gives: { same: 'does not exist' } },
      {
        title: 'it is left over',
        reply: { sql: { active: false, keeps: '16 MB' } },
        gives: {
          change: 'drop slot pgduet_copy_server2',
          reason: 'nothing uses it',
          script: ['pg_drop_replication_slot', 'NOT active'],
        },
        tells: [{ code: 'SLT001', found: 'keeps 16 MB of WAL' }],
      },
      { title: 'it is in use', reply: { sql: { active: true, keeps: null } }, gives: { same: 'in use' } },
      {
        title: 'it is wanted and is not there',
        desired: '{ name: keep }',
        reply: { sql: null },
        gives: {
          change: 'create slot keep',
          reason: 'not exist',
          script: ['pg_create_physical_replication_slot', 'WHERE NOT EXISTS'],
        },
      },
      {
        title: 'it is wanted and is there',
        desired: '{ name: keep }',
        reply: { sql: { active: false, keeps: '16 MB' } },
        gives: { same: 'exists' },
      },
      { title: 'the server does not answer', reply: { sqlProblem: 'gone' }, gives: { unknown: 'gone' } },
    ],
  },
  {
    kind: 'replication',
    desired: "{ standbys: 'server2 server3 ', state: streaming }",
    key: 'streaming server2,server3',
    describes: 'server2, server3 streaming',
    errors: [
      { desired: '{ standbys: server2 }', what: "'state' is missing", at: '1:1' },
      { desired: '{ standbys: server2, state: async }', what: "cannot be 'async'", at: '1:29' },
    ],
    cases: [
      {
        title: 'it streams and is synchronous',
        desired: sync,
        reply: { sql: senders(streams) },
        gives: { same: 'server2 streaming sync from 192.0.2.110' },
      },
      {
        title: 'everybody who might be waited for is in maintenance',
        desired: "{ standbys: '', state: sync }",
        reply: { sql: senders() },
        gives: { same: 'no standby is waited for' },
      },
      {
        title: 'a base backup of the same name runs beside it',
        desired: sync,
        reply: { sql: senders(streams, { ...streams, state: 'backup', sync: 'async' }) },
        gives: { same: 'server2' },
      },
      {
        title: 'one of two is synchronous, the other would be next',
        desired: twoStandbys,
        reply: { sql: senders(streams, { ...streams, name: 'server3', sync: 'potential' }) },
        gives: { same: 'server3 streaming potential' },
      },
      {
        title: 'one of two is asynchronous',
        desired: twoStandbys,
        reply: { sql: senders(streams, { ...streams, name: 'server3', sync: 'async' }) },
        gives: { change: 'wait until', reason: 'no standby is synchronous', script: ['DO $$'] },
      },
      {
        title: 'it streams and is asynchronous',
        desired: sync,
        reply: { sql: senders({ ...streams, sync: 'async' }) },
        gives: { change: 'wait until server2 is synchronous', reason: 'no standby is synchronous' },
        tells: [{ code: 'REP003', found: "server2 async; synchronous_standby_names = 'server2'" }],
      },
      {
        title: 'it catches up',
        desired: sync,
        reply: { sql: senders({ ...streams, state: 'catchup' }) },
        gives: { change: 'wait', reason: "server2 is in state 'catchup'" },
        tells: [{ code: 'REP002', object: 'server2', found: "in state 'catchup'" }],
      },
      {
        title: 'nobody is connected',
        reply: { sql: senders() },
        gives: { change: 'wait until server2, server3 streams', reason: 'server2 is not connected' },
        tells: [
          { code: 'REP001', object: 'server2' },
          { code: 'REP001', object: 'server3' },
        ],
      },
      {
        title: 'two call themselves by one name',
        desired: sync,
        reply: { sql: senders(streams, streams) },
        gives: { change: 'wait', reason: 'server2' },
      },
      { title: 'the server does not answer', reply: { sqlProblem: 'gone' }, gives: { unknown: 'gone' } },
      { title: 'the answer is no list', reply: { sql: { rows: 1 } }, gives: { unknown: 'did not answer' } },
    ],
  },
];
