/** What the controllers say of a server in maintenance, in their own words, as pgduet understands it. */
import { expect, it } from 'vitest';
import { assess, statusReport } from '../../src/controller/core/status.ts';
import type { Maintenance } from '../../src/controller/core/view.ts';
import { onlyMaintained } from '../../src/resources/controller/maintained.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSync,
  inSyncOfThree,
  primaryOfThree,
  report,
  view,
} from '../controller/support/conversation.ts';

const open: Maintenance = {
  timeline: 1,
  number: 100,
  stage: 'open',
  by: 'alice',
  sinceWall: 0,
  reason: 'new disks; and a fan',
  untilWall: null,
};
const knowing = { understands: 4, maintenance: { server2: open } } as const;
const said = ({ state }: Conversation) => onlyMaintained(statusReport(state, { pid: 1, node: 'v20' }));

const primaryOfPair = (): Conversation => {
  const it = new Conversation('server1')
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary', { senders: [] })));
  it.state = { ...it.state, sync: { ...inSync, voters: [], eligible: [] }, change: null, proving: null };
  return it;
};

it('is all that a switch is missed for in a pair, also when it falls silent', () => {
  const it1 = primaryOfPair().after(1, '', heard(view('server2', 'standby', knowing)));
  expect(said(it1)).toEqual(['server2']);
  it1.silence(20_000);
  expect(said(it1)).toEqual(['server2']);
});

it('is not where it is over, or the primary does not answer', () => {
  const it1 = primaryOfPair().after(1, '', heard(view('server2', 'standby', knowing)));
  const ended = { server2: { ...open, number: 101, stage: 'ended' } } as const;
  const over = primaryOfPair().after(
    1,
    '',
    heard(view('server2', 'standby', { ...knowing, maintenance: ended })),
  );
  expect(said(over)).toBeUndefined();
  const silent = { ...it1.state, own: { ...it1.state.own, phase: 'silent' } } as const;
  it1.state = { ...silent, mirroring: { ...silent.mirroring, ...assess(silent) } };
  expect(said(it1)).toBeUndefined();
});

it('is not while another standby might take over and cannot', () => {
  const it1 = primaryOfThree();
  it1.state = { ...it1.state, sync: { ...inSyncOfThree, voters: ['server3'], eligible: [] } };
  it1.after(1, '', heard(view('server2', 'standby', knowing)));
  it1.after(1, '', heard(view('server3', 'standby', { understands: 4, phase: 'stopped' })));
  expect(it1.state.mirroring.reason).toContain('server2 is in maintenance');
  expect(said(it1)).toBeUndefined();
});
