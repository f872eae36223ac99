/** mc_ctl detach of one of several standbys: it is answered, about that standby, and two that are down keep nobody waiting for each other. */
import { describe, expect, it } from 'vitest';
import type { ControlRequest, Happening } from '../../src/controller/core/event.ts';
import {
  answer,
  answersOf,
  type Conversation,
  heard,
  inSyncOfThree,
  primaryOfThree,
  report,
  sender,
  view,
} from './support/conversation.ts';

const asked = (id: number, request: ControlRequest): Happening => ({ kind: 'control', id, request });
const detach = (id: number, server?: string): Happening =>
  asked(id, {
    kind: 'detach',
    noFencing: false,
    by: { pid: id, user: 'alice', server: 'server1' },
    ...(server === undefined ? {} : { server }),
  });
const setNames = (it: Conversation): readonly string[] =>
  it.text().match(/synchronous_standby_names: [^\n]*/g) ?? [];
const names = (ids: readonly string[], senders: readonly string[] = ids): Happening =>
  answer(
    report('primary', {
      senders: senders.map((id) => sender(id)),
      synchronousStandbyNames: ids.length === 0 ? '' : `FIRST 1 (${ids.join(', ')})`,
    }),
  );
const standby = (it: Conversation, id: string, change = {}): Happening =>
  heard(view(id, 'standby', { understands: 4, sync: it.state.sync, ...change }));

/** Both standbys were heard, and are no more; whoever is silent is left to a person. */
function bothLost(): Conversation {
  const it1 = primaryOfThree({ heartbeatErrorAction: 'message' });
  it1.after(1, '', standby(it1, 'server2')).after(1, '', standby(it1, 'server3'));
  return quiet(it1, 10);
}
function quiet(it1: Conversation, seconds: number): Conversation {
  for (let n = 0; n < seconds; n += 0.8)
    it1.after(800, '', { kind: 'tick' }).after(1, '', names(['server2', 'server3'], []));
  return it1;
}

describe('a detach where both standbys are down', () => {
  it.each([['server3'], [undefined]])('lets that of the other one through (%s)', (second) => {
    const it1 = quiet(bothLost().after(10, '', detach(1, 'server2')), 5);
    expect([answersOf(it1), setNames(it1)]).toEqual([[], []]);
    it1.after(10, 'once more', detach(2, 'server2'));
    expect(answersOf(it1)).toEqual([expect.stringContaining('server1 is busy: detach')]);
    it1.after(10, '', detach(3, second));
    expect(setNames(it1)).toEqual(['synchronous_standby_names: server3']);
    it1.after(10, '', { kind: 'names-set', ids: ['server3'], needed: 1 });
    expect(answersOf(it1)[1]).toContain('done: server2 is out');
    it1.after(10, '', { kind: 'names-set', ids: [], needed: 0 });
    expect(answersOf(it1)[2]).toContain('done: server3 is out');
    expect(it1.state).toMatchObject({ task: null, sync: { voters: [], eligible: [] } });
  });

  it('says in time for whom it waits, and goes on', () => {
    const it1 = quiet(bothLost().after(10, '', detach(1, 'server2')), 62);
    expect(answersOf(it1)).toEqual([
      expect.stringMatching(/failed: server2 is not out yet: server3 .*mc_ctl detach --server server3/),
    ]);
    expect(it1.state.task).toBeNull();
    expect(it1.state.parked).toHaveProperty('server2');
    it1.after(10, '', detach(2, 'server3'));
    expect(setNames(it1)).toEqual(['synchronous_standby_names: server3']);
  });
});

describe('a detach while a standby joins', () => {
  const promise = { ...inSyncOfThree, eligible: ['server2'], voters: ['server2'] };
  /** The names are being set for server3 when server2 is to go. */
  function joining(): Conversation {
    const it1 = primaryOfThree();
    it1.state = { ...it1.state, sync: promise };
    it1.after(1, '', names(['server2'], ['server2', 'server3']));
    it1.after(1, '', standby(it1, 'server2')).after(1, '', standby(it1, 'server3'));
    it1.after(1, '', standby(it1, 'server2')).after(1, '', standby(it1, 'server3'));
    expect(setNames(it1)).toEqual(['synchronous_standby_names: server2, server3']);
    return it1.after(1, '', detach(1, 'server2'));
  }

  it('is not answered by that', () => {
    const it1 = joining().after(1, '', { kind: 'names-set', ids: ['server2', 'server3'], needed: 1 });
    expect(answersOf(it1)).toEqual([]);
    it1.after(1, '', names(['server2', 'server3']));
    it1.after(1, '', standby(it1, 'server2')).after(1, '', standby(it1, 'server3'));
    it1.after(1, '', { kind: 'names-set', ids: ['server3'], needed: 1 });
    expect(answersOf(it1)).toEqual([expect.stringContaining('done: server2 is out')]);
  });

  it('nor by its failure', () => {
    const it1 = joining().after(1, '', { kind: 'names-failed', why: 'ALTER SYSTEM holds them' });
    expect(answersOf(it1)).toEqual([]);
    expect(it1.state.parked).toHaveProperty('server2');
  });

  it('is over when the instance is started anew meanwhile', () => {
    const it1 = joining();
    const restarted = { report: report('standby', { startedAtWall: 77 }) };
    it1.after(1, '', standby(it1, 'server2', restarted));
    it1.after(1, '', { kind: 'names-set', ids: ['server2', 'server3'], needed: 1 });
    expect(answersOf(it1)).toEqual([expect.stringMatching(/failed: .*server2 was started anew/)]);
    expect(it1.state.task).toBeNull();
  });
});
