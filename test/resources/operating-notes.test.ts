/** What a person is told before servers stop or restart: who confirms commits from then on, whose sessions end, what lasts. */
import { describe, expect, it } from 'vitest';
import {
  type StopObservation,
  type Stopping,
  stopNotes,
} from '../../src/resources/controller/stop-observation.ts';

const row = (server_id: string, sync_state: string | null, more: object = {}) => ({
  server_id,
  host_role: 'standby',
  host_status: 'normal',
  db_proc_status: 'normal',
  disk_status: 'normal',
  instance: 'running',
  timeline: 1,
  lsn: null,
  sync_state,
  lag_bytes: 0,
  controller_version: '1',
  ...more,
});

const seen = (
  over: Partial<StopObservation> = {},
  report: Partial<NonNullable<StopObservation['report']>> = {},
): StopObservation => ({
  enabled: true,
  controller: true,
  instance: true,
  standby: true,
  report: {
    mirroring_status: 'switchable',
    reason: null,
    advice: null,
    since: '',
    failover: 'enabled',
    servers: [row('server1', null), row('server2', 'sync'), row('server3', 'potential')],
    ...report,
  },
  ...over,
});
const pair = { servers: [row('server1', null), row('server2', 'sync')] };
const stopping = (over: Partial<Stopping> = {}): Stopping => ({
  id: 'server2',
  names: ['server2'],
  all: false,
  ...over,
});

describe('the notes of a stop', () => {
  it.each([
    ['another one confirms', stopping(), seen(), 'commits go on with server3'],
    [
      'the other one stops too',
      stopping({ names: ['server2', 'server3'] }),
      seen(),
      'no other standby is in sync: commits are on the primary alone',
    ],
    ['it was the last one', stopping(), seen({}, pair), 'nobody can take over from it'],
    [
      'automatic switching is off',
      stopping(),
      seen({}, { ...pair, failover: 'disabled' }),
      'commits wait for it from then on',
    ],
    [
      'it is a copy that nobody waits for',
      stopping(),
      seen({}, { servers: [row('server2', 'async', { replication: 'asynchronous' })] }),
      'commits do not wait for it',
    ],
    [
      'no controller tells',
      stopping(),
      { ...seen(), controller: false, report: undefined } as never,
      'a standby that fails',
    ],
    [
      'it leads, and no other may',
      stopping(),
      seen({ standby: false }, { mirroring_status: 'not-switchable' }),
      'nobody can write until it is started again',
    ],
    [
      'it leads, and another one will',
      stopping({ to: 'server3' }),
      seen({ standby: false }),
      'its role to server3 first',
    ],
    [
      'it is a former primary that is held back',
      stopping(),
      seen({ standby: false, instance: false }),
      'commits go on with server3',
    ],
    ['all stop', stopping({ all: true }), seen({ standby: false }), 'nobody can read or write'],
  ] satisfies [string, Stopping, StopObservation, string][])(
    'say what follows where %s',
    (_, what, of, words) => {
      const notes = stopNotes(what, of);
      expect(notes[0]).toContain(words);
      expect(notes.at(-1)).toMatch(/^it stays down, also across a reboot of its host, until: pgduet start/);
    },
  );

  it('warn of a former primary among servers that all stop', () => {
    const held = row('server2', null, { host_role: 'none(inactivated primary)' });
    const notes = (all: boolean) =>
      stopNotes(stopping({ all }), seen({ standby: false, instance: false }, { servers: [held] })).join();
    expect(notes(true)).toContain('pgduet rebuild server2');
    expect(notes(false)).not.toContain('rebuild');
  });

  it('name the sessions that end, and the vote that is missing', () => {
    const transaction = { pid: 7, user: 'app', application: 'shop', seconds: 61 };
    const notes = stopNotes(
      stopping(),
      seen(
        { sessions: { clients: 3, transactions: [transaction] } },
        { register: { term: 1, members: ['server1', 'server2', 'server3'], answers: true } },
      ),
    );
    expect(notes.join('\n')).toContain('3 client sessions are ended');
    expect(notes.join('\n')).toContain('process 7 of app (shop)');
    expect(notes.join('\n')).toContain('the next failure may need a person');
    expect(stopNotes(stopping({ all: true }), seen({ standby: true }))).toHaveLength(1);
  });
});
