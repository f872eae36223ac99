/**
 * Which timeline a promotion has begun that was cut off before it was written down: a standby without a receiver tells the timeline of its last checkpoint, which may be
 * an earlier one.
 */
import { expect, it } from 'vitest';
import type { Takeover } from '../../src/controller/core/view.ts';
import { boot, Conversation, inSync, recorded } from './support/conversation.ts';

const sync = { ...inSync, primary: 'server1', timeline: 2, eligible: ['server2'], voters: ['server2'] };
const takeover: Takeover = {
  from: 'server1',
  kind: 'handover',
  id: 1,
  checkpoint: '0/5000148',
  stage: 'promote',
  lsn: '0/5000200',
};
const promised = (change: Partial<Takeover>): number | undefined =>
  new Conversation('server2').after(
    0,
    'the host has booted, behind a promotion',
    boot({
      restored: recorded({ role: 'standby', timeline: 1, sync, takeover: { ...takeover, ...change } }),
    }),
  ).state.sync?.timeline;

it('is the one behind that of the promise by which it took over', () => {
  expect(promised({})).toBe(3);
  expect(promised({ kind: 'silence' })).toBe(3);
});

it('is the one behind its own where a person has forced it, who may have chosen one that was behind', () => {
  expect(promised({ kind: 'force' })).toBe(2);
});
