/** A controller that attaches to an instance which is already there watches it like one that it has started. */
import { describe, expect, it } from 'vitest';
import { boot, Conversation, heard, inSync, view } from './support/conversation.ts';

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
