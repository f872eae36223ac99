/** Cases of the kinds that a switch is made of: the switch itself with what forbids it, and room on a disk. */
import type { KindCases } from '../cases.ts';

const standby = {
  server_id: 'server2',
  host_role: 'standby',
  instance: 'running',
  sync_state: 'sync',
  lag_bytes: 0,
};
const report = (over: Record<string, unknown> = {}, target: Record<string, unknown> = {}): string =>
  JSON.stringify({
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    failover: 'enabled',
    servers: [
      {
        server_id: 'server1',
        host_role: 'primary',
        instance: 'running',
        sync_state: null,
        controller_version: '1',
      },
      { ...standby, controller_version: '1', ...target },
    ],
    ...over,
  });
const heldByAlice = {
  server: 'server2',
  stage: 'open',
  by: 'alice',
  since: '2026-11-30T10:00:00.000Z',
  until: null,
  overdue: false,
  seconds_left: null,
  reason: 'new disks',
};
const live = (over: Record<string, unknown> = {}) => ({
  timeline: 1,
  clients: 0,
  transactions: [],
  receivers: [],
  prepared: [],
  archiver: null,
  ...over,
});
const seen = (text = report(), sql = live(), ready = 0) => ({ stdout: `ready ${ready}\n${text}\n`, sql });
const failing = { failing: true, lastFailed: '000000010000000000000007', failedCount: 3 };

export const switching: readonly KindCases[] = [
  {
    kind: 'switchover',
    desired: '{ to: server2 }',
    key: 'server2',
    describes: 'server2 as primary',
    errors: [{ desired: '{}', what: "'to' is missing", at: '1:1' }],
    cases: [
      {
        title: 'the standby is in sync',
        reply: seen(),
        gives: {
          change: 'make server2 primary; server1 follows it',
          reason: 'switchable; server2 is sync, 0 B behind',
          script: ['switch --to server2 -M /mcdir/inst1 --local-server server1', 'pg_isready'],
        },
      },
      {
        title: 'a person allows more time for the replay',
        desired: "{ to: server2, max_wait: '300' }",
        reply: seen(),
        gives: {
          change: 'make server2 primary; server1 follows it',
          reason: 'switchable; server2 is sync, 0 B behind',
          script: ['switch --to server2 --max-wait 300 -M /mcdir/inst1'],
        },
      },
      {
        title: 'the server is primary itself',
        desired: '{ to: server1 }',
        reply: { sql: live({ timeline: 4 }) },
        gives: { same: 'server1 is primary, with timeline 4' },
      },
      {
        title: 'it has become primary meanwhile',
        reply: seen(
          report({ servers: [{ ...standby, host_role: 'primary' }] }, { host_role: 'primary' }),
          live({ timeline: 2 }),
        ),
        gives: { same: 'server2 is primary' },
      },
      {
        title: 'the standby is out',
        reply: seen(report({ mirroring_status: 'not-switchable', reason: 'server2 is not heard' })),
        gives: { refuse: 'SAF010', what: "the controllers say 'not-switchable'" },
      },
      {
        title: 'automatic switching is off, which forbids nothing',
        reply: seen(report({ mirroring_status: 'failover-disabled', failover: 'disabled' })),
        gives: { change: 'make server2 primary', reason: 'failover-disabled' },
      },
      {
        title: 'another standby is in sync, this one is not',
        reply: seen(report({}, { sync_state: 'async' })),
        gives: { refuse: 'SAF010', what: 'not synchronously (async)' },
      },
      {
        title: 'another standby is in sync, this one does not stream',
        reply: seen(report({}, { sync_state: null })),
        gives: { refuse: 'SAF010', what: 'it does not stream' },
      },
      {
        title: 'the archiver fails',
        reply: seen(report(), live({ archiver: failing }), 4),
        gives: { refuse: 'SAF010', what: 'the archiver fails, and 4 WAL files wait for it' },
      },
      {
        title: 'the archiver has failed once, and nothing waits for it',
        reply: seen(report(), live({ archiver: failing })),
        gives: { change: 'make server2 primary', reason: 'switchable' },
      },
      {
        title: 'no controller runs',
        reply: { stdout: 'ready 0\nstopped\n', sql: live() },
        gives: { refuse: 'SAF010', what: 'no controller runs on server1' },
      },
      {
        title: 'the controller does not answer',
        reply: { status: 1, stdout: 'ready 0\n', stderr: 'no answer within 5 s', sql: live() },
        gives: { unknown: 'no answer within 5 s' },
      },
      {
        title: 'the instance does not answer',
        reply: { stdout: 'ready 0\n', sqlProblem: 'connection refused' },
        gives: { unknown: 'connection refused' },
      },
    ],
  },
  {
    kind: 'room',
    desired: '{ path: /database/inst1, at_least: 256MB, for: a primary }',
    key: '/database/inst1',
    describes: 'room in /database/inst1',
    errors: [
      { desired: '{ path: /x, at_least: much, for: me }', what: "must be a size, not 'much'", at: '1:23' },
    ],
    cases: [
      { title: 'there is enough', reply: { stdout: '268435456\n' }, gives: { same: '256 MB free' } },
      {
        title: 'there is too little',
        reply: { stdout: '1048576\n' },
        gives: { refuse: 'SAF011', what: 'has 1.0 MB left, and 256 MB are wanted for a primary' },
      },
      {
        title: 'df does not answer',
        reply: { status: 1, stderr: 'df: /x: No such file or directory' },
        gives: { unknown: 'No such file' },
      },
    ],
  },
  {
    kind: 'failover',
    desired: "{ state: 'off', declared: automatic, leads: 'yes' }",
    key: 'automatic switching',
    describes: 'automatic switching off on server1',
    errors: [{ desired: '{ state: maybe }', what: "'state' cannot be 'maybe'", at: '1:10' }],
    cases: [
      {
        title: 'it is on',
        reply: { stdout: report() },
        gives: {
          change: 'turn automatic switching off',
          reason: 'it is enabled',
          script: ['mc_ctl', 'disable-failover -M /mcdir/inst1 --local-server server1'],
        },
      },
      {
        title: 'it is off',
        reply: { stdout: report({ failover: 'disabled', mirroring_status: 'failover-disabled' }) },
        gives: { same: 'automatic switching is off on server1' },
      },
      {
        title: 'it is to be on again',
        desired: "{ state: 'on' }",
        reply: { stdout: report({ failover: 'disabled' }) },
        gives: {
          change: 'turn automatic switching on',
          reason: 'it is disabled',
          script: ['enable-failover'],
        },
      },
      {
        title: 'no controller runs on the primary',
        reply: { stdout: 'stopped' },
        gives: { refuse: 'SAF014', what: 'no controller runs on server1' },
      },
      {
        title: 'no controller runs on a standby',
        desired: "{ state: 'off' }",
        reply: { stdout: 'stopped' },
        gives: { same: 'no controller runs on server1: it hears from the others' },
      },
      {
        title: 'the controller gives no answer',
        reply: { stdout: '', stderr: 'mc_ctl: the controller did not answer' },
        gives: { unknown: 'did not answer' },
      },
    ],
  },
  {
    kind: 'maintenance',
    desired: '{ server: server2, state: open, by: alice, reason: new disks, expected: 120m }',
    key: 'server2',
    describes: 'server2 in maintenance',
    errors: [
      { desired: '{ server: server2, state: closed }', what: "'state' cannot be 'closed'", at: '1:27' },
    ],
    cases: [
      {
        title: 'it is the only standby that commits wait for',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { refuse: 'SAF016', what: 'no commit would wait for any standby while server2 is out' },
      },
      {
        title: 'it is the only one, and that is meant',
        desired: "{ server: server2, state: open, by: alice, reason: it's new, alone: true }",
        reply: { stdout: report({ maintenance: [] }) },
        gives: {
          change: 'take server2 out for maintenance, by alice',
          reason: 'it counts as a standby',
          script: [`mc_ctl`, `maintenance begin --server server2 --by alice --reason 'it'\\''s new' --alone`],
        },
      },
      {
        title: 'it is the only one, and what it lacks then is kept',
        desired: '{ server: server2, state: open, by: alice, expected: 120m, alone: true }',
        reply: {
          stdout: `room 1000\n${report({ maintenance: [] })}`,
          sql: { walPerSecond: 1048576, walKept: 1073741824, slotLimit: -1, slots: {} },
        },
        gives: {
          change: 'take server2 out for maintenance, by alice',
          reason: 'it counts as a standby',
          notes: [
            'server1 keeps 1.0 GB of WAL for it (wal_keep_size), enough for 17 min 4 s',
            'that is not enough for the 120 min 0 s that are expected',
          ],
          script: ['maintenance begin --server server2'],
        },
      },
      {
        title: 'its slot keeps all that it lacks',
        desired: '{ server: server2, state: open, by: alice, alone: true }',
        reply: {
          stdout: `room 1048576\n${report({ maintenance: [] })}`,
          sql: { walPerSecond: null, walKept: 0, slotLimit: -1, slots: { server2: 'old' } },
        },
        gives: {
          change: 'take server2 out for maintenance, by alice',
          reason: 'it counts as a standby',
          notes: ['without a limit: 1.0 MB are free there; a full disk stops server1'],
          script: ['maintenance begin --server server2'],
        },
      },
      {
        title: 'it is out already',
        desired: '{ server: server2, state: open, by: alice }',
        reply: { stdout: report({ maintenance: [heldByAlice] }) },
        gives: { same: 'server2 is in maintenance by alice since 2026-11-30 10:00 UTC: new disks' },
      },
      {
        title: 'somebody else has it',
        desired: '{ server: server2, state: open, by: bob }',
        reply: { stdout: report({ maintenance: [heldByAlice] }) },
        gives: { refuse: 'SAF016', what: 'in maintenance by alice' },
      },
      {
        title: 'it is the primary',
        desired: '{ server: server1, state: open, by: alice }',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { refuse: 'SAF016', what: 'server1 is the primary' },
      },
      {
        title: 'the controller does not know it',
        reply: { stdout: report() },
        gives: { refuse: 'SAF016', what: 'of an earlier version' },
      },
      {
        title: 'no controller runs',
        reply: { stdout: 'stopped' },
        gives: { refuse: 'SAF016', what: 'no controller runs on server1' },
      },
      {
        title: 'it is to end',
        desired: '{ server: server2, state: over, by: alice }',
        reply: { stdout: report({ maintenance: [heldByAlice] }) },
        gives: {
          change: 'end the maintenance of server2',
          reason: 'server2 is in maintenance by alice',
          script: [`maintenance end --server server2 --by alice`],
        },
      },
      {
        title: 'that of somebody else is to end',
        desired: '{ server: server2, state: over, by: bob }',
        reply: { stdout: report({ maintenance: [heldByAlice] }) },
        gives: { refuse: 'SAF016', what: 'in maintenance by alice' },
      },
      {
        title: 'the controller gives no answer to that',
        reply: { stdout: '', stderr: 'mc_ctl: the controller did not answer' },
        gives: { unknown: 'did not answer' },
      },
      {
        title: 'it has ended',
        desired: '{ server: server2, state: over, by: alice }',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { same: 'server2 is in no maintenance' },
      },
    ],
  },
  {
    kind: 'detachment',
    desired: '{ server: server2, state: out }',
    key: 'server2',
    describes: 'server2 taken out',
    errors: [{ desired: '{ server: server2, state: off }', what: "'state' cannot be 'off'", at: '1:27' }],
    cases: [
      {
        title: 'it is the only standby',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { refuse: 'SAF017', what: 'no commit would wait for any standby' },
      },
      {
        title: 'it is the only one, and that is meant',
        desired: '{ server: server2, state: out, alone: true }',
        reply: { stdout: report({ maintenance: [] }) },
        gives: {
          change: 'take server2 out: commits do not wait for it',
          reason: 'commits wait for it (sync)',
          script: ['detach --server server2 -M /mcdir/inst1'],
        },
      },
      {
        title: 'it is out',
        reply: { stdout: report({ maintenance: [] }, { detached: true }) },
        gives: { same: 'server2 is out' },
      },
      {
        title: 'no commit waits for it',
        reply: { stdout: report({ maintenance: [] }, { sync_state: 'async' }) },
        gives: { same: 'no commit waits for server2' },
      },
      {
        title: 'its host is gone, and commits wait for it all the same',
        desired: '{ server: server2, state: out, alone: true }',
        reply: { stdout: report({ maintenance: [] }, { sync_state: null, waited_for: true }) },
        gives: { change: 'take server2 out', reason: 'commits wait for it (it does not stream)' },
      },
      {
        title: 'it is the primary',
        desired: '{ server: server1, state: out }',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { refuse: 'SAF017', what: 'server1 is the primary' },
      },
      {
        title: 'the controller takes none that is named',
        reply: { stdout: report() },
        gives: { refuse: 'SAF017', what: 'of an earlier version' },
      },
      {
        title: 'it is let in',
        desired: '{ server: server2, state: in }',
        reply: { stdout: report({ maintenance: [] }, { detached: true }) },
        gives: {
          change: 'let server2 in again',
          reason: 'a person has taken it out',
          script: ['attach --server server2'],
        },
      },
      {
        title: 'it is in',
        desired: '{ server: server2, state: in }',
        reply: { stdout: report({ maintenance: [] }) },
        gives: { same: 'no person has taken server2 out' },
      },
      {
        title: 'no controller runs there',
        reply: { stdout: 'stopped' },
        gives: { refuse: 'SAF017', what: 'no controller runs on server1' },
      },
      {
        title: 'the controller says nothing',
        reply: { stdout: '', stderr: 'mc_ctl: the controller did not answer' },
        gives: { unknown: 'did not answer' },
      },
    ],
  },
];
