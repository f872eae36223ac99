/** Cases of the kinds that deal with the Mirroring Controller: that it runs with its files, and what each server may do. */
import type { KindCases } from '../cases.ts';

export const report = (over: Record<string, unknown> = {}, instance = 'running'): string =>
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
export const row = (server_id: string, over: Record<string, unknown> = {}) => ({
  server_id,
  host_role: 'primary',
  host_status: 'normal',
  db_proc_status: 'normal',
  disk_status: 'normal',
  instance: 'running',
  detached: false,
  ...over,
});
export const copy = { takeover: 'allowed', takeover_priority: 100, replication: 'asynchronous' };
const former = row('server1', { host_role: 'none(inactivated primary)', instance: 'stopped' });
/** server2 has taken over from server1. */
export const takenOver = {
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
      {
        desired: '{ unit: initctl/x, bundle: /x }',
        what: "'unit' cannot be 'initctl/x'",
        at: '1:9',
        beyondSchema: true,
      },
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
          script: ['systemctl start mcoi_inst1', 'systemctl kill --kill-who=main -s KILL mcoi_inst1.service'],
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
        title: 'it does not run, and an init script starts it',
        desired: '{ unit: update-rc.d/rc_mcoi_inst1, bundle: /x }',
        reply: { stdout: 'stopped\n' },
        gives: {
          change: 'start the Mirroring Controller',
          reason: 'does not run',
          script: [/^\( \/etc\/init\.d\/rc_mcoi_inst1 start >&2 \)/m, 'before_start', 'MCA01008'],
        },
      },
      {
        title: 'it runs beside its unit',
        reply: { stdout: `beside ${seen('ready')}` },
        tells: [{ code: 'CTL015', object: 'server1', found: 'started by hand', since: 200 }],
        gives: {
          change: 'restart the Mirroring Controller under its unit',
          reason: 'mcoi_inst1.service does not run it',
          effects: [{ action: 'restart', target: 'controller', inTurn: true }],
          noSteps: true,
        },
      },
      {
        title: 'it runs beside its unit, with files that it has not read',
        reply: { stdout: `beside ${seen('ready', 300)}` },
        tells: [{ code: 'CTL003' }, { code: 'CTL015' }],
        gives: {
          change: 'restart the Mirroring Controller under its unit',
          reason: 'does not run it',
          noSteps: true,
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
];
