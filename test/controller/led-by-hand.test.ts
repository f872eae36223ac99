/** A server in maintenance whose instance somebody has promoted by hand: what is asked of it and about it, and when it may lead. */
import { describe, expect, it } from 'vitest';
import type { ControlRequest, Happening } from '../../src/controller/core/event.ts';
import { entryOf } from '../../src/controller/core/maintenance.ts';
import type { Maintenance, ServerView, SyncSet } from '../../src/controller/core/view.ts';
import {
  answer,
  answersOf,
  asked,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  recorded,
  report,
  toBegin,
  view,
} from './support/conversation.ts';

const open: Maintenance = {
  timeline: 1,
  number: 100,
  stage: 'open',
  by: 'alice',
  sinceWall: 0,
  reason: 'new disks',
  untilWall: null,
};
const promise: SyncSet = { ...inSyncOfThree, eligible: ['server2'], voters: ['server2'] };
const promoted = report('primary', { timeline: 2, senders: [], synchronousStandbyNames: '' });
const told = { understands: 4, sync: promise, maintenance: { server3: open } } as const;
const leader = (change: Partial<ServerView> = {}): Happening =>
  heard(view('server1', 'primary', { ...told, ...change }));
const byHand = (change: Partial<ServerView> = {}): Happening =>
  heard(view('server3', 'primary', { ...told, lastTimeline: 2, report: promoted, ...change }));

/** server3 is in maintenance, and was promoted by hand; nobody else was heard. */
const itself = (): Conversation =>
  new Conversation('server3', 3, { fencingCommand: '/fence' })
    .after(
      0,
      '',
      boot({ running: true, restored: recorded({ sync: promise, maintenance: { server3: open } }) }),
    )
    .after(10, '', answer(promoted));

/** server2, a standby of server1; it hears server3, too, which comes first. */
function beside(): Conversation {
  const it1 = new Conversation('server2', 3)
    .after(0, '', boot({ running: true, standby: true }))
    .after(10, '', answer(report('standby')));
  const { server1, server3 } = it1.state.peers;
  if (!server1 || !server3) throw new Error('there are three');
  it1.state = { ...it1.state, peers: { server3, server1 } };
  return it1.after(5, '', leader()).after(5, '', byHand());
}

/** Since then server1 is heard no more. */
function lost(): Conversation {
  const it1 = beside();
  for (let n = 0; n < 10; n += 1) it1.after(800, '', { kind: 'tick' }).after(10, '', byHand());
  return it1;
}

const requests: readonly (readonly [string, ControlRequest])[] = [
  ['switch', { kind: 'switch', force: false, noFencing: false }],
  ['switch --force', { kind: 'switch', force: true, noFencing: false, to: 'server2' }],
  ['detach', { kind: 'detach', noFencing: false, server: 'server2' }],
  ['attach', { kind: 'attach', server: 'server2' }],
  ['maintenance-end', { kind: 'maintenance-end', server: 'server3', who: 'alice' }],
  ['maintenance-begin', toBegin('server2')],
];

const lines = (it: Conversation, word: string): readonly string[] =>
  it
    .text()
    .split('\n')
    .filter((line) => line.trimStart().startsWith(word));

describe.each(requests)('%s', (_, request) => {
  it('on it is refused with both ways on, and nobody is shut out by it', () => {
    const it1 = itself().after(10, '', heard(view('server2', 'standby', told)));
    it1.after(10, '', asked(request)).silence(1600);
    expect(answersOf(it1)).toEqual([
      expect.stringMatching(/failed: server3 runs as primary .*--force-start/),
    ]);
    expect(it1.text()).not.toContain('fencing command');
    expect(it1.state).toMatchObject({ task: null, waitingForDetach: [], waitingForSwitch: [] });
  });

  it('on it goes to the server that leads', () => {
    const it1 = itself().after(10, '', leader()).after(10, '', asked(request));
    expect(lines(it1, 'ask')).toEqual([expect.stringContaining('ask server1')]);
  });

  it('on another server goes to the one that leads, whichever comes first', () => {
    const it1 = beside().after(10, '', asked(request));
    expect(lines(it1, 'ask')).toEqual([expect.stringContaining('ask server1')]);
  });

  it('on another server is refused with both ways on where nobody leads', () => {
    const it1 = lost().after(
      10,
      '',
      asked({ ...request, ...(request.kind === 'switch' ? { to: 'server2' } : {}) }),
    );
    expect(lines(it1, 'ask')).toEqual([]);
    expect(answersOf(it1)).toEqual([
      expect.stringMatching(/failed: server3 runs as primary .*--force-start/),
    ]);
  });
});

describe('one that was promoted by hand', () => {
  it('is no primary by which another server is rebuilt', () => {
    const { advice, reason } = lost().state.mirroring;
    expect(reason).toContain('server3 is in maintenance, and runs as primary; server1 was primary before');
    expect(advice).not.toContain('pgduet rebuild');
    expect(advice).toMatch(/stop the instance of server3, then on server1: mc_ctl start .*--force-start/);
  });

  it('gets no role that is given to another server', () => {
    const it1 = new Conversation('server1', 3)
      .after(0, '', boot({ running: true }))
      .after(10, '', answer(report('primary', { synchronousStandbyNames: 'FIRST 1 (server2)' })));
    it1.state = { ...it1.state, sync: promise, maintenance: { server3: open }, change: null, proving: null };
    it1.after(5, '', heard(view('server2', 'standby', told))).after(5, '', byHand());
    it1.after(5, '', { kind: 'instance-check', outcome: { kind: 'gone' } });
    expect(it1.state.giving?.stage).toBe('stop');
    it1.after(5, '', { kind: 'instance-stopped', proof: null });
    expect(it1.state.giving).toMatchObject({ stage: 'given', handover: { to: 'server2' } });
    expect(it1.state.boot.kind).toBe('handed');
  });

  it('has its maintenance ended only once its instance is stopped, and no switch begins before', () => {
    const it1 = () => {
      const made = new Conversation('server1', 3)
        .after(0, '', boot({ running: true }))
        .after(10, '', answer(report('primary', { synchronousStandbyNames: 'FIRST 1 (server2)' })));
      made.state = { ...made.state, sync: promise, maintenance: { server3: open } };
      return made.after(5, '', heard(view('server2', 'standby', told))).after(5, '', byHand());
    };
    const end = asked({ kind: 'maintenance-end', server: 'server3', who: 'alice' });
    const refused = it1().after(5, '', end);
    expect(answersOf(refused)).toEqual([expect.stringMatching(/failed: server3 runs as primary/)]);
    expect(entryOf(refused.state, 'server3')?.stage).toBe('open');
    const over = it1()
      .after(5, '', byHand({ phase: 'down', report: null }))
      .after(5, '', end);
    expect(entryOf(over.state, 'server3')?.stage).toBe('ended');
    const switched = it1().after(5, '', asked({ kind: 'switch', force: false, noFencing: false }));
    expect(answersOf(switched)).toEqual([expect.stringContaining('nobody takes over beside it')]);
    expect(switched.state.preparing).toBeNull();
  });

  it('and was stopped is not started beside the primary, and its maintenance goes on', () => {
    const restored = recorded({ sync: promise, maintenance: { server3: open } });
    const it1 = new Conversation('server3', 3).after(0, '', boot({ restored })).after(10, '', leader());
    it1.after(10, '', asked({ kind: 'start', force: true }));
    expect(answersOf(it1)).toEqual([expect.stringMatching(/failed: server1 is primary/)]);
    expect(entryOf(it1.state, 'server3')?.stage).toBe('open');
    expect(it1.state.boot.kind).toBe('maintained');
  });

  const later = { ...promise, primary: 'server2', timeline: 2, epoch: 9 };
  it.each<readonly [string, ServerView, string]>([
    ['whose instance starts', view('server1', 'primary', { ...told, phase: 'starting' }), 'only one can be'],
    ['that does not answer', view('server1', 'primary', { ...told, phase: 'silent' }), 'only one can be'],
    ['that asks the others', view('server1', 'primary', { ...told, phase: 'waiting' }), 'wait a moment'],
    [
      'that takes over',
      view('server2', 'standby', {
        ...told,
        takeover: { from: 'server1', kind: 'silence', id: 0, checkpoint: null, stage: 'gather', lsn: null },
      }),
      'server2 is taking over',
    ],
    [
      'that follows one of the same timeline',
      view('server1', 'standby', { ...told, sync: later }),
      'it would not follow. Start server2',
    ],
  ])('does not lead by a word beside one %s', (__, other, why) => {
    const it1 = itself()
      .after(5, '', heard(other))
      .after(5, '', asked({ kind: 'start', force: true }));
    expect(answersOf(it1)).toEqual([expect.stringContaining(why)]);
    expect(it1.state.sync?.primary).not.toBe('server3');
    expect(entryOf(it1.state, 'server3')?.stage).toBe('open');
  });
});
