/** Cases of the kinds that look at what a host does to the instance administrator: directories of the system, and log-outs. */
import type { KindCases } from '../cases.ts';

const sockets = '{ path: /run/postgresql, for: the sockets of the instance, key: postgres.socket_dir }';
const pgadm = { owner: 'pgadm' };
const fence = '{ path: /opt/fence, key: fencing_command }';

export const surroundings: readonly KindCases[] = [
  {
    kind: 'writable',
    desired: sockets,
    key: '/run/postgresql',
    describes: '/run/postgresql for the sockets of the instance',
    errors: [{ desired: '{ for: x, key: y }', what: "'path' is missing", at: '1:1' }],
    cases: [
      {
        title: 'the administrator may write there',
        reply: { stdout: 'yes postgres:postgres 2775\n' },
        gives: { same: 'postgres may write there' },
      },
      {
        title: 'it belongs to somebody else',
        server: pgadm,
        reply: { stdout: 'no postgres:postgres 2775\n' },
        gives: { refuse: 'SAF042', what: 'is not open to pgadm (postgres:postgres 2775)' },
      },
      {
        title: 'the packages are not installed yet',
        reply: { stdout: 'absent\n' },
        gives: { same: 'the packages of PostgreSQL make it' },
      },
      {
        title: 'the packages will make it for somebody else',
        server: pgadm,
        reply: { stdout: 'absent\n' },
        gives: { refuse: 'SAF042', what: "'/run/postgresql' for the sockets of the instance is not there" },
      },
      {
        title: 'nobody makes it',
        desired: sockets.replace('/run/postgresql', '/run/mine'),
        reply: { stdout: 'absent\n' },
        gives: { refuse: 'SAF042', what: 'is not there' },
      },
      {
        title: 'another login may not ask',
        reply: { status: 1, stderr: 'only root and the instance administrator can see that' },
        gives: { unknown: 'only root' },
      },
    ],
  },
  {
    kind: 'runnable',
    desired: fence,
    key: 'fencing_command',
    describes: 'fencing_command /opt/fence',
    errors: [{ desired: '{ key: x }', what: "'path' is missing", at: '1:1' }],
    cases: [
      {
        title: 'the administrator may execute it',
        reply: { stdout: 'yes regular file, root:root 755\n' },
        gives: { same: 'postgres may execute it' },
      },
      {
        title: 'it calls sudo, which the unit does not allow',
        desired: '{ path: /opt/fence, key: fencing_command, unit: mcoi_inst1, allows: [devices] }',
        reply: { stdout: 'yes regular file, root:root 755\ngains sudo\n' },
        gives: {
          same: 'postgres may execute it',
          differences: [
            'UNT011 fencing_command: multiplexing.unit_allows without privileges → /opt/fence calls sudo',
          ],
        },
      },
      {
        title: 'it is sudo',
        desired: '{ path: /usr/bin/sudo, key: fencing_command, unit: mcoi_inst1 }',
        reply: { stdout: 'yes regular file, root:root 4755\ngains itself\n' },
        gives: {
          same: 'postgres may execute it',
          differences: [
            'UNT011 fencing_command: multiplexing.unit_allows without privileges → /usr/bin/sudo gains privileges',
          ],
        },
      },
      {
        title: 'it calls sudo, and the unit allows it',
        desired: '{ path: /opt/fence, key: fencing_command, unit: mcoi_inst1, allows: [privileges] }',
        reply: { stdout: 'yes regular file, root:root 755\ngains sudo\n' },
        gives: { same: 'postgres may execute it', differences: [] },
      },
      {
        title: 'it calls sudo, and no unit is in its way',
        reply: { stdout: 'yes regular file, root:root 755\ngains sudo\n' },
        gives: { same: 'postgres may execute it', differences: [] },
      },
      {
        title: 'it is not there',
        reply: { stdout: 'absent\n' },
        gives: {
          refuse: 'SAF095',
          what: "the program '/opt/fence' of fencing_command is not there",
          fix: 'Bring it to the host first',
        },
      },
      {
        title: 'it is no program',
        server: pgadm,
        reply: { stdout: 'no regular file, root:root 644\n' },
        gives: {
          refuse: 'SAF095',
          what: 'cannot be executed by pgadm (regular file, root:root 644)',
          fix: 'Let pgadm read and execute it',
        },
      },
      {
        title: 'its interpreter is missing',
        reply: { stdout: 'no its first line names /usr/bin/perl7, which cannot be executed\n' },
        gives: { refuse: 'SAF095', what: 'its first line names /usr/bin/perl7' },
      },
      {
        title: 'another login may not ask',
        reply: { status: 1, stderr: 'only root and the instance administrator can see that' },
        gives: { unknown: 'only root' },
      },
      { title: 'nothing comes back', reply: { stdout: '' }, gives: { unknown: 'could not be looked at' } },
    ],
  },
  {
    kind: 'shared_memory',
    desired: '{}',
    key: 'postgres',
    describes: 'shared memory of postgres',
    errors: [{ desired: '[]', what: 'a map of fields is expected here', at: '1:1' }],
    cases: [
      {
        title: 'the administrator is a user of the system',
        reply: { stdout: 'uid 105 it is a user of the system\n' },
        gives: { same: 'a user of the system' },
      },
      {
        title: 'logind leaves it alone',
        reply: { stdout: 'uid 2001 RemoveIPC is no\n' },
        gives: { same: 'RemoveIPC is no' },
      },
      {
        title: 'a log-out would take it away',
        server: pgadm,
        reply: { stdout: 'uid 2001\n' },
        gives: {
          change: 'keep systemd-logind from removing the shared memory of pgadm',
          reason: 'pgadm has the number of a person (2001)',
          differences: ['USR002 pgadm: its shared memory stays → logind removes it'],
          script: ['/etc/systemd/logind.conf.d/zz-pgduet.conf', 'RemoveIPC=no', 'kill -s HUP systemd-logind'],
        },
      },
      { title: 'nothing comes back', reply: { stdout: '' }, gives: { unknown: 'could not be looked at' } },
    ],
  },
];
