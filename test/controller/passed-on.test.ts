/** Requests of a person that a server passes on to the primary: each is answered once, whatever becomes of that server meanwhile. */
import { describe, expect, it } from 'vitest';
import type { ControlRequest } from '../../src/controller/core/event.ts';
import {
  answer,
  answersOf,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  report,
  sender,
  toBegin,
  view,
} from './support/conversation.ts';

const passing: readonly (readonly [string, ControlRequest])[] = [
  ['switch', { kind: 'switch', force: false, noFencing: false }],
  ['detach', { kind: 'detach', noFencing: false, server: 'server3' }],
  ['attach', { kind: 'attach', server: 'server3' }],
  ['maintenance-end', { kind: 'maintenance-end', server: 'server3', who: 'alice' }],
  ['maintenance-begin', toBegin('server3')],
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

const replied = { kind: 'peer-reply', peer: 'server2', ok: true, text: 'it is done' } as const;
const busy = {
  sync: { ...promise, eligible: ['server3'], voters: ['server3'] },
  busy: { work: 'switch', by: null, sinceWall: 0 },
} as const;
/** The number of what was passed on last. */
const last = ({ state }: Conversation): number => state.passedOn.at(-1)?.id ?? -1;

describe.each(passing)('%s', (_, request) => {
  it('is answered on a former primary as the new one has answered', () => {
    const it1 = former().after(10, 'a person asks', { kind: 'control', id: 7, request });
    expect(it1.state.own.role).toBe('primary');
    it1.silence(3200);
    expect(answersOf(it1)).toEqual([]);
    it1.after(10, 'server2 answers', { ...replied, id: last(it1) }).silence(3200);
    expect(answersOf(it1)).toEqual([expect.stringContaining('it is done')]);
    expect(it1.state.task).toBeNull();
  });

  it('is answered once on a standby, and the answer of another server says nothing about it', () => {
    const it1 = standby().after(10, 'a person asks', { kind: 'control', id: 7, request });
    const id = last(it1);
    it1.after(10, 'server3 answers', { ...replied, id, peer: 'server3', text: 'something else' });
    it1.after(10, 'server2 answers what another one has asked', { ...replied, id: id - 1 });
    expect(answersOf(it1)).toEqual([]);
    it1.after(10, 'server2 answers', { ...replied, id }).after(10, 'it answers again', { ...replied, id });
    expect(answersOf(it1)).toEqual([expect.stringContaining('it is done')]);
  });
});

it('a request that waits when the controller is stopped is answered, and not left with a connection that ends', () => {
  const request: ControlRequest = { kind: 'maintenance-end', server: 'server3', who: 'alice' };
  const it1 = standby().after(10, 'a person asks', { kind: 'control', id: 7, request });
  it1.after(10, 'systemctl stop', { kind: 'terminate' }).after(5000, '', { kind: 'tick' });
  it1.after(10, '', { kind: 'instance-stopped', proof: null });
  expect(it1.text()).toContain('end with 0');
  expect(answersOf(it1)).toEqual([expect.stringMatching(/failed: .*server2 goes on/)]);
});

const switching: ControlRequest = { kind: 'switch', force: false, noFencing: false };
const askedOf = (it: Conversation): readonly string[] => it.text().match(/ask server2[^\n]*/g) ?? [];

describe('of two requests to one server each has its own answer', () => {
  it('so that the end of a switch does not answer the switch', () => {
    const it1 = standby().after(10, 'a person asks', { kind: 'control', id: 7, request: switching });
    const first = last(it1);
    it1.after(10, 'server2 is at it', heard({ ...view('server2', 'primary'), ...busy, understands: 4 }));
    it1.after(10, 'another one ends it', { kind: 'control', id: 8, request: { kind: 'abort-switch' } });
    expect(askedOf(it1)).toHaveLength(2);
    const second = last(it1);
    it1.after(10, '', { ...replied, id: second, text: 'the switch is given up' });
    expect(answersOf(it1)).toEqual([expect.stringContaining('given up')]);
    it1.after(10, '', { ...replied, id: first, ok: false, text: 'a person has ended it' });
    expect(answersOf(it1)[1]).toContain('failed: a person has ended it');
  });

  it('so that it does not count as stopped when it has answered something else', () => {
    const it1 = standby().after(10, 'a person asks', { kind: 'control', id: 7, request: switching });
    const first = last(it1);
    const stop: ControlRequest = { kind: 'stop', all: true, mcOnly: false, force: true };
    it1.after(10, 'mc_ctl stop -a -e', { kind: 'control', id: 8, request: stop });
    it1.after(5000, '', { kind: 'tick' }).after(10, '', { kind: 'instance-stopped', proof: null });
    expect(it1.state.stop?.current).toBe('server2');
    it1.after(10, '', { ...replied, id: first, ok: false, text: 'the switch is given up' });
    expect(it1.state.stop?.current).toBe('server2');
    expect(answersOf(it1)).toEqual([expect.stringContaining('given up')]);
    it1.after(10, '', { ...replied, id: 0, text: 'stopped' });
    expect(answersOf(it1)[1]).toMatch(/failed: server3 could not be reached and was not stopped$/);
  });
});
