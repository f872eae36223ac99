/** A checkpoint of a proof that fails at once, as on a full disk: it is asked for again, but not without end in one moment. */
import { expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
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

const sync = { ...inSync, eligible: [] };
const failed: Happening = { kind: 'checkpointed', purpose: 'proof', why: 'No space left on device' };
const looks = answer(report('primary', { senders: [sender('server2')] }));
const standby = heard(view('server2', 'standby', { sync }));
const checkpoints = (talk: Conversation): number => talk.text().split('CHECKPOINT').length - 1;

function proving(): Conversation {
  const talk = new Conversation('server1', 2)
    .after(0, 'the controller attaches', boot({ running: true, restored: recorded({ sync }) }))
    .after(100, 'the instance answers', looks)
    .after(100, 'the standby is heard', standby)
    .after(100, 'the instance answers', looks);
  expect(talk.state.proving).toMatchObject({ id: 'server2', stage: 'checkpoint' });
  return talk;
}

it('is not asked for again at once', () => {
  const talk = proving();
  expect(checkpoints(talk)).toBe(1);
  talk
    .after(10, 'it fails', failed)
    .after(100, 'the standby is heard', standby)
    .after(100, 'the instance answers', looks);
  expect(checkpoints(talk)).toBe(1);
  expect(talk.state.sync?.eligible).toEqual([]);
});

it('is asked for again behind a pause, and then the standby may take over', () => {
  const talk = proving().after(10, 'it fails', failed);
  for (let second = 0; second < 6; second += 1)
    talk.after(500, 'the standby is heard', standby).after(500, 'the instance answers', looks);
  expect(checkpoints(talk)).toBe(2);
  talk
    .after(10, 'there is room', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(100, 'the instance answers', looks)
    .after(100, 'the standby is heard', standby);
  expect(talk.state.sync?.eligible).toEqual(['server2']);
});

it('is waited for, where its proof was given up: its end says nothing about names that came since', () => {
  const cut = view('server2', 'standby', { sync, report: report('standby', { receiver: null }) });
  const talk = proving().after(100, 'the standby receives nothing', heard(cut));
  expect(talk.state.proving).toBeNull();
  talk.after(100, 'it does again', standby).after(100, 'the instance answers', looks);
  expect([checkpoints(talk), talk.state.proving]).toEqual([1, null]);
  talk
    .after(10, 'the first checkpoint is done', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(100, 'the standby is heard', standby);
  expect(checkpoints(talk)).toBe(2);
  expect(talk.state.proving).toMatchObject({ id: 'server2', stage: 'checkpoint' });
});
