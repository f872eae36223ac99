/** mc_ctl switch --to: the standby that is named gets the role, or nobody does. */
import { describe, expect, it } from 'vitest';
import { onSwitchCommand } from '../../src/controller/core/request.ts';
import type { State } from '../../src/controller/core/state.ts';
import { isPeerRequest } from '../../src/controller/io/view.ts';
import { boot, Conversation, report, sender, view } from './support/conversation.ts';

/** server1 is primary; both standbys may take over, and server3 is ahead. */
function threeServers(eligible: readonly string[]): State {
  const senders = [sender('server2'), sender('server3', 'streaming', 'potential')];
  const ahead = view('server3', 'standby', { report: report('standby', { lsn: '0/3000100' }) });
  const { state } = new Conversation('server1', 3)
    .after(0, 'the controller starts and finds its instance running', boot({ running: true }))
    .after(10, 'the instance answers', {
      kind: 'instance-check',
      outcome: { kind: 'answer', report: report('primary', { senders }) },
    })
    .after(5, 'server2 is a standby', { kind: 'heard', peer: 'server2', view: view('server2', 'standby') })
    .after(5, 'server3 is a standby', { kind: 'heard', peer: 'server3', view: ahead });
  const voters = ['server2', 'server3'];
  const sync = { primary: 'server1', timeline: 1, epoch: 2, members: voters, voters, eligible, needed: 1 };
  return { ...state, sync, change: null };
}

const ask = (state: State, to?: string) =>
  onSwitchCommand(
    state,
    { kind: 'control', id: 1 },
    { kind: 'switch', force: false, noFencing: false, ...(to ? { to } : {}) },
  );

describe('mc_ctl switch --to', () => {
  const both = threeServers(['server2', 'server3']);

  it('gives the role to the standby that is named, also when another one is ahead', () => {
    expect(ask(both, 'server2').state.preparing?.to).toBe('server2');
    expect(ask(both).state.preparing?.to).toBe('server3');
  });

  it('does nothing when that one may not take over, or is no standby', () => {
    for (const [state, to] of [
      [threeServers(['server3']), 'server2'],
      [both, 'server1'],
      [both, 'nobody'],
    ] as const) {
      const { state: after, actions } = ask(state, to);
      expect(after.preparing).toBeNull();
      expect(actions).toMatchObject([
        { kind: 'reply', ok: false, text: expect.stringContaining(`${to} cannot take over`) },
      ]);
    }
  });

  it('travels between servers, and only as a name', () => {
    const request = { kind: 'switch', force: false, noFencing: false };
    expect([request, { ...request, to: 'server2' }, { ...request, to: 2 }].map(isPeerRequest)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
