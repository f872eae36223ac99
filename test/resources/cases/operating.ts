/** Cases of the kinds by which an operator has servers read their files, restart, stop and start. */
import type { KindCases } from '../cases.ts';

const live = (over: Record<string, unknown> = {}) => ({
  started: '1700000000.5',
  loaded: '1700000100.5',
  recovery: false,
  errors: [],
  rules: [],
  idents: [],
  pending: [],
  limits: {},
  clients: 0,
  transactions: [],
  ...over,
});

interface Shown {
  readonly instance?: boolean;
  readonly controller?: boolean;
  readonly written?: number;
  readonly configured?: number;
  readonly more?: readonly string[];
}

const shown = (sql = live(), over: Shown = {}) => {
  const {
    instance = true,
    controller = true,
    written = 1700000000,
    configured = 1700000000,
    more = [],
  } = over;
  return {
    stdout: [
      ...(instance ? ['instance runs'] : []),
      `written ${written}`,
      ...(controller ? ['controller 1700000100.25'] : []),
      `configured ${configured}`,
      ...more,
      'looked\n',
    ].join('\n'),
    ...(instance ? { sql } : { sqlProblem: 'no socket' }),
  };
};

const fileError = (over: Record<string, unknown>) => ({
  name: null,
  file: '/database/inst1/postgresql.conf',
  line: 7,
  error: 'syntax error',
  context: null,
  ...over,
});
const notYet = fileError({
  name: 'max_connections',
  error: 'setting could not be applied',
  context: 'postmaster',
});

export const operatingCases: readonly KindCases[] = [
  {
    kind: 'reloaded',
    desired: "{ unit: mcoi_inst1, since: '1700000100.5' }",
    key: 'files read',
    describes: 'files read by server1',
    errors: [{ desired: '{ since: [] }', what: "'since'", at: '1:10' }],
    cases: [
      {
        title: 'it has read them before',
        reply: shown(),
        gives: {
          change: 'make the instance and the controller of server1 read their files',
          reason: 'read last 2023-11-14 22:15:00 UTC',
          script: ['pg_reload_conf()', 'systemctl reload mcoi_inst1', 'has not taken its files over'],
        },
      },
      {
        title: 'without systemd the controller gets a signal',
        desired: "{ since: '1700000100.5' }",
        reply: shown(),
        gives: {
          change: 'make the instance',
          reason: 'read last',
          script: ['kill -HUP', 'peek tail -n 8 /mcdir/inst1/server1.log'],
          scriptLacks: ['systemctl'],
        },
      },
      {
        title: 'it has read them since, and one setting waits',
        desired: "{ since: '1700000000' }",
        reply: shown(live({ pending: ['shared_buffers'] })),
        gives: { same: 'in force after a restart only: shared_buffers' },
      },
      {
        title: 'a setting that it has not read yet waits for a restart, which is no mistake',
        reply: shown(live({ errors: [notYet] })),
        gives: { change: 'make the instance', reason: 'read last' },
      },
      {
        title: 'a line cannot be read',
        reply: shown(live({ errors: [fileError({})] })),
        gives: { refuse: 'SAF046', what: '/database/inst1/postgresql.conf:7: syntax error' },
      },
      {
        title: 'a value is wrong that can change while the server runs',
        reply: shown(live({ errors: [{ ...notYet, name: 'work_mem', context: 'user' }, notYet] })),
        gives: { refuse: 'SAF046', what: 'work_mem: setting could not be applied' },
      },
      {
        title: 'a rule cannot be read',
        reply: shown(
          live({
            rules: [
              fileError({ file: '/database/inst1/pg_hba.conf', line: 3, error: 'invalid type "hots"' }),
            ],
          }),
        ),
        gives: { refuse: 'SAF046', what: '/database/inst1/pg_hba.conf:3: invalid type' },
      },
      {
        title: 'a map cannot be read',
        reply: shown(
          live({
            idents: [fileError({ file: '/database/inst1/pg_ident.conf', line: 2, error: 'missing entry' })],
          }),
        ),
        gives: { refuse: 'SAF046', what: 'pg_ident.conf:2: missing entry' },
      },
      {
        title: 'a value that only a restart would try is none',
        reply: shown(live({ errors: [notYet] }), {
          more: ['wrong FATAL:  invalid value for parameter "max_connections": "many"'],
        }),
        gives: { refuse: 'SAF046', what: 'invalid value for parameter "max_connections"' },
      },
      {
        title: 'nothing is newer',
        desired: '{}',
        reply: shown(),
        gives: { same: 'files read 2023-11-14 22:15:00 UTC' },
      },
      {
        title: 'a file of the instance is newer',
        desired: '{}',
        reply: shown(live(), { written: 1700000200 }),
        gives: { change: 'make the instance', reason: 'the instance has older ones' },
      },
      {
        title: 'a file of the controller is newer',
        desired: '{}',
        reply: shown(live(), { configured: 1700000200 }),
        gives: { change: 'make the instance', reason: 'the controller has older ones' },
      },
      {
        title: 'only the controller runs',
        reply: shown(live(), { instance: false, configured: 1700000200 }),
        gives: {
          change: 'make the controller of server1 read its files',
          reason: 'the controller has older ones',
        },
      },
      {
        title: 'only the instance runs',
        desired: "{ since: '1700000000' }",
        reply: shown(live(), { controller: false }),
        gives: { same: 'no controller runs' },
      },
      {
        title: 'nothing runs',
        reply: shown(live(), { instance: false, controller: false }),
        gives: { same: 'server1 does not run: it reads its files when it starts' },
      },
      {
        title: 'the instance does not answer',
        reply: { ...shown(), sql: undefined, sqlProblem: 'too many clients' },
        gives: { unknown: 'too many clients' },
      },
      {
        title: 'the management directory is closed',
        reply: { stdout: 'closed /mcdir/inst1\n' },
        gives: { unknown: '/mcdir/inst1' },
      },
      {
        title: 'the look broke off',
        reply: { status: 1, stdout: 'instance runs\n', stderr: 'stat failed' },
        gives: { unknown: 'stat failed' },
      },
    ],
  },
  {
    kind: 'restarted',
    desired: "{ since: '1700000000.5', primary: server2 }",
    key: 'server1',
    describes: 'restart of server1',
    errors: [{ desired: '{ by_switch: perhaps }', what: "'by_switch' cannot be 'perhaps'", at: '1:14' }],
    cases: [
      {
        title: 'it runs since before',
        reply: shown(),
        gives: {
          change: 'restart server1',
          reason: 'it runs since 2023-11-14 22:13:20 UTC',
          effects: [{ action: 'restart', target: 'instance' }],
          noSteps: true,
        },
      },
      {
        title: 'a setting waits for it, also one that was not read yet',
        reply: shown(live({ pending: ['shared_buffers'], errors: [notYet] })),
        gives: {
          change: 'restart server1',
          reason: 'in force only then: shared_buffers, max_connections',
          effects: [{ action: 'restart', target: 'instance' }],
          noSteps: true,
        },
      },
      {
        title: 'it was restarted',
        desired: "{ since: '1600000000' }",
        reply: shown(live({ pending: ['shared_buffers'] })),
        gives: { same: 'server1: restarted 2023-11-14 22:13:20 UTC' },
      },
      {
        title: 'nothing waits for it',
        desired: '{}',
        reply: shown(),
        gives: { same: 'nothing waits for a restart' },
      },
      {
        title: 'something waits for it',
        desired: '{}',
        reply: shown(live({ pending: ['shared_buffers'] })),
        gives: {
          change: 'restart server1',
          reason: 'in force only then: shared_buffers',
          effects: [{ action: 'restart', target: 'instance' }],
          noSteps: true,
        },
      },
      {
        title: 'it does not run',
        reply: shown(live(), { instance: false }),
        gives: { refuse: 'SAF060', what: 'it does not run', fix: 'pgduet start server1' },
      },
      {
        title: 'it runs without a controller',
        reply: shown(live(), { controller: false }),
        gives: { refuse: 'SAF060', what: 'no controller runs on it' },
      },
      {
        title: 'it would not start again',
        reply: shown(live({ errors: [fileError({})] })),
        gives: { refuse: 'SAF046', what: 'server1 would not start again: /database/inst1/postgresql.conf:7' },
      },
      {
        title: 'a standby would have less than its primary',
        reply: shown(live({ recovery: true, limits: { max_connections: '50' } }), {
          more: ['limit max_connections=100', 'limit max_wal_senders=10'],
        }),
        gives: {
          refuse: 'SAF061',
          what: 'max_connections is 50 in its files, and 100 on server2',
          fix: 'pgduet restart server2',
        },
      },
      {
        title: 'a standby has more than its primary',
        reply: shown(live({ recovery: true, limits: { max_connections: '200' } }), {
          more: ['limit max_connections=100'],
        }),
        gives: {
          change: 'restart server1',
          reason: 'it runs since',
          effects: [{ action: 'restart', target: 'instance' }],
          noSteps: true,
        },
      },
      {
        title: 'the instance does not answer',
        reply: { ...shown(), sql: undefined, sqlProblem: 'too many clients' },
        gives: { unknown: 'too many clients' },
      },
    ],
  },
];
