/** Cases of the kind that says whether the controllers agree: a switch is possible, or who and what keeps it from that. */
import type { KindCases } from '../cases.ts';
import { copy, report, row, takenOver } from './controllers.ts';

/** Why no switch is possible, as the controller says it; `more`: what else there is. */
const maintained = (server: string, more?: string) => ({
  mirroring_status: 'not-switchable',
  reason: [`${server} is in maintenance by alice since 2026-11-30 10:00 UTC: a; b`, more]
    .filter((it) => it !== undefined)
    .join('; '),
  maintenance: [{ server, stage: 'open' }],
});

export const mirroring: readonly KindCases[] = [
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
          script: ['controller /mcdir/inst1/server1.pid', '{ whole "$mc"; } && runs', 'mc_ctl status'],
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
        gives: { degraded: 'server2 is out', why: 'mc_ctl detach', fix: 'pgduet attach server2' },
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
        title: 'the only standby is in maintenance, and its controller does not run',
        reply: {
          stdout: report({
            ...maintained('server2'),
            servers: [
              row('server1', { controller_version: '0.2.0' }),
              row('server2', {
                host_role: 'standby',
                host_status: 'abnormal',
                disk_status: 'abnormal(data)',
                sync_state: 'async',
                parted: true,
                controller_version: '0.1.0',
              }),
            ],
          }),
        },
        gives: { same: 'not-switchable, since server2 is in maintenance' },
        tells: [],
      },
      {
        title: 'the other copy may not take over anyhow',
        reply: {
          stdout: report({
            ...maintained('server2'),
            servers: [row('server1'), row('server2', { host_role: 'standby' }), row('server3', copy)],
          }),
        },
        gives: { same: 'since server2 is in maintenance' },
        tells: [],
      },
      {
        title: 'one standby is in maintenance, and the other one is not heard',
        reply: {
          stdout: report({
            ...maintained('server2', 'server3 is not heard'),
            servers: [
              row('server1'),
              row('server2', { host_role: 'standby' }),
              row('server3', { host_role: 'standby' }),
            ],
          }),
        },
        gives: { change: 'wait until', reason: 'server3 is not heard' },
        tells: [{ code: 'CTL007' }],
      },
      {
        title: 'the standby is in maintenance, and the controller of the primary stands still',
        reply: {
          stdout: report({
            ...maintained('server2'),
            reason: 'the controller of server1 stands still',
            servers: [row('server1'), row('server2', { host_role: 'standby' })],
          }),
        },
        gives: { change: 'wait until', reason: 'stands still' },
        tells: [{ code: 'CTL007' }],
      },
      {
        title: 'nobody but a person brings a maintained former primary back',
        reply: { stdout: report({ ...takenOver, ...maintained('server1'), mirroring_status: 'switched' }) },
        gives: { same: 'switched, since server1 is in maintenance' },
        tells: [],
      },
      {
        title: 'everybody who might take over is in maintenance, and the controller is just coming back',
        desired: '{ alone: yes }',
        reply: { stdout: report({ mirroring_status: 'unknown', reason: 'no primary is heard' }) },
        gives: {
          change: 'wait until',
          reason: "'unknown'",
          script: ['|| alone "$mc"', ' is in maintenance '],
        },
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
