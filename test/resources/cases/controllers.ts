/** Cases of the kinds that deal with the Mirroring Controller: that it runs with its files, and that it says "switchable". */
import type { KindCases } from '../cases.ts';

const report = (over: Record<string, unknown> = {}, instance = 'running'): string =>
  JSON.stringify({
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    config_loaded: 200,
    started: 200,
    servers: [row('server1', { instance })],
    ...over,
  });
const row = (server_id: string, over: Record<string, unknown> = {}) => ({
  server_id,
  host_role: 'primary',
  host_status: 'normal',
  db_proc_status: 'normal',
  disk_status: 'normal',
  instance: 'running',
  detached: false,
  ...over,
});
const copy = { takeover: 'allowed', takeover_priority: 100, replication: 'asynchronous' };
const former = row('server1', { host_role: 'none(inactivated primary)', instance: 'stopped' });
/** server2 has taken over from server1. */
const takenOver = {
  mirroring_status: 'switched',
  reason: 'server1 is no standby of server2',
  since: '2026-11-20T15:46:37.492Z',
  servers: [former, row('server2')],
};
/** The line of times, then what the instance or the controller says: began 200, files read 200, the oldest written 50. */
const seen = (says: string, config = 100, bundle = 100): string =>
  `200 ${bundle} 200 50 ${config}\n${says}\n`;
const managed = '{ unit: mcoi_inst1, bundle: /usr/local/lib/pgduet/mc.cjs }';

export const controllers: readonly KindCases[] = [
  {
    kind: 'controller',
    desired: managed,
    key: 'running',
    describes: 'Mirroring Controller and instance of server1',
    errors: [
      { desired: '{}', what: "'bundle' is missing", at: '1:1' },
      { desired: '{ timeout: long, bundle: /x }', what: "not 'long'", at: '1:12' },
    ],
    cases: [
      { title: 'it runs with its files', reply: { stdout: seen('ready') }, gives: { same: 'instance run' } },
      {
        title: 'it does not run, and systemd starts it',
        reply: { stdout: 'stopped 1700000000\n' },
        tells: [{ code: 'CTL001', object: 'server1', since: 1_700_000_000 }],
        gives: {
          change: 'start the Mirroring Controller',
          reason: 'does not run',
          script: ['systemctl start mcoi_inst1'],
        },
      },
      {
        title: 'it does not run, and nobody but mc_ctl starts it',
        desired: '{ bundle: /x }',
        reply: { stdout: 'stopped\n' },
        gives: {
          change: 'start the Mirroring Controller',
          reason: 'does not run',
          script: ['start -w -M /mcdir/inst1 --local-server server1'],
        },
      },
      {
        title: 'it does not run, as a person has asked',
        desired: '{ bundle: /x, stopped: stopped with pgduet stop by anna@desk }',
        reply: { stdout: 'stopped 1700000000\n' },
        gives: {
          degraded: 'server1 is down, as a person has asked: stopped with pgduet stop by anna@desk',
          why: 'until a person starts it',
          fix: 'pgduet start server1',
        },
      },
      {
        title: 'it runs, although a person has stopped it',
        desired: '{ bundle: /x, stopped: stopped with pgduet stop by anna@desk }',
        reply: { stdout: seen('ready') },
        tells: [{ code: 'CTL013', object: 'server1', found: 'it runs' }],
        gives: {
          same: 'instance run',
          differences: ['CTL013 server1: down: stopped with pgduet stop by anna@desk → it runs'],
        },
      },
      {
        title: 'its instance was stopped',
        reply: {
          stdout: seen(
            report({ servers: [row('server1', { instance: 'stopped', since: '2026-11-20T12:00:03.500Z' })] }),
          ),
        },
        tells: [{ code: 'CTL008', found: 'stopped', since: Date.UTC(2026, 10, 20, 12, 0, 3, 500) / 1000 }],
        gives: {
          change: 'start the instance',
          reason: 'it is stopped',
          script: ['systemctl restart mcoi_inst1'],
        },
      },
      {
        title: 'its instance was stopped, and nobody but mc_ctl starts it',
        desired: '{ bundle: /x }',
        reply: { stdout: seen(report({}, 'stopped')) },
        gives: { change: 'start the instance', reason: 'stopped', script: ['stop --mc-only', 'start -w'] },
      },
      {
        title: 'its instance waits for its primary',
        reply: { stdout: seen(report({}, 'waiting')) },
        gives: { change: 'wait for the instance', reason: 'waiting', script: ['pg_isready'] },
      },
      {
        title: 'another server has taken over from it',
        reply: { stdout: seen(report(takenOver)) },
        gives: { degraded: 'server1 is out', why: 'server2 has taken over', fix: 'pgduet rebuild server1' },
      },
      {
        title: 'a switch is under way',
        reply: {
          stdout: seen(
            report({
              mirroring_status: 'switching',
              reason: 'server1 hands over to server2',
              servers: [former, row('server2', { host_role: 'standby' })],
            }),
          ),
        },
        gives: { refuse: 'HST014', what: 'server1 hands over to server2' },
      },
      {
        title: 'it has given its role to a server that is not heard any more',
        reply: {
          stdout: seen(
            report(
              {
                mirroring_status: 'not-switchable',
                reason: 'server1 has given its role to server2, which is not heard any more',
                advice: 'on server2: mc_ctl start',
                undecided: ['server2'],
              },
              'stopped',
            ),
          ),
        },
        gives: {
          degraded: 'server2 may still become primary',
          why: 'server1 has given its role to server2',
          fix: 'on server2: mc_ctl start',
        },
      },
      {
        title: 'its instance is slow to answer',
        reply: { stdout: seen(report({}, 'silent')) },
        gives: { same: 'run' },
      },
      {
        title: 'its program is older than the file',
        reply: { stdout: seen('ready', 100, 300) },
        tells: [{ code: 'CTL002', object: '/usr/local/lib/pgduet/mc.cjs', since: 300 }],
        gives: {
          change: 'restart the Mirroring Controller',
          reason: 'newer',
          effects: [{ action: 'restart', target: 'controller', inTurn: true }],
          noSteps: true,
        },
      },
      {
        title: 'its configuration is newer than what it has read',
        reply: { stdout: seen('ready', 300, 100) },
        tells: [{ code: 'CTL003', since: 300 }],
        gives: {
          change: 'read its files',
          reason: 'newer',
          effects: [{ action: 'reload', target: 'controller' }],
          noSteps: true,
        },
      },
      {
        title: 'neither the instance nor the controller answers',
        reply: { status: 1, stdout: seen(''), stderr: 'mc_ctl: the controller does not answer' },
        gives: { unknown: 'does not answer' },
      },
      {
        title: 'its answer was cut off',
        reply: { stdout: seen('{"servers": [') },
        gives: { unknown: 'servers' },
      },
      {
        title: 'the times are no times',
        reply: { stdout: 'now and then, or so\nready\n' },
        gives: { unknown: 'looked at' },
      },
    ],
  },
  {
    kind: 'controller_version',
    desired: '{ at_most: 0.10.0 }',
    key: 'not newer',
    describes: 'the controller of server1 is no newer one than 0.10.0',
    errors: [{ desired: '{}', what: "'at_most' is missing", at: '1:1' }],
    cases: [
      { title: 'nothing has run here', reply: { stdout: 'looked\n' }, gives: { same: 'no newer' } },
      {
        title: 'the same and an older one',
        reply: { stdout: '0.9.1 0\n0.10.0 1\nlooked\n' },
        gives: { same: 'no newer' },
      },
      {
        title: 'a release candidate of the same',
        reply: { stdout: '0.10.0-rc.2 0\nlooked\n' },
        gives: { same: 'no newer' },
      },
      {
        title: 'a newer one has written the state file',
        reply: { stdout: '0.10.1 0\n0.9.0 1\nlooked\n' },
        gives: {
          refuse: 'SAF013',
          what: 'version 0.10.1 has run for server1, and this pgduet would bring 0.10.0',
          fix: 'Use pgduet 0.10.1 or newer',
        },
      },
      {
        title: 'a newer one runs',
        reply: { stdout: '1.0.0 1\nlooked\n' },
        gives: { refuse: 'SAF013', what: 'version 1.0.0', fix: 'pgduet --version' },
      },
      {
        title: 'the directory cannot be looked into',
        reply: { stdout: 'closed /mcdir/inst1\nlooked\n' },
        gives: { unknown: '/mcdir/inst1' },
      },
    ],
  },
  {
    kind: 'duty',
    desired: '{ takeover: allowed, priority: 100, replication: asynchronous }',
    key: 'told',
    describes: 'what server1 may do',
    errors: [
      { desired: '{ takeover: seldom }', what: "'takeover' cannot be 'seldom'", at: '1:13' },
      { desired: '{ priority: high }', what: "not 'high'", at: '1:13' },
    ],
    cases: [
      {
        title: 'it is told, and commits do not wait for it',
        reply: { stdout: report({ servers: [row('server1', { ...copy, sync_state: 'async' })] }) },
        gives: { same: 'an asynchronous copy' },
      },
      {
        title: 'it is told, and commits wait for it still',
        reply: { stdout: report({ servers: [row('server1', { ...copy, sync_state: 'potential' })] }) },
        gives: {
          change: 'wait until the controllers know: an asynchronous copy',
          reason: 'sync_state potential',
          script: ['"server_id":"server1"[^}]*"sync_state":("async"|null)[^}]*"takeover":"allowed"'],
          differences: [
            'CTL010 server1: commits do not wait for it → sync_state potential < mc_ctl status on server1',
          ],
        },
      },
      {
        title: 'its controller has another one in force',
        desired: '{ takeover: never }',
        reply: { stdout: report({ servers: [row('server1', { ...copy, replication: 'synchronous' })] }) },
        gives: {
          change: 'it takes over only by a person',
          reason: 'it may take over, with priority 100',
          differences: [
            'CTL009 server1: it takes over only by a person → it may take over, with priority 100 < mc_ctl status on server1',
          ],
        },
      },
      {
        title: 'an older controller tells none',
        desired: '{}',
        reply: { stdout: report() },
        gives: { change: 'wait', reason: 'it tells no duty' },
        tells: [{ code: 'CTL009', object: 'server1' }],
      },
      { title: 'no controller runs', reply: { stdout: 'stopped\n' }, gives: { same: 'copy' } },
      {
        title: 'nobody may look',
        reply: { stdout: 'closed /mcdir/inst1\n' },
        gives: { unknown: '/mcdir/inst1' },
      },
    ],
  },
  {
    kind: 'mirroring',
    desired: '{}',
    key: 'switchable',
    describes: "status 'switchable' on server1",
    errors: [{ desired: '{ failover: off }', what: "'failover' cannot be 'off'", at: '1:13' }],
    cases: [
      { title: 'a switch is possible', reply: { stdout: report() }, gives: { same: 'switchable' } },
      {
        title: 'switching was turned off on purpose',
        reply: { stdout: report({ mirroring_status: 'failover-disabled' }) },
        gives: { same: 'failover-disabled' },
      },
      {
        title: 'the standby is out',
        reply: { stdout: report({ mirroring_status: 'not-switchable', reason: 'server2 is not heard' }) },
        gives: {
          change: 'wait until',
          reason: "'not-switchable': server2 is not heard",
          script: ['until controller /mcdir/inst1/server1.pid', 'whole "$mc"', 'mc_ctl status'],
        },
        tells: [{ code: 'CTL007', object: 'server1', found: 'not-switchable: server2 is not heard' }],
      },
      {
        title: 'another server has taken over, and the former primary is held back',
        reply: { stdout: report(takenOver) },
        gives: { degraded: 'server1 is out', why: 'server2 has taken over', fix: 'pgduet rebuild server1' },
      },
      {
        title: 'a person has taken the standby out',
        reply: {
          stdout: report({
            mirroring_status: 'not-switchable',
            servers: [row('server1'), row('server2', { host_role: 'standby', detached: true })],
          }),
        },
        gives: { degraded: 'server2 is out', why: 'mc_ctl detach', fix: 'Restart its instance' },
      },
      {
        title: 'a copy holds what the new primary does not have, and another standby may take over',
        reply: {
          stdout: report({
            servers: [
              row('server1'),
              row('server2', { host_role: 'standby' }),
              row('server3', { host_role: 'standby', parted: true }),
            ],
          }),
        },
        gives: { degraded: 'server3 is out', why: 'server1 does not have', fix: 'pgduet rebuild server3' },
      },
      {
        title: 'one of two standbys has no disk, and the other one may take over',
        reply: {
          stdout: report({
            servers: [
              row('server1'),
              row('server2', { host_role: 'standby' }),
              row('server3', { host_role: 'standby', disk_status: 'abnormal(data)' }),
            ],
          }),
        },
        gives: { degraded: 'server3 is out', why: 'abnormal(data)', fix: 'Repair the disk of server3' },
      },
      {
        title: 'a switch is under way',
        reply: { stdout: report({ mirroring_status: 'switching', reason: 'server2 is taking over' }) },
        gives: { change: 'wait until', reason: "'switching': server2 is taking over" },
      },
      {
        title: 'switching is off, and declared on',
        desired: '{ failover: automatic }',
        reply: { stdout: report({ mirroring_status: 'failover-disabled', failover: 'disabled' }) },
        gives: { same: 'failover-disabled' },
        tells: [
          {
            code: 'CTL004',
            repair: '`/usr/local/bin/mc_ctl enable-failover -M /mcdir/inst1` on server1 as postgres',
          },
        ],
      },
      {
        title: 'switching is on, and declared off',
        desired: '{ failover: manual }',
        reply: { stdout: report({ failover: 'enabled' }) },
        gives: { same: 'switchable' },
        tells: [{ code: 'CTL005', declared: 'manual', found: 'enabled' }],
      },
      {
        title: 'the controllers are of two versions',
        reply: {
          stdout: report({
            servers: [
              row('server1', { controller_version: '0.1.0' }),
              row('server2', { host_role: 'standby', controller_version: '0.2.0' }),
              row('server3', { host_role: 'standby', controller_version: null }),
            ],
          }),
        },
        gives: { same: 'switchable' },
        tells: [{ code: 'CTL006', found: 'server1: 0.1.0, server2: 0.2.0' }],
      },
      {
        title: 'the controllers do not hear each other, and WAL flows',
        reply: {
          stdout: report({
            servers: [
              row('server1'),
              row('server2', { host_role: 'standby', host_status: 'abnormal', sync_state: 'sync' }),
              row('server3', { host_role: 'standby', host_status: 'abnormal', sync_state: null }),
            ],
          }),
        },
        gives: { same: 'switchable' },
        tells: [{ code: 'NET002', object: 'server2' }],
      },
      {
        title: 'no controller runs',
        reply: { stdout: 'stopped\n' },
        gives: { change: 'wait', reason: 'no controller runs' },
      },
      {
        title: 'the controller does not answer',
        reply: { status: 1, stderr: 'no answer within 5 s' },
        gives: { unknown: 'no answer within 5 s' },
      },
    ],
  },
];
