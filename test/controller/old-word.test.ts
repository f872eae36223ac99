/** What was told before a pause of the hearer, and is read behind it, moves no role: meanwhile others may have gone on without it. */
import { expect, it } from 'vitest';
import { answer, boot, Conversation, heard, inSync, report, view } from './support/conversation.ts';

const handover = { id: 7, kind: 'switch', to: 'server2', checkpoint: '0/3000100' } as const;
const standby = () =>
  new Conversation('server2')
    .after(0, '', boot({ running: true, standby: true }))
    .after(10, '', answer(report('standby')))
    .after(5, '', heard(view('server1', 'primary', { sync: inSync })))
    .silence(800);

/** server1 hands over, and has heard this of server2. */
const gives = (seq: number, incarnation: string) =>
  heard(
    view('server1', 'primary', {
      phase: 'stopped',
      report: null,
      sync: inSync,
      handover,
      echoes: { server2: { incarnation, seq } },
    }),
  );

it('a standby takes nothing over that was handed to it before its pause, until that is said anew', () => {
  const it1 = standby();
  const { seq, incarnation } = it1.state;
  // Without ticks in between this is a pause, at whose end the word of its beginning is read.
  it1.after(12_000, '', gives(seq, incarnation));
  expect([it1.state.takeover, it1.state.declined]).toEqual([null, null]);
  it1.after(100, '', gives(it1.state.seq, incarnation));
  expect(it1.state.takeover).toMatchObject({ kind: 'handover', from: 'server1', id: 7 });
});

/** Its standby receives nothing any more and is being taken out, but has not confirmed that when it falls silent. */
function takesOut(): Conversation {
  const lost = answer(report('primary', { senders: [] }));
  const before = new Conversation('server1').after(0, '', boot({ running: true })).state.persisted;
  const it1 = new Conversation('server1', 2, { heartbeatErrorAction: 'fallback' })
    .after(0, '', boot({ running: true, restored: before && { ...before, sync: inSync } }))
    .after(10, '', answer(report('primary')))
    .after(5, '', heard(view('server2', 'standby', { sync: inSync })));
  for (let seq = 1; seq < 12 && it1.state.change === null; seq += 1)
    it1
      .silence(800)
      .after(1, '', lost)
      .after(1, '', heard(view('server2', 'standby', { sync: inSync, seq })));
  expect(it1.state).toMatchObject({ change: { stage: 'reporting' }, withdrawn: { server2: 3 } });
  return it1;
}

it('a primary that has stood still does not go on alone for a standby that had yet to learn that it may take over no more', () => {
  expect(takesOut().silence(8000).state.change?.stage).toBe('setting');
  const paused = takesOut().suspended(60_000).silence(8000);
  expect(paused.state).toMatchObject({ change: { stage: 'reporting' }, withdrawn: { server2: 3 } });
});
