/**
 * docs/states.md is what the golden conversations go through. They are held once more here, because a page about all of
 * them can only be written by a file that has seen them all.
 */
import { expect, it, vi } from 'vitest';

// A worker loads a file once: what it has loaded before is forgotten, so that all are held here, and recorded once; and afterwards,
// so that they are held as tests of their own, too.
vi.resetModules();
await import('./core.test.ts');
await import('./faults.test.ts');
await import('./requests.test.ts');
await import('./status.test.ts');
const { answer, boot, Conversation, heard, inSyncOfThree, report, view } = await import(
  './support/conversation.ts'
);
const { statesDocument } = await import('./support/stages.ts');
vi.resetModules();

const noReceiver = answer(report('standby', { receiver: null }));

/** One of two standbys whose primary falls silent. */
const ofTwo = (self: 'server2' | 'server3', lsn: string) =>
  new Conversation(self, 3)
    .after(0, '', boot({ running: true, standby: true }))
    .after(10, '', answer(report('standby')))
    .after(5, '', heard(view('server1', 'primary', { sync: inSyncOfThree })))
    .silence(4000)
    .after(
      5,
      '',
      heard(
        view(self === 'server2' ? 'server3' : 'server2', 'standby', {
          sync: inSyncOfThree,
          report: report('standby', { lsn, receiver: null }),
        }),
      ),
    )
    .after(5, '', noReceiver);

it('with two standbys one takes over and the other lets it', () => {
  const taker = ofTwo('server2', '0/3000000').silence(1600);
  expect(taker.state.takeover?.stage).toBe('cut');
  taker.after(30, '', { kind: 'receiver-cut', lsn: '0/3000060' });
  expect(taker.state.takeover?.stage).toBe('gather');
  const { takeover } = taker.state;
  taker.after(30, '', heard(view('server3', 'standby', { yield: { to: 'server2', lsn: '0/3000000' } })));
  expect(taker.state.takeover?.stage).toBe('promote');
  const other = ofTwo('server3', '0/3000060').silence(1600);
  other.after(5, '', heard(view('server2', 'standby', { takeover, sync: inSyncOfThree })));
  expect(other.state.yield?.to).toBe('server2');
  other.after(30, '', { kind: 'receiver-cut', lsn: '0/3000000' });
  const primary = view('server2', 'primary', { lastTimeline: 2, report: report('primary', { timeline: 2 }) });
  other.after(300, '', heard(primary));
  expect(other.state.yield).toBeNull();
  taker.remember();
  other.remember();
});

it('a controller that is started again in the middle of a takeover gives it up without a new word of the primary', () => {
  const restored = ofTwo('server2', '0/3000000').silence(1600).state.persisted;
  const again = new Conversation('server2', 3)
    .after(0, '', boot({ standby: true, restored }))
    .after(200, '', { kind: 'instance-started' })
    .after(10, '', noReceiver);
  expect(again.state.takeover?.stage).toBe('ask');
  again.silence(8000);
  expect(again.state.takeover).toBeNull();
  again.remember();
});

it('docs/states.md is up to date', async () => {
  await expect(statesDocument()).toMatchFileSnapshot('../../docs/states.md');
});
