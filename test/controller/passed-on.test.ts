/** Requests of a person that a server passes on to the primary: each is answered once, whatever becomes of that server meanwhile. */
import { describe, expect, it } from 'vitest';
import type { ControlRequest } from '../../src/controller/core/event.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  report,
  sender,
  view,
} from './support/conversation.ts';

const passing: readonly (readonly [string, ControlRequest])[] = [
  ['switch', { kind: 'switch', force: false, noFencing: false }],
  ['detach', { kind: 'detach', noFencing: false, server: 'server3' }],
  ['attach', { kind: 'attach', server: 'server3' }],
  ['maintenance-end', { kind: 'maintenance-end', server: 'server3', who: 'alice' }],
  [
    'maintenance-begin',
    {
      kind: 'maintenance-begin',
      server: 'server3',
      who: 'alice',
      reason: '',
      untilWall: null,
      replace: false,
      alone: false,
    },
  ],
];

const promise = { ...inSyncOfThree, primary: 'server2', timeline: 2, epoch: 3, members: ['server3'] };
const newer = heard(
  view('server2', 'primary', {
    understands: 4,
    sync: { ...promise, eligible: ['server3'], voters: ['server3'] },
    report: report('primary', { timeline: 2, senders: [sender('server3')] }),
  }),
);

/** server1 was primary, its instance is gone, and server2 has taken over. */
const former = (): Conversation =>
  new Conversation('server1', 3)
    .after(0, 'the controller starts; its instance does not run', boot())
    .after(10, 'server2 is primary', newer);

/** server1 is a standby of server2. */
const standby = (): Conversation =>
  new Conversation('server1', 3)
    .after(0, 'the controller starts', boot({ running: true, standby: true }))
    .after(10, 'the instance answers', answer(report('standby', { timeline: 2 })))
    .after(10, 'server2 is primary', newer);

const answersOf = (it: Conversation): readonly string[] => it.text().match(/answer mc_ctl[^\n]*/g) ?? [];
const replied = { kind: 'peer-reply', peer: 'server2', ok: true, text: 'it is done' } as const;

describe.each(passing)('%s', (_, request) => {
  it('is answered on a former primary as the new one has answered', () => {
    const it1 = former().after(10, 'a person asks', { kind: 'control', id: 7, request });
    expect(it1.state.own.role).toBe('primary');
    it1.silence(3200);
    expect(answersOf(it1)).toEqual([]);
    it1.after(10, 'server2 answers', replied).silence(3200);
    expect(answersOf(it1)).toEqual([expect.stringContaining('it is done')]);
    expect(it1.state.task).toBeNull();
  });

  it('is answered once on a standby, and the answer of another server says nothing about it', () => {
    const it1 = standby().after(10, 'a person asks', { kind: 'control', id: 7, request });
    it1.after(10, 'server3 answers something', { ...replied, peer: 'server3', text: 'something else' });
    expect(answersOf(it1)).toEqual([]);
    it1.after(10, 'server2 answers', replied).after(10, 'it answers again', replied);
    expect(answersOf(it1)).toEqual([expect.stringContaining('it is done')]);
  });
});
