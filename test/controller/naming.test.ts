/** How a promise comes to name a register, and what a person's order is worth where it does not answer. */
import { describe, expect, it } from 'vitest';
import type { CellName, ServerView, SyncSet } from '../../src/controller/core/view.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  primaryOfThree,
  report,
  view,
} from './support/conversation.ts';

const cells: readonly CellName[] = ['server1', 'server2', 'server3'].map((at) => ({
  at,
  id: at === 'server1' ? 'first' : `cell of ${at}`,
}));

/** A standby that knows the promise, and whose cell says what it was asked last. */
const standby = (it: Conversation, id: string, change: Partial<ServerView> = {}) => {
  const vote = it.state.vote;
  const given = vote && vote.stage !== 'back';
  const own = { id: `cell of ${id}`, term: given ? vote.term : 0, holder: given ? 'server1' : null };
  const cell = { ...own, attempt: given ? vote.attempt : 0 };
  return heard(view(id, 'standby', { understands: 3, sync: it.state.sync, cell, ...change }));
};

const arbitrating = (failover: 'automatic' | 'manual'): Conversation =>
  primaryOfThree({ heartbeatErrorAction: 'arbitration', failover });

describe('a promise', () => {
  it.each(['automatic', 'manual'] as const)(
    'names the servers when all are heard; failover is %s',
    (failover) => {
      const it1 = arbitrating(failover);
      for (let round = 0; round < 6 && (it1.state.sync?.cells ?? []).length === 0; round += 1)
        for (const id of ['server2', 'server3']) it1.after(100, '', standby(it1, id));
      expect(it1.state.sync).toMatchObject({ cells, term: 2 });
      // Each is proven anew, in the new register.
      expect(it1.state.proving).not.toBeNull();
    },
  );

  it('names none while one of them is not heard, or does not know what a register is', () => {
    const it1 = arbitrating('automatic');
    for (let round = 0; round < 6; round += 1) it1.after(100, '', standby(it1, 'server2'));
    expect(it1.state.sync?.cells).toBeUndefined();
    expect(it1.state.sync?.eligible).toEqual(['server2', 'server3']);
    for (let round = 0; round < 6; round += 1)
      for (const id of ['server2', 'server3']) it1.after(100, '', standby(it1, id, { understands: 2 }));
    expect(it1.state.sync?.cells).toBeUndefined();
  });
});

describe('an order to take over where no register answers', () => {
  it.each([true, false])('goes on after the time to give up, and says so; failover is on: %s', (enabled) => {
    const bound: SyncSet = { ...inSyncOfThree, term: 4, cells, eligible: ['server3'], voters: ['server3'] };
    const failover = enabled ? 'automatic' : 'manual';
    const it1 = new Conversation('server3', 3, { heartbeatErrorAction: 'arbitration', failover })
      .after(0, '', boot({ standby: true, running: true }))
      .after(10, '', answer(report('standby', { receiver: null })));
    it1.state = { ...it1.state, sync: bound, confirmed: true };
    const ordered = { kind: 'switch', force: true, noFencing: true } as const;
    it1.silence(7000);
    if (enabled) it1.after(50, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    it1.after(10, '', { kind: 'control', id: 7, request: ordered });
    if (!enabled) it1.after(50, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    expect(it1.state.takeover?.stage).toBe('gather');
    for (let round = 0; round < 9; round += 1) it1.after(800, '', { kind: 'tick' });
    expect(it1.state.takeover?.stage).toBe('promote');
    expect(it1.text()).toContain('MCA01050');
  });

  it('leaves the fence out when the person says so, also of a takeover that had begun by itself', () => {
    const bound: SyncSet = { ...inSyncOfThree, term: 4, cells, eligible: ['server3'], voters: ['server3'] };
    const it1 = new Conversation('server3', 3, {
      heartbeatErrorAction: 'arbitration',
      fencingCommand: '/fence',
    })
      .after(0, '', boot({ standby: true, running: true }))
      .after(10, '', answer(report('standby', { receiver: null })));
    it1.state = { ...it1.state, sync: bound, confirmed: true };
    it1.silence(7000).after(50, '', { kind: 'receiver-cut', lsn: '0/3000060' });
    expect(it1.state.takeover).toMatchObject({ stage: 'gather', unfenced: true });
    const ordered = { kind: 'switch', force: true, noFencing: true } as const;
    it1.after(10, '', { kind: 'control', id: 7, request: ordered });
    for (let round = 0; round < 9; round += 1) it1.after(800, '', { kind: 'tick' });
    expect(it1.state.takeover?.stage).toBe('promote');
  });
});
