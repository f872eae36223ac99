/** A standby that holds what the new primary does not have: it flaps, is told to have parted, and commits do not wait for it. */
import { expect, it } from 'vitest';
import type { InstanceReport } from '../../src/controller/core/view.ts';
import { answer, boot, Conversation, heard, report, sender, view } from './support/conversation.ts';

const history = [{ timeline: 1, endsAt: '0/3000100' }];

/** The primary of timeline 2, as it sees a receiver of server2 that streams just now. */
const seen = (more: Partial<InstanceReport> = {}) =>
  answer(
    report('primary', {
      timeline: 2,
      lsn: '0/4000000',
      synchronousStandbyNames: '',
      senders: [{ ...sender('server2'), syncState: 'async' }],
      history,
      ...more,
    }),
  );

const tells = (more: Partial<InstanceReport>) =>
  heard(
    view('server2', 'standby', {
      report: report('standby', { timeline: 1, lsn: '0/3000200', replayedLsn: '0/3000200', ...more }),
    }),
  );

const primary = (more: Partial<InstanceReport>): Conversation =>
  new Conversation('server1')
    .after(0, '', boot({ running: true, named: ['server2'] }))
    .after(10, '', seen())
    .after(5, '', tells(more))
    .after(100, '', seen())
    .after(5, '', tells(more));

const joins = (it1: Conversation): boolean => it1.text().includes('synchronous_standby_names: server2');

it('who holds more than the primary had when it left the timeline is told, and commits do not wait for it', () => {
  const it1 = primary({});
  expect(it1.state.parted).toEqual(['server2']);
  expect(it1.text()).toContain('MCA01076');
  expect(joins(it1)).toBe(false);
  expect(it1.state.mirroring).toMatchObject({
    reason: 'server2 holds WAL that server1 does not have, and cannot follow it',
    advice: 'pgduet rebuild server2',
  });
});

it('who holds as much or less follows, and who is on the timeline, too', () => {
  for (const more of [{ replayedLsn: '0/3000100' }, { timeline: 2 }]) {
    const it1 = primary(more);
    expect(it1.state.parted).toEqual([]);
    expect(joins(it1)).toBe(true);
  }
});

it('what is not known changes nothing: without a receiver a standby does not know its timeline', () => {
  const it1 = primary({});
  it1.after(100, '', tells({ receiver: null, timeline: 1, replayedLsn: '0/3000000' })).after(100, '', seen());
  expect(it1.state.parted).toEqual(['server2']);
  expect(primary({ receiver: null }).state.parted).toEqual([]);
  expect(primary({}).after(100, '', seen({ history: undefined })).state.parted).toEqual(['server2']);
});

it('it is over when the standby was rebuilt, and is told once each', () => {
  const it1 = primary({}).after(100, '', seen());
  it1
    .after(100, '', tells({ timeline: 2, lsn: '0/4000000', replayedLsn: '0/4000000' }))
    .after(100, '', seen());
  expect(it1.state.parted).toEqual([]);
  expect(it1.text().match(/MCA0107[67]/g)).toEqual(['MCA01076', 'MCA01077']);
  expect(joins(it1)).toBe(true);
});
