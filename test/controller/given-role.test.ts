/** A role that was given away comes back by a word, not by silence, once the other side has said that it takes it. */
import { describe, expect, it } from 'vitest';
import type { Takeover } from '../../src/controller/core/view.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  primaryOfThree,
  report,
  view,
} from './support/conversation.ts';

/** server1 has lost its instance, and gives its role to server2; server3 could take it as well. */
const given = (): Conversation =>
  primaryOfThree()
    .after(5, '', heard(view('server2', 'standby', { sync: inSyncOfThree })))
    .after(5, '', heard(view('server3', 'standby', { sync: inSyncOfThree })))
    .after(100, '', { kind: 'instance-check', outcome: { kind: 'gone' } })
    .after(50, '', { kind: 'instance-stopped', proof: null });

const taking: Takeover = {
  from: 'server1',
  kind: 'handover',
  id: 0,
  checkpoint: null,
  stage: 'promote',
  lsn: '0/3000060',
};

describe('a role that was given away', () => {
  it('is offered to another standby when the first one falls silent without a word', () => {
    const it1 = given();
    expect(it1.state.giving?.handover.to).toBe('server2');
    const third = heard(view('server3', 'standby'));
    for (let round = 0; round < 12; round += 1) it1.after(400, '', third).after(400, '', { kind: 'tick' });
    expect(it1.state.giving?.handover.to).toBe('server3');
  });

  it('stays with a server that fell silent while it took it: that may have acknowledged commits', () => {
    const it1 = given();
    const id = it1.state.giving?.handover.id ?? 0;
    it1.after(50, '', heard(view('server2', 'standby', { takeover: { ...taking, id } })));
    const third = heard(view('server3', 'standby'));
    for (let round = 0; round < 12; round += 1) it1.after(400, '', third).after(400, '', { kind: 'tick' });
    expect(it1.state.giving?.handover.to).toBe('server2');
  });

  it('is offered to whoever holds the most where the receivers were cut, and not by the look before that', () => {
    const handover = { id: 7, kind: 'failover', to: 'server2', checkpoint: null } as const;
    const giver = view('server1', 'primary', {
      phase: 'stopped',
      report: null,
      sync: inSyncOfThree,
      handover,
    });
    const takes = { ...taking, id: 7, stage: 'gather', lsn: '0/3000068' } as const;
    const third = new Conversation('server3', 3)
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby', { lsn: '0/3000060' })))
      .after(10, 'server1 hands over', heard(giver))
      .after(10, 'server2 takes over', heard(view('server2', 'standby', { takeover: takes })))
      .after(50, 'its receiver is cut', { kind: 'receiver-cut', lsn: '0/3000070' })
      .after(10, 'server2 has refused', heard(view('server2', 'standby')));
    expect(third.state).toMatchObject({ yield: null, own: { report: { lsn: '0/3000070' } } });
  });
});
