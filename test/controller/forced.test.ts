/** mc_ctl switch --force on a standby whose primary does not answer: when it is refused, and with which words. */
import { describe, expect, it } from 'vitest';
import type { ServerConf } from '../../src/controller/config.ts';
import { answer, boot, Conversation, heard, report, view } from './support/conversation.ts';

const request = { kind: 'switch', force: true, noFencing: false } as const;
const force = (it: Conversation) =>
  it.after(10, 'mc_ctl switch --force', { kind: 'control', id: 1, request });
const standby = (count: number, conf: Partial<ServerConf> = {}) =>
  new Conversation('server2', count, conf)
    .after(0, 'the controller starts without a record', boot({ running: true, standby: true }))
    .after(10, 'the instance answers', answer(report('standby', { receiver: null })));

describe('a forced takeover', () => {
  it('is refused while the former primary has, or will have, the word that nobody took over', () => {
    const asks = view('server1', 'primary', { phase: 'waiting', report: null });
    const { state } = force(standby(2).after(10, 'server1 is back and asks', heard(asks)));
    expect(state.takeover).toBeNull();
  });

  it('fences the only other server when the record is lost, and nobody when there are several', () => {
    const fencing = { fencingCommand: '/fence' };
    expect(force(standby(2, fencing)).state.takeover).toMatchObject({ from: 'server1', stage: 'fence' });
    expect(force(standby(3, fencing)).state.takeover).toBeNull();
    expect(force(standby(3)).state.takeover).toMatchObject({ from: null });
  });
});
