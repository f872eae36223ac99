/** What a person is reported before a switch: each thing that will be cut off or waited for, and nothing else. */
import { describe, expect, it } from 'vitest';
import {
  type Live,
  notes,
  type SwitchObservation,
} from '../../src/resources/controller/switch-observation.ts';

const live: Live = { timeline: 1, clients: 0, transactions: [], receivers: [], prepared: [], archiver: null };
const server = {
  server_id: 'server1',
  host_role: 'primary',
  host_status: 'normal',
  db_proc_status: 'normal',
  disk_status: 'normal',
  instance: 'running',
  timeline: 1,
  lsn: '0/3000060',
  sync_state: null,
  lag_bytes: null,
  controller_version: '0.1.0',
};
const report: SwitchObservation['report'] = {
  mirroring_status: 'switchable',
  reason: null,
  advice: null,
  since: '',
  failover: 'enabled',
  servers: [server, { ...server, server_id: 'server2', sync_state: 'sync' }],
};
const say = (over: Partial<SwitchObservation>): string =>
  notes('server1', 'server2', { report, live, ready: 0, ...over }).join('\n');

describe('what a person is told before a switch', () => {
  it('names who receives WAL besides the standbys', () => {
    const row = { name: 'SERVER2', user: 'repl', address: '192.0.2.110', bytes: 0 };
    const cdc = { name: 'pg_recvlogical', user: 'cdc', address: null, bytes: 52_428_800 };
    const copy = { name: '', user: 'dba', address: '192.0.2.9', bytes: null };
    const said = say({ live: { ...live, receivers: [row, cdc, copy] } });
    expect(said).not.toContain('SERVER2');
    expect(said).toContain('pg_recvlogical of role cdc from the socket receives WAL too, 50.0 MB behind');
    expect(said).toContain('a receiver of role dba from 192.0.2.9 receives WAL too, how far is not known');
  });

  it('names controllers of different versions, but not that of a server in maintenance', () => {
    const old = { ...server, server_id: 'server3', controller_version: null };
    const servers = [...report.servers, old];
    expect(say({ report: { ...report, servers } })).toContain('server3 unknown');
    const entry = { by: 'alice', since: '', until: null, overdue: false, seconds_left: null, reason: '' };
    const out = {
      ...report,
      servers,
      maintenance: [{ server: 'server3', stage: 'open' as const, ...entry }],
    };
    expect(say({ report: out })).not.toContain('different versions');
  });

  it('says how much there is to replay, and for how long the switch waits for that', () => {
    const row = { name: 'SERVER2', user: 'repl', address: '192.0.2.110', bytes: 0, replay: 3 * 1024 ** 3 };
    const other = { ...row, name: 'server3', replay: 77 };
    const seen = { report, live: { ...live, receivers: [other, row] }, ready: 0 };
    expect(notes('server1', 'server2', seen, '300').join('\n')).toContain(
      'server2 has 3.0 GB of WAL left to replay; writes go on until nearly all of it is done, and the switch is given up after 300 s',
    );
    expect(notes('server1', 'server2', seen).join('\n')).toContain('given up after 30 s, or --max-wait');
    const unknown = { ...live, receivers: [{ ...row, replay: null }] };
    expect(say({ live: unknown })).not.toContain('left to replay');
  });

  it('is how writes are affected, when nothing else is to be said', () => {
    expect(say({})).toBe(
      'a checkpoint first, while writes go on; then server1 is shut down and takes no writes until server2 has been promoted\nno client is connected now',
    );
  });

  it('names sessions, long transactions and prepared ones', () => {
    const transactions = [{ pid: 77, user: 'app', application: 'report', seconds: 75 }];
    const text = say({
      live: { ...live, clients: 3, transactions, prepared: [{ gid: 'g1', seconds: 9 }] },
    });
    expect(text).toContain('3 client sessions are ended');
    expect(text).toContain('open for 1 min 15 s, and rolled back: process 77 of app (report)');
    expect(text).toContain("prepared 9.0 s ago: 'g1' stays prepared");
  });

  it('names an archiver that is behind, versions that differ, and that automatic switching is off', () => {
    const archiver = { failing: false, lastFailed: null, failedCount: 0 };
    const text = say({
      live: { ...live, archiver },
      ready: 5,
      report: {
        ...report,
        failover: 'disabled',
        servers: [server, { ...server, server_id: 'server2', controller_version: '0.2.0' }],
      },
    });
    expect(text).toContain('5 WAL files wait for the archiver');
    expect(text).toContain('server1 0.1.0, server2 0.2.0');
    expect(text).toContain('automatic switching is off');
  });
});
