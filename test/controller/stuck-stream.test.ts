/**
 * A standby that is silent and whose stream stands still, though its row says that it streams: packets to it are lost and its own
 * arrive, so that the walsender ends late. With a register the primary asks when the time to give up is over.
 */
import { expect, it } from 'vitest';
import type { SyncSet } from '../../src/controller/core/view.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSync,
  recorded,
  report,
  sender,
  view,
} from './support/conversation.ts';

const bound: SyncSet = { ...inSync, term: 4, cells: [{ at: 'arb1', id: 'its cell' }] };
const streaming = (lagBytes: number) =>
  answer(report('primary', { senders: [{ ...sender('server2'), lagBytes }] }));

/** The last word of the standby; from then on only looks at the instance, where it owes so much. */
function silentFor(seconds: number, lagBytes: number): Conversation {
  const talk = new Conversation('server1', 2, { heartbeatErrorAction: 'arbitration' })
    .after(0, 'the host boots', boot({ running: true, restored: recorded({ sync: bound }) }))
    .after(100, 'the instance answers', streaming(0))
    .after(100, 'the standby is heard', heard(view('server2', 'standby', { sync: bound })))
    .after(100, 'a commit waits', streaming(lagBytes));
  for (let second = 0; second < seconds; second += 1)
    talk
      .after(400, 'time passes', { kind: 'tick' })
      .after(400, 'time passes', { kind: 'tick' })
      .after(200, 'a look', streaming(lagBytes));
  return talk;
}

it('the register is asked once neither a word nor a confirmation has come for the time to give up', () => {
  expect(silentFor(5, 64).text()).not.toContain('MCA01130');
  expect(silentFor(7, 64).text()).toContain('MCA01130');
});

it('a standby that has confirmed all that there is counts as one that streams', () => {
  expect(silentFor(30, 0).text()).not.toContain('MCA01130');
});
