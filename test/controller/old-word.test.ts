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
