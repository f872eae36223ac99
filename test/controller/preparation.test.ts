/** A planned switch waits until the standby has replayed what the primary had written behind the checkpoint. */
import { expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
import { answer, boot, Conversation, heard, report, sender, view } from './support/conversation.ts';

const seen = (lsn: string, replayLagBytes: number): Happening =>
  answer(report('primary', { lsn, senders: [{ ...sender('server2'), replayLagBytes }] }));
const done: Happening = { kind: 'checkpointed', purpose: 'switch', why: null };
const stopped = (it1: Conversation): boolean => it1.text().includes('stop the instance');

/** server2 is in sync, and has replayed everything at the last look before the request. */
const asked = () =>
  new Conversation('server1')
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary')))
    .after(5, '', heard(view('server2', 'standby')))
    .after(20, '', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, '', seen('0/3000060', 0))
    .after(500, '', {
      kind: 'control',
      id: 9,
      request: { kind: 'switch', force: false, noFencing: false, maxWaitMs: 3000 },
    })
    .after(200, '', done);

it('a look from before the checkpoint does not count: the standby may have stood still since', () => {
  const it1 = asked();
  expect([stopped(it1), it1.state.own.phase]).toEqual([false, 'running']);
  expect(stopped(it1.after(10, '', seen('0/3000100', 0xa0)))).toBe(false);
  expect(stopped(it1.after(500, '', seen('0/3000200', 0x100)))).toBe(true);
});

it('replay that stands still is waited for as long as the person has said, and writes go on', () => {
  const it1 = asked().after(10, '', seen('0/3000100', 0xa0));
  for (let lsn = 0x3000200; lsn < 0x3000700; lsn += 0x100)
    it1
      .silence(800)
      .after(10, '', heard(view('server2', 'standby')))
      .after(10, '', seen(`0/${lsn.toString(16)}`, lsn - 0x3000060));
  expect(it1.text()).toContain('the switch is given up: server2 still has 1 MB of WAL to replay');
  expect([stopped(it1), it1.state.preparing, it1.state.own.phase]).toEqual([false, null, 'running']);
});

it('an abort that comes when no switch is under way says who is primary', () => {
  const it1 = new Conversation('server1')
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary')))
    .after(500, '', { kind: 'control', id: 9, request: { kind: 'abort-switch' } });
  expect(it1.text()).toContain('answer mc_ctl: failed: no switch is under way; server1 is primary');
});
