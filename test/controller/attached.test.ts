/** A controller that attaches to an instance which is already there watches it like one that it has started. */
import { describe, expect, it } from 'vitest';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSync,
  inSyncOfThree,
  report,
  view,
} from './support/conversation.ts';

const gone = { kind: 'instance-check', outcome: { kind: 'gone' } } as const;

/** The controller of server1 was killed while the instance was being stopped, and has come back. */
function attached(): Conversation {
  const it = new Conversation('server1').after(0, '', boot({ running: true }));
  it.state = { ...it.state, sync: inSync };
  return it;
}

describe('an instance that ends before the controller has had an answer of it', () => {
  it('is handed over to the standby that may take over', () => {
    const it1 = attached()
      .after(10, '', heard(view('server2', 'standby', { sync: inSync })))
      .after(50, '', gone);
    expect(it1.state.giving?.handover.to).toBe('server2');
  });

  it('is started again when nobody may take over', () => {
    const it1 = attached();
    it1.state = { ...it1.state, sync: { ...inSync, eligible: [], voters: [], needed: 0 } };
    it1.after(10, '', { kind: 'peer-refused', peer: 'server2' }).after(50, '', gone).silence(7000);
    expect(it1.state.own.phase).toBe('starting');
  });
});

describe('a standby whose controller ended while it let another one take over', () => {
  const handover = { id: 7, kind: 'failover', to: 'server2', checkpoint: null } as const;
  const takeover = {
    from: 'server1',
    ...handover,
    kind: 'handover',
    stage: 'gather',
    lsn: '0/3000060',
  } as const;
  const giver = view('server1', 'primary', { phase: 'stopped', report: null, sync: inSyncOfThree, handover });
  const taker = view('server2', 'standby', { sync: inSyncOfThree, takeover });
  /** Its record says this; then it comes back beside the instance that has gone on. */
  const back = (lsn: string | null) => {
    const first = new Conversation('server3', 3)
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', answer(report('standby')))
      .after(10, '', heard(giver))
      .after(10, '', heard(taker));
    if (lsn !== null) first.after(50, '', { kind: 'receiver-cut', lsn });
    const { persisted: restored } = first.state;
    expect(restored?.yield).toEqual({ to: 'server2', lsn });
    return new Conversation('server3', 3)
      .after(0, '', boot({ running: true, standby: true, restored }))
      .after(10, '', answer(report('standby')))
      .after(10, '', heard(giver))
      .after(10, 'server2 is heard', heard(taker));
  };

  it('cuts its receiver now, where the order for that went with the controller', () => {
    const told = back(null);
    expect(told.text()).toMatch(/server2 is heard\n(.*\n)*? +cut the WAL receiver/);
    expect(told.after(50, '', { kind: 'receiver-cut', lsn: '0/3000060' }).state.yield?.lsn).toBe('0/3000060');
  });

  it('stays with its word, where it was given', () => {
    const told = back('0/3000060');
    expect(told.state.yield).toEqual({ to: 'server2', lsn: '0/3000060' });
    expect(told.text()).not.toContain('cut the WAL receiver');
  });
});
