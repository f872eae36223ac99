/** Cases of the kinds that a teardown is made of: what stops, what is deleted and what forbids it, and the way back to a single server. */
import { ourHeading } from '../../../src/postgres/conf-file.ts';
import { formerRulesMarker } from '../../../src/postgres/hba-file.ts';
import type { Before } from '../../../src/resources/data/record.ts';
import type { KindCases } from '../cases.ts';

const control = (system = '7', position = '0/3000060', timeline = 1): string =>
  `Catalog version number: 202209061
Database system identifier: ${system}
Database cluster state: shut down in recovery
Latest checkpoint location: 0/2000028
Latest checkpoint's TimeLineID: ${timeline}
Minimum recovery ending location: ${position}
Min recovery ending loc's timeline: ${timeline}
Data page checksum version: 1
`;

const erasedYaml = (rest: string): string => `{ ${rest} }`;
const ofStandby = erasedYaml("keeper: server2, system_identifier: '7', serves: true");
const standbySeen = (system = '7', signal = 'signal standby\n', recorded = 'recorded 7\n') => ({
  stdout: `${recorded}content cluster\nversion 15\n${signal}${control(system)}place data 2048 /database/inst1\nplace tablespace 72 /space/PG_15_202209061\nlooked\n`,
});

const holdsYaml = (rest: string): string => `{ server: server2, system_identifier: '7', ${rest} }`;
const holdsSeen = (live: string, checkpoint: string, history = '') => ({
  stdout: `live ${live}\n${history}${control('7').replace('0/2000028', checkpoint)}`,
});

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const dir = '/database/inst1';
const conf = "shared_buffers = '64MB'\n";
const multiplexed = `${conf}\n${ourHeading}\nport = '27500'\nwal_log_hints = 'on'\n\n`;
const byPerson = '"-D" "/database/inst1" "-c" "config_file=/etc/pg/postgresql.conf"';
const elsewhere = {
  configFile: '/etc/pg/postgresql.conf',
  hbaFile: '/etc/pg/pg_hba.conf',
  identFile: '/etc/pg/pg_ident.conf',
};
const rules = `# Written by pgduet from the inventory; x\nlocal  all  all  peer\n`;
const inFile = (raw: string, boot: string, unit: string | null) => ({
  ...{ value: raw, raw, boot, unit },
  source: 'configuration file',
});
const live = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    timeline: 1,
    recovering: false,
    configFile: `${dir}/postgresql.conf`,
    roles: {},
    slots: [],
    restart: {
      port: inFile('27500', '5432', null),
      wal_log_hints: inFile('on', 'off', null),
      shared_buffers: inFile('8192', '16384', '8kB'),
    },
    ...over,
  });
const record = (over: Partial<Before> = {}): string =>
  `record ${b64(
    JSON.stringify({
      schema: 1,
      at: 1,
      systemIdentifier: '7',
      version: 15,
      starter: { kind: 'unit', unit: 'pg-main.service', enabled: 'enabled' },
      configFile: `${dir}/postgresql.conf`,
      hbaFile: `${dir}/pg_hba.conf`,
      identFile: `${dir}/pg_ident.conf`,
      files: [
        { path: `${dir}/postgresql.conf`, mode: '600', owner: 'postgres:postgres', text: conf },
        { path: `${dir}/pg_hba.conf`, mode: '640', owner: 'postgres:postgres', text: 'local all all peer\n' },
      ],
      settings: [],
      made: [],
      roles: [],
      ...over,
    } satisfies Before),
  )}`;
const file = (path: string, text: string, mode = '600'): string =>
  `file ${mode} postgres:postgres ${b64(text)} ${path}`;
const mcoi = 'server ready /system.slice/mcoi_inst1.service';
const single = (...lines: readonly string[]) => ({
  stdout: ['programs /pg/bin', ...lines, '', 'looked'].join('\n'),
});
const slot = (name: string, logical: boolean) => ({ name, logical });
/** With a slot of others that needs logical WAL, which the server has only as long as it is multiplexed. */
const withSlots = (...lines: readonly string[]) =>
  single(
    ...running,
    ...(lines.some((line) => line.startsWith('record ')) ? [] : [record()]),
    file(`${dir}/postgresql.conf`, multiplexed.replace('port', "wal_level = 'logical'\nport")),
    ...lines,
    former,
    `live ${live({ others: [slot('feed', true)], restart: { wal_level: inFile('logical', 'replica', null) } })}`,
  );
const plain = 'service absent inactive no postgresql_inst1.service';
const former = 'service enabled inactive yes pg-main.service';
const running = ['ours', 'controller', 'unit', mcoi] as const;

export const tearing: readonly KindCases[] = [
  {
    kind: 'retired',
    desired: '{ unit: mcoi_inst1 }',
    key: 'stopped',
    describes: 'Mirroring Controller and instance of server1 stopped',
    errors: [{ desired: '{ unit: [a] }', what: "'unit' must be a single value", at: '1:9' }],
    cases: [
      {
        title: 'all of it runs',
        reply: { stdout: 'unit\ncontroller\ninstance\nlooked\n' },
        gives: {
          change: 'stop the Mirroring Controller and the instance of server1, remove unit mcoi_inst1.service',
          reason: 'server1 goes',
          script: ['systemctl stop mcoi_inst1.service', '-m fast', 'systemctl daemon-reload'],
        },
      },
      {
        title: 'it is stopped, and its unit would start it again',
        reply: { stdout: 'unit\nlooked\n' },
        gives: { change: /^remove unit mcoi_inst1.service$/, reason: 'goes' },
      },
      {
        title: 'an instance runs that no controller watches, where there is no systemd',
        desired: '{}',
        reply: { stdout: 'instance\nlooked\n' },
        gives: { change: /^stop the instance of server1$/, reason: 'goes', script: ['stop -s -W -m fast'] },
      },
      {
        title: 'a former unit is held back by a mark that goes',
        reply: { stdout: 'dropin /etc/systemd/system/pg.service.d/pgduet.conf\nlooked\n' },
        gives: { change: /^disable pg.service$/, reason: 'goes' },
      },
      {
        title: 'nothing is left',
        reply: { stdout: 'looked\n' },
        gives: { same: 'no controller, no instance' },
      },
      {
        title: 'the look broke off',
        reply: { stdout: 'unit\n' },
        gives: { unknown: 'could not be looked at' },
      },
    ],
  },
  {
    kind: 'uncontrolled',
    desired: '{ unit: mcoi_inst1, standbys: server2 }',
    key: 'controller stopped',
    describes: 'Mirroring Controller of server1 stopped',
    errors: [{ desired: '{ unit: [a] }', what: "'unit' must be a single value", at: '1:9' }],
    cases: [
      {
        title: 'its standby streams',
        reply: { stdout: 'controller\ninstance\nlooked\n', sql: ['server2', 'report'] },
        gives: {
          change: 'stop the Mirroring Controller of server1; the instance goes on',
          reason: 'the controllers go',
          script: ['stop --mc-only', 'mcoi_inst1.service'],
        },
      },
      {
        title: 'a standby is missed',
        desired: '{ standbys: [server2, server3] }',
        reply: { stdout: 'controller\ninstance\nlooked\n', sql: ['server3'] },
        gives: { refuse: 'SAF080', what: 'server2 does not follow server1' },
      },
      {
        title: 'the primary gives no answer',
        reply: { stdout: 'controller\ninstance\nlooked\n', sqlProblem: 'no' },
        gives: { refuse: 'SAF080', what: 'server1 gives no answer' },
      },
      {
        title: 'its instance does not run',
        reply: { stdout: 'controller\nlooked\n', sqlProblem: 'no' },
        gives: { refuse: 'SAF080', what: 'the instance of server1 does not run' },
      },
      {
        title: 'a standby asks nobody',
        desired: '{ unit: mcoi_inst1 }',
        reply: { stdout: 'controller\nlooked\n', sqlProblem: 'no' },
        gives: { change: /^stop the Mirroring Controller of server1/, reason: 'the controllers go' },
      },
      {
        title: 'no controller runs, whoever follows',
        reply: { stdout: 'instance\nlooked\n', sql: [] },
        gives: { same: 'no controller runs' },
      },
      {
        title: 'the look broke off',
        reply: { stdout: 'controller\n' },
        gives: { unknown: 'could not be looked at' },
      },
    ],
  },
  {
    kind: 'holds',
    desired: holdsYaml('position: 0/3000060, timeline: 1'),
    key: 'server2',
    describes: 'everything that server2 has',
    errors: [
      {
        desired: '{ server: a, position: here }',
        what: "'here' is no WAL position",
        at: '1:24',
        beyondSchema: true,
      },
      { desired: '{ position: 0/1 }', what: "'server' is missing", at: '1:1' },
    ],
    cases: [
      {
        title: 'the last checkpoint is behind all that the other has',
        reply: holdsSeen('false 0/5000000 1', '0/4000000'),
        gives: { same: 'server2 ends at 0/3000060 on timeline 1; the last checkpoint here is at 0/4000000' },
      },
      {
        title: 'there was no checkpoint since',
        reply: holdsSeen('false 0/5000000 1', '0/2000028'),
        gives: { change: 'checkpoint', reason: 'the last one was at 0/2000028', script: ['CHECKPOINT'] },
      },
      {
        title: 'the other is ahead',
        reply: holdsSeen('false 0/3000000 1', '0/2000028'),
        gives: { refuse: 'SAF020', what: 'it is ahead: it ends at 0/3000060' },
      },
      {
        title: 'the other still streams, and has got more meanwhile',
        desired: holdsYaml('position: 0/3000060, timeline: 1, runs: true'),
        reply: holdsSeen('false 0/3000000 1', '0/3000060'),
        gives: { same: 'ends at 0/3000060' },
      },
      {
        title: 'the other was left behind by a promotion, in time',
        reply: holdsSeen(
          'false 0/5000000 2',
          '0/4000000',
          'history 00000002\nleft 1\t0/3000060\tno recovery target\n',
        ),
        gives: { same: 'on timeline 2' },
      },
      {
        title: 'the other went on behind the place of a promotion, though the history is longer by now',
        reply: holdsSeen(
          'false 0/5000000 3',
          '0/4000000',
          'history 00000002\nleft 1\t0/3000100\tx\nhistory 00000003\nleft 1\t0/3000000\tx\nleft 2\t0/3500000\tx\n',
        ),
        gives: { refuse: 'SAF020', what: 'has timeline 1 up to 0/3000000' },
      },
      {
        title: 'the timeline of the other is nobody knows whose',
        desired: holdsYaml('position: 0/3000060, timeline: 4'),
        reply: holdsSeen('false 0/5000000 2', '0/4000000', 'history 00000002\nleft 1\t0/3000060\tx\n'),
        gives: { refuse: 'SAF020', what: 'its timeline 4 is no part of the history' },
      },
      {
        title: 'the other is of another cluster',
        desired: "{ server: server2, system_identifier: '8', position: 0/1, timeline: 1 }",
        reply: holdsSeen('false 0/5000000 1', '0/4000000'),
        gives: { refuse: 'SAF020', what: 'it is of another cluster' },
      },
      {
        title: 'this server is a standby itself',
        reply: holdsSeen('true 0/0 0', '0/4000000'),
        gives: { refuse: 'SAF020', what: 'is a standby' },
      },
      {
        title: 'the other has no data',
        desired: '{ server: server2 }',
        reply: { stdout: 'nothing\n' },
        gives: { same: 'no data that counts' },
      },
      {
        title: 'no server runs here',
        reply: { stdout: 'problem no server runs in the data directory\n' },
        gives: { unknown: 'no server runs' },
      },
    ],
  },
  {
    kind: 'erased',
    desired: ofStandby,
    key: '/database/inst1',
    describes: 'no data in /database/inst1',
    errors: [
      {
        desired: erasedYaml('proof: standby'),
        what: 'that has the data too is missing',
        at: '1:1',
        beyondSchema: true,
      },
      { desired: erasedYaml('proof: maybe, keeper: a'), what: "'proof' cannot be 'maybe'", at: '1:10' },
    ],
    cases: [
      {
        title: 'a standby of the server that stays',
        reply: standbySeen(),
        gives: {
          change: 'delete the data of server1 in /database/inst1 (system identifier 7)',
          reason: 'a standby of server2, which has all of it',
          script: ['0600 postgres: erase', 'standby.signal', '!= 7 ]'],
        },
      },
      {
        title: 'a former primary',
        reply: standbySeen('7', ''),
        gives: { refuse: 'SAF020', what: 'it was primary, and has not been made a standby since' },
      },
      {
        title: 'the primary, which is to be a standby first',
        desired: erasedYaml("keeper: server2, system_identifier: '7', proof: later"),
        reply: standbySeen('7', ''),
        gives: { change: 'delete the data of server1', reason: 'server2 is made to serve as primary first' },
      },
      {
        title: 'data of another cluster',
        reply: standbySeen('8', 'signal standby\n', ''),
        gives: { refuse: 'SAF020', what: 'it is of another cluster than that of server2' },
      },
      {
        title: 'data that is not what was recorded',
        reply: standbySeen('8'),
        gives: { refuse: 'SAF001', what: 'holds another cluster' },
      },
      {
        title: 'a server that stays, and does not run',
        desired: erasedYaml("keeper: server2, system_identifier: '7'"),
        reply: standbySeen(),
        gives: { refuse: 'SAF020', what: 'server2 does not run as primary' },
      },
      {
        title: 'files of somebody',
        reply: { stdout: 'content foreign\nfile thesis.tex\nplace data 4 /database/inst1\nlooked\n' },
        gives: { refuse: 'SAF002', what: "not PostgreSQL's" },
      },
      {
        title: 'a deletion that was interrupted',
        reply: {
          stdout:
            'making erase\nrecorded 7\ncontent foreign\nfile base\nplace data 4 /database/inst1\nlooked\n',
        },
        gives: { change: 'delete the data of server1 in /database/inst1', reason: 'unfinished: erase' },
      },
      {
        title: 'the last of the cluster, with --all-data',
        desired: erasedYaml('proof: none'),
        reply: standbySeen('7', ''),
        gives: { change: 'system identifier 7', reason: 'the whole cluster goes' },
      },
      {
        title: "a stranger's cluster, with --all-data",
        desired: erasedYaml('proof: none'),
        reply: standbySeen('7', '', ''),
        gives: { refuse: 'SAF001', what: 'holds another cluster' },
      },
      {
        title: 'nothing but the directory that it stood in',
        reply: { stdout: 'content absent\norphan\nlooked\n' },
        gives: { change: 'delete the data', reason: 'absent', script: ['vacate_above "$d"'] },
      },
      { title: 'nothing', reply: { stdout: 'content absent\nlooked\n' }, gives: { same: 'no data' } },
      {
        title: 'an empty mount point',
        reply: { stdout: 'content empty\nmount\nplace data 4 /database/inst1\nlooked\n' },
        gives: { same: 'empty mount point' },
      },
      {
        title: 'a control file that says nothing',
        reply: { stdout: 'content cluster\nversion 15\nlooked\n' },
        gives: { unknown: 'pg_controldata does not say' },
      },
    ],
  },
  {
    kind: 'gone',
    desired: '{ path: /usr/local/lib/pgduet, except: [mc.cjs], unless: test -e /other }',
    key: '/usr/local/lib/pgduet',
    describes: 'no /usr/local/lib/pgduet',
    errors: [{ desired: '{ except: [a] }', what: "'path' is missing", at: '1:1' }],
    cases: [
      { title: 'it is not there', reply: { stdout: 'absent\n' }, gives: { same: 'is not there' } },
      {
        title: 'a file',
        reply: { stdout: 'file\n' },
        gives: { change: 'remove /usr/local/lib/pgduet', reason: 'nothing needs it', script: ['rm -f "$p"'] },
      },
      {
        title: 'a directory with nothing else in it',
        reply: { stdout: 'directory\n' },
        gives: { change: 'remove the empty directory', reason: 'nothing needs it' },
      },
      {
        title: 'a directory with files of others',
        reply: { stdout: 'directory\nit holds other files\n' },
        gives: { same: 'stays: it holds other files' },
      },
      { title: 'nothing can be seen', reply: { status: 1 }, gives: { unknown: /./ } },
    ],
  },
  {
    kind: 'forgotten',
    desired: '{}',
    key: '/mcdir/inst1',
    describes: 'no management directory /mcdir/inst1',
    errors: [{ desired: '[]', what: 'a map of fields is expected here', at: '1:1' }],
    cases: [
      { title: 'it is not there', reply: { stdout: 'absent\n' }, gives: { same: 'is not there' } },
      {
        title: 'it is ours',
        reply: { stdout: 'directory\nours\n' },
        gives: {
          change: 'delete the management directory /mcdir/inst1',
          reason: 'no controller runs here',
          script: [/rm -f \S+server1\.system[\s\S]*-delete[\s\S]*server1\.before\.json/],
        },
      },
      {
        title: 'it is gone, and the directory that it stood in is not',
        reply: { stdout: 'orphan\n' },
        gives: { change: 'remove the empty directory', reason: 'nothing else', script: ['vacate_above'] },
      },
      {
        title: 'it holds files of others',
        reply: { stdout: 'directory\nforeign\nthesis.tex\n' },
        gives: { refuse: 'SAF002', what: "not pgduet's" },
      },
      {
        title: 'a link stands in its place',
        reply: { stdout: 'link\n' },
        gives: { refuse: 'SAF002', what: 'is a symbolic link' },
      },
      {
        title: 'it is ours, and holds files of others too',
        reply: { stdout: 'directory\nours\nscripts/hook.sh\n' },
        gives: { refuse: 'SAF002', what: "not pgduet's" },
      },
      {
        title: 'an empty mount point',
        reply: { stdout: 'mount\nempty\n' },
        gives: { same: 'an empty mount point' },
      },
      {
        title: 'it cannot be read',
        reply: { status: 1, stderr: 'ls: denied' },
        gives: { unknown: 'denied' },
      },
    ],
  },
  {
    kind: 'single',
    desired: `{ unit: mcoi_inst1, plain_unit: postgresql_inst1, plain_template: text.hbs, hba_template: hba.hbs, staying: port, roles: pgduet_repl, slots: pgduet_copy_server2 }`,
    key: 'single',
    describes: 'server1 as a single server',
    errors: [
      {
        desired: `{ plain_template: missing.hbs, hba_template: hba.hbs }`,
        what: "no template 'missing.hbs'",
        at: '1:19',
        beyondSchema: true,
      },
    ],
    cases: [
      {
        title: 'it was made multiplexed on a host without systemd: a person starts it from now on',
        desired: '{ hba_template: hba.hbs, plain_template: text.hbs, staying: port }',
        reply: single(
          ...running,
          file(`${dir}/postgresql.conf`, multiplexed),
          file(`${dir}/pg_hba.conf`, rules),
          `live ${live({})}`,
        ),
        gives: {
          change: 'make server1 a single server again',
          reason: 'the others go',
          notes: ['nothing starts it when its host boots', `pg_ctl start -D ${dir}`],
          scriptLacks: ['systemctl'],
        },
      },
      {
        title: 'it was made multiplexed',
        reply: single(
          ...running,
          file(`${dir}/postgresql.conf`, multiplexed),
          file(`${dir}/pg_hba.conf`, rules),
          plain,
          `live ${live({ roles: { pgduet_repl: 0 }, slots: ['pgduet_copy_server2'] })}`,
        ),
        gives: {
          change: 'make server1 a single server again, with one restart',
          reason: 'the others go',
          script: [
            'DROP ROLE "pgduet_repl"',
            'stop --mc-only',
            'systemctl --quiet --no-reload enable postgresql_inst1.service',
            /put \/mcdir\/inst1\/server1\.former 0600 [\s\S]*systemd-run [\s\S]* stop [\s\S]*pg_ctl" \/database\/inst1 postgresql_inst1.service/,
            /systemd-run [\s\S]*rm -f \S+ \/etc\/systemd\/system\/mcoi_inst1\.service[\s\S]*rm -f \/etc\/systemd\/system\/postgresql_inst1\.service\.d/,
          ],
        },
      },
      {
        title: 'only its controller goes: a standby stays one, with what replication needs',
        desired:
          '{ unit: mcoi_inst1, plain_unit: postgresql_inst1, plain_template: text.hbs, hba_template: hba.hbs, staying: [port, wal_log_hints], replicates: true, synchronous: server2 }',
        reply: single(
          ...running,
          file(`${dir}/postgresql.conf`, multiplexed),
          file(`${dir}/pg_hba.conf`, rules),
          plain,
          `live ${live({ recovering: true, roles: { pgduet_repl: 0 } })}`,
        ),
        gives: {
          change: 'make server1 a plain server again, with one restart',
          reason: 'its controller goes, replication stays',
          script: [
            'wal_log_hints = on',
            /synchronous_standby_names = \S*server2/,
            'pg_stat_wal_receiver',
            'systemctl --quiet --no-reload enable postgresql_inst1.service',
          ],
        },
      },
      {
        title: 'only its controller goes, and its former configuration is closed to its owner',
        desired:
          '{ unit: mcoi_inst1, plain_unit: postgresql_inst1, plain_template: text.hbs, hba_template: hba.hbs, staying: [port, wal_log_hints], replicates: true, synchronous: server2 }',
        reply: single(
          ...running,
          record(elsewhere),
          former,
          file(`${dir}/postgresql.conf`, multiplexed),
          file('/etc/pg/postgresql.conf', conf),
          'barred /etc/pg/postgresql.conf',
          `live ${live()}`,
        ),
        gives: { refuse: 'SAF080', what: "'/etc/pg/postgresql.conf', which server1 reads again" },
      },
      {
        title: 'it was a single server under a unit, and nobody has edited anything',
        reply: single(
          ...running,
          record(),
          file(`${dir}/postgresql.conf`, multiplexed),
          file(`${dir}/pg_hba.conf`, `${rules}${formerRulesMarker}\nlocal all all peer\n`),
          former,
          `live ${live()}`,
        ),
        gives: {
          change: 'with one restart',
          reason: 'as it was recorded',
          script: [
            `place ${dir}/pg_hba.conf 640 postgres:postgres`,
            `place ${dir}/postgresql.conf 600 postgres:postgres`,
            /systemd-run .* pg-main.service/s,
          ],
        },
      },
      {
        title: 'it has logical slots by now, and had no logical WAL before',
        reply: withSlots(),
        gives: {
          refuse: 'SAF021',
          what: 'it has logical slots (feed), and wal_level becomes replica again',
        },
      },
      {
        title: 'what was set since keeps the slots',
        reply: withSlots(file(`${dir}/postgresql.auto.conf`, "wal_level = 'logical'\n")),
        gives: { change: 'make server1 a single server again', reason: 'as it was recorded' },
      },
      {
        title: 'whoever starts it asks for logical WAL',
        reply: withSlots(
          record({
            settings: [{ name: 'wal_level', value: 'logical', place: 'command line', commentedOut: false }],
          }),
        ),
        gives: { change: 'make server1 a single server again', reason: 'as it was recorded' },
      },
      {
        title: 'it has more slots by now than it could have',
        reply: single(
          ...running,
          record(),
          file(`${dir}/postgresql.conf`, `max_replication_slots = 1\n${multiplexed}`),
          former,
          `live ${live({ others: [slot('feed', false), slot('old', false)] })}`,
        ),
        gives: {
          refuse: 'SAF021',
          what: 'it has 2 replication slots (feed, old), and max_replication_slots becomes 1 again',
        },
      },
      {
        title: 'transactions wait for their second phase, which it could not have before',
        reply: single(
          ...running,
          record(),
          file(`${dir}/postgresql.conf`, multiplexed.replace('port', 'max_prepared_transactions = 9\nport')),
          former,
          `live ${live({ prepared: 2, restart: { max_prepared_transactions: inFile('9', '0', null) } })}`,
        ),
        gives: {
          refuse: 'SAF021',
          what: 'it has 2 prepared transactions, and max_prepared_transactions becomes 0 again',
        },
      },
      {
        title: 'it was started by hand, and nothing needs a restart',
        reply: single(
          ...running,
          record({ starter: { kind: 'hand', options: '"-D" "/database/inst1"' } }),
          file(`${dir}/postgresql.conf`, `${conf}\n${ourHeading}\nwal_sender_timeout = '5s'\n\n`),
          file(`${dir}/pg_hba.conf`, `${rules}${formerRulesMarker}\nlocal all all peer\n`),
          `live ${live({ restart: { shared_buffers: inFile('8192', '16384', '8kB') } })}`,
        ),
        gives: {
          change: /^make server1 a single server again$/,
          reason: 'recorded',
          script: ['pg_ctl" reload'],
        },
      },
      {
        title: 'the run was interrupted behind the stop of the server',
        reply: single(
          'ours',
          'mark',
          'unit',
          'guarded',
          record(),
          file(`${dir}/postgresql.conf`, conf),
          file(`${dir}/pg_hba.conf`, 'local all all peer\n', '640'),
          former,
        ),
        gives: {
          change: 'make server1 a single server again',
          reason: 'recorded',
          script: [/systemd-run .* pg-main.service/s],
        },
      },
      {
        title: 'all is done but for the management directory',
        reply: single(
          'ours',
          'mark',
          record(),
          file(`${dir}/postgresql.conf`, conf),
          file(`${dir}/pg_hba.conf`, 'local all all peer\n', '640'),
          'main pg-main.service',
          'service enabled active no pg-main.service',
          'server ready /system.slice/pg-main.service',
          `live ${live()}`,
        ),
        gives: {
          same: 'server1 is a single server: running under pg-main.service, timeline 1, takes writes',
        },
      },
      {
        title: 'a person started it with its configuration elsewhere, and it reads that again',
        reply: single(
          'ours',
          'mark',
          record({ starter: { kind: 'hand', options: byPerson }, ...elsewhere }),
          file(`${dir}/postgresql.conf`, conf),
          file(`${dir}/pg_hba.conf`, 'local all all peer\n', '640'),
          'server ready /user.slice/session-1.scope',
          `live ${live({ configFile: elsewhere.configFile })}`,
        ),
        gives: { same: 'server1 is a single server: running, timeline 1, takes writes' },
      },
      {
        title:
          'a person started it with its configuration elsewhere, and it reads that of the data directory still',
        reply: single(
          'ours',
          'mark',
          record({ starter: { kind: 'hand', options: byPerson }, ...elsewhere }),
          'server ready /user.slice/session-1.scope',
          `live ${live()}`,
        ),
        gives: {
          change: 'make server1 a single server again, with one restart',
          reason: 'as it was recorded',
          script: [
            'set -a; . "$1"',
            '/mcdir/inst1/server1.environment',
            'config_file=/etc/pg/postgresql.conf',
          ],
        },
      },
      {
        title: 'it goes on with variables of its own under a unit that it gets now',
        reply: single('ours', 'environment', 'server ready /system.slice/x.service', `live ${live()}`),
        gives: {
          change: 'make server1 a single server again, with one restart',
          reason: 'the others go',
          script: [
            /peek cat \S+server1\.environment[\s\S]* \S*\/etc\/default\/postgresql_inst1\S* 0600 root:root/,
          ],
        },
      },
      {
        title: 'all is done, and the server reads its files at this moment',
        reply: single(
          'ours',
          'mark',
          record(),
          file(`${dir}/postgresql.conf`, conf),
          file(`${dir}/pg_hba.conf`, 'local all all peer\n', '640'),
          'main pg-main.service',
          'service enabled reloading no pg-main.service',
          'server ready /system.slice/pg-main.service',
          `live ${live()}`,
        ),
        gives: {
          same: 'server1 is a single server: running under pg-main.service, timeline 1, takes writes',
        },
      },
      {
        title: 'the record names a unit, and nothing of root says that it started the server',
        reply: single(
          ...running,
          record({ starter: { kind: 'unit', unit: 'ssh.service', enabled: 'enabled' } }),
          file(`${dir}/postgresql.conf`, multiplexed),
          former,
          `live ${live()}`,
        ),
        gives: { refuse: 'SAF021', what: 'says that ssh.service started' },
      },
      {
        title: 'the record names a unit whose name is a way to somewhere else',
        reply: single(
          ...running,
          record({ starter: { kind: 'unit', unit: '../../cron.d/x.service', enabled: 'enabled' } }),
          'service enabled inactive yes ../../cron.d/x.service',
          `live ${live()}`,
        ),
        gives: { refuse: 'SAF021', what: "cannot be read: its field 'starter'" },
      },
      {
        title: 'the record is no JSON',
        reply: single(...running, `record ${b64('{')}`, `live ${live()}`),
        gives: { refuse: 'SAF021', what: 'it is no JSON object' },
      },
      {
        title: 'a link stands in the place of the record, and nothing else is left',
        reply: single('unread it is no plain file', `live ${live()}`),
        gives: { refuse: 'SAF021', what: 'it is no plain file' },
      },
      {
        title: 'the record names a file of somebody else',
        reply: single(
          ...running,
          record({
            files: [{ path: '/etc/sudoers.d/x.conf', mode: '666', owner: 'root:root', text: 'all' }],
          }),
          'barred /etc/sudoers.d/x.conf',
          `file 440 root:root ${b64('none')} /etc/sudoers.d/x.conf`,
          former,
          `live ${live()}`,
        ),
        gives: {
          change: 'make server1 a single server again',
          reason: 'recorded',
          scriptLacks: ['/etc/sudoers.d'],
        },
      },
      {
        title: 'the record names a file that is not there, where only root may write',
        reply: single(
          ...running,
          record({ files: [{ path: '/etc/sudoers.d/x', mode: '440', owner: 'root:root', text: 'all' }] }),
          'barred /etc/sudoers.d/x',
          former,
          `live ${live()}`,
        ),
        gives: { refuse: 'SAF021', what: "'/etc/sudoers.d/x' is not there any more" },
      },
      {
        title: 'nothing is ours any more',
        reply: single('server ready /system.slice/pg.service', `live ${live()}`),
        gives: { same: 'server1 is a single server: running' },
      },
      {
        title: 'it is a standby',
        reply: single(...running, `live ${live({ recovering: true })}`),
        gives: { refuse: 'SAF021', what: 'it is a standby' },
      },
      {
        title: 'the role of replication owns something',
        reply: single(...running, `live ${live({ roles: { pgduet_repl: 2 } })}`),
        gives: { refuse: 'SAF021', what: 'role pgduet_repl owns 2 objects' },
      },
      {
        title: 'the server runs and does not answer',
        reply: single(...running, 'problem psql: the database system is starting up'),
        gives: { unknown: 'starting up' },
      },
    ],
  },
];
