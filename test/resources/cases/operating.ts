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

interface Stopping {
  readonly record?: string;
  readonly enabled?: boolean;
  readonly controller?: boolean;
  readonly instance?: boolean;
  readonly standby?: boolean;
  readonly status?: string;
}

const down: Stopping = { controller: false, instance: false };

const stopping = (over: Stopping = {}) => {
  const {
    record,
    enabled = true,
    controller = true,
    instance = true,
    standby = false,
    status = 'switchable',
  } = over;
  const report = {
    mirroring_status: status,
    reason: null,
    advice: null,
    since: '',
    failover: 'enabled',
    servers: [],
  };
  return {
    stdout: [
      ...(record === undefined ? [] : [`stopped ${record}`]),
      `unit ${enabled ? 'enabled' : 'disabled'}`,
      ...(controller ? ['controller runs'] : []),
      ...(instance ? ['instance runs'] : []),
      ...(standby ? ['role standby'] : []),
      'looked',
      controller ? JSON.stringify(report) : 'stopped',
      '',
    ].join('\n'),
    sql: { clients: 0, transactions: [] },
  };
};

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
        title: 'others that were in sync are so again before',
        desired: "{ since: '1700000000.5', behind: [server1, server2, server3] }",
        reply: shown(live(), { more: ['status {"failover":"disabled","servers":[]}'] }),
        gives: {
          change: 'restart server1',
          reason: 'it runs since',
          script: [
            '"server_id":"server2"',
            '"server_id":"server3"',
            'server2, server3: not in sync within 120 s',
          ],
          scriptLacks: ['"server_id":"server1"'],
          effects: [{ action: 'restart', target: 'instance' }],
        },
      },
      {
        title: 'what its controller shows is just being written',
        reply: shown(live(), { more: ['status {"failover":"dis'] }),
        gives: {
          change: 'restart server1',
          reason: 'it runs since',
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
  {
    kind: 'stopped',
    desired: '{ unit: mcoi_inst1, by: anna@desk, names: [server1] }',
    key: 'server1',
    describes: 'stop of server1',
    errors: [
      { desired: '{ state: away }', what: "'state' cannot be 'away'", at: '1:10' },
      { desired: '{ all: perhaps }', what: "'all' cannot be 'perhaps'", at: '1:8' },
    ],
    cases: [
      {
        title: 'a standby, the only one in sync',
        reply: stopping({ standby: true }),
        gives: {
          change: 'stop server1',
          reason: 'it runs',
          script: [
            '/mcdir/inst1/server1.stopped 0600',
            'anna@desk',
            'systemctl --quiet --no-reload disable mcoi_inst1.service',
            'mc_ctl stop -M /mcdir/inst1 --local-server server1',
            'pg_ctl',
          ],
        },
      },
      {
        title: 'the primary, with the whole cluster, without systemd',
        desired: "{ by: anna@desk, names: [server1, server2], all: 'yes' }",
        reply: stopping({ enabled: false }),
        gives: { change: 'stop server1', reason: 'it runs', scriptLacks: ['systemctl'] },
      },
      {
        title: 'the primary alone, and a standby could take over',
        reply: stopping(),
        gives: { refuse: 'SAF063', what: 'a standby could take its place', fix: '--switch-first' },
      },
      {
        title: 'the primary alone, and automatic switching is off',
        reply: stopping({ status: 'failover-disabled' }),
        gives: { refuse: 'SAF063', what: 'a standby could take its place' },
      },
      {
        title: 'the primary alone, and its role is given away first',
        desired: '{ unit: mcoi_inst1, by: anna@desk, names: [server1], to: server2 }',
        reply: stopping(),
        gives: { change: 'stop server1', reason: 'it runs' },
      },
      {
        title: 'the primary alone, and no standby may take over',
        reply: stopping({ status: 'not-switchable' }),
        gives: { change: 'stop server1', reason: 'it runs' },
      },
      {
        title: 'the primary has no controller',
        reply: stopping({ controller: false }),
        gives: { refuse: 'SAF063', what: 'no controller runs on it', fix: 'pgduet start server1' },
      },
      {
        title: 'the primary has no controller, and all stop',
        desired: "{ unit: mcoi_inst1, names: [server1, server2], all: 'yes' }",
        reply: stopping({ controller: false }),
        gives: { change: 'stop server1', reason: 'it runs', script: ['pg_ctl'] },
      },
      {
        title: 'a former primary that is held back, while others go on',
        reply: stopping({ instance: false }),
        gives: { change: 'stop server1', reason: 'it runs' },
      },
      {
        title: 'a switch is under way',
        reply: stopping({ standby: true, status: 'switching' }),
        gives: { refuse: 'HST014', what: 'a switch is under way' },
      },
      {
        title: 'it is down and meant to be',
        reply: stopping({ ...down, enabled: false, record: '2026-11-30T09:12:00Z bob@desk' }),
        gives: {
          same: 'server1 is down and stays down: stopped with pgduet stop by bob@desk, 2026-11-30 09:12:00 UTC',
        },
      },
      {
        title: 'it is down, and nobody has said so',
        reply: stopping(down),
        gives: {
          change: 'keep server1 down',
          reason: 'nothing says that it is meant',
          script: ['/mcdir/inst1/server1.stopped 0600', 'disable'],
          scriptLacks: ['mc_ctl'],
        },
      },
      {
        title: 'it is down, and would start with its host',
        reply: stopping({ ...down, record: '2026-11-30T09:12:00Z bob@desk' }),
        gives: { change: 'keep server1 down', reason: 'would start when its host boots' },
      },
      {
        title: 'it was stopped, and runs again',
        reply: stopping({ standby: true, record: '2026-11-30T09:12:00Z bob@desk' }),
        gives: { change: 'stop server1', reason: 'although it was stopped with pgduet stop by bob@desk' },
      },
      {
        title: 'the record does not tell',
        reply: stopping({ ...down, enabled: false, record: '' }),
        gives: { same: 'stopped with pgduet stop by somebody' },
      },
      {
        title: 'it may run again',
        desired: '{ state: released, unit: mcoi_inst1 }',
        reply: stopping({ ...down, enabled: false, record: '2026-11-30T09:12:00Z bob@desk' }),
        gives: {
          change: 'end the stop of server1',
          reason: 'by bob@desk, 2026-11-30 09:12:00 UTC',
          script: ['rm -f /mcdir/inst1/server1.stopped', 'enable mcoi_inst1.service'],
        },
      },
      {
        title: 'nothing keeps it down',
        desired: '{ state: released, unit: mcoi_inst1 }',
        reply: stopping(),
        gives: { same: 'nothing keeps server1 down' },
      },
      {
        title: 'the controller does not answer',
        reply: {
          ...stopping(),
          stdout: 'controller runs\ninstance runs\nlooked\n',
          stderr: 'no answer within 5 s',
        },
        gives: { unknown: 'no answer within 5 s' },
      },
      {
        title: 'the management directory is closed',
        reply: { stdout: 'closed /mcdir/inst1\n' },
        gives: { unknown: '/mcdir/inst1' },
      },
      {
        title: 'the look broke off',
        reply: { status: 1, stdout: 'unit enabled\n', stderr: 'systemctl failed' },
        gives: { unknown: 'systemctl failed' },
      },
    ],
  },
];
