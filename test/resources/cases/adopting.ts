/** Cases of the kinds that take a server into the cluster that was there before it. */
import type { KindCases } from '../cases.ts';
import { live, packaged, packagedLive, reply, running } from '../single.ts';

const recorded = ['recorded 7300000000000000001'];
const adopting = (over = ''): string =>
  `{ template: conf.hbs, standbys: server2, addresses: 10.0.0.1/32, roles: pgduet_repl${over} }`;
const taking = '{ unit: mcoi_inst1, template: conf.hbs }';
const target =
  "{ rooms: [{ path: /database/inst1, bytes: 1000000000 }, { path: /space1, bytes: 1000 }], architecture: x86_64, libc: glibc 2.36, libraries: pg_stat_statements, extensions: 'plpgsql uuid-ossp', locales: 'C.UTF-8 de_DE.UTF-8', tablespaces: /space1 }";
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
        title: 'its commits wait for others',
        reply: reply(
          running,
          live({}, { synchronous_standby_names: ['*', '*', null, 'sighup', 'default', null, null, false] }),
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
        reply: reply(['wal /wal/inst1', ...running.map((line) => line.replace('version 15', 'version 13'))]),
        gives: { refuse: 'SAF030', what: '2 things stand in the way' },
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
        title: 'PostgreSQL is not there yet',
        reply: { stdout: `${fits}${free(2e9)}no programs\n` },
        gives: { unknown: 'not installed yet' },
      },
      { title: 'the host does not say', reply: { status: 1, stderr: 'no' }, gives: { unknown: 'no' } },
    ],
  },
];
