/** The ticks between the usual ones: when a silence is long enough, and while the answers to it are out. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tickWantedAt } from '../../src/controller/core/haste.ts';
import type { State } from '../../src/controller/core/state.ts';
import { Haste } from '../../src/controller/haste.ts';
import { answer, boot, Conversation, heard, inSync, recorded, report, view } from './support/conversation.ts';

const giveUpMs = 5400;

const standby = () =>
  new Conversation('server2')
    .after(0, 'the host boots', boot({ standby: true, running: true }))
    .after(100, 'the instance answers', answer(report('standby')))
    .after(100, 'the primary is heard', heard(view('server1', 'primary', { sync: inSync })));

const primary = () =>
  new Conversation('server1')
    .after(0, 'the host boots', boot({ running: true, restored: recorded({ sync: inSync }) }))
    .after(100, 'the instance answers', answer(report('primary')));

const tick = (talk: Conversation, ms: number): Conversation => talk.after(ms, 'a tick', { kind: 'tick' });

describe('a tick is wanted', () => {
  it('at the moment at which the silence of a peer is long enough, from its last word on', () => {
    expect(tickWantedAt(standby().state)).toBe(200 + giveUpMs + 1);
    expect(tickWantedAt(tick(standby(), 800).state)).toBe(200 + giveUpMs + 1);
    const again = standby().after(800, 'it is heard again', heard(view('server1', 'primary', { seq: 1 })));
    expect(tickWantedAt(again.state)).toBe(1000 + giveUpMs + 1);
  });

  it('at the moment at which a voter has not streamed for so long, on a primary that never heard it', () => {
    expect(tickWantedAt(primary().state)).toBe(100 + giveUpMs + 1);
  });

  it('behind a silence again and again, for two seconds', () => {
    const silent = standby().silence(4800);
    tick(silent, 601);
    expect(silent.state.now).toBe(200 + giveUpMs + 1);
    expect(tickWantedAt(silent.state)).toBe(silent.state.now + 100);
    expect(tickWantedAt(tick(silent, 100).state)).toBe(silent.state.now + 100);
    silent.after(60, 'the instance answers', answer(report('standby')));
    expect(tickWantedAt(silent.state)).toBe(silent.state.now + 40);
    silent.silence(2400);
    expect(tickWantedAt(silent.state)).toBeNull();
  });

  it('while the register has not answered, for two seconds', () => {
    const asking = (talk: Conversation): State => ({
      ...talk.state,
      peers: {},
      vote: { cells: [], term: 1, attempt: 1, stage: 'asking', against: null },
      voteAfter: 200 + giveUpMs,
    });
    expect(tickWantedAt(asking(tick(standby(), 800)))).toBe(1100);
    expect(tickWantedAt(asking(standby().silence(2400)))).toBeNull();
  });
});

describe('the timer of these ticks', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** A controller with its usual ticks, by the fake clock. */
  function withTimer(talk: Conversation) {
    vi.advanceTimersByTime(talk.state.now);
    const ticks: number[] = [];
    const passed = () => tick(talk, performance.now() - talk.state.now);
    const haste = new Haste(
      () => talk.state,
      () => {
        ticks.push(performance.now());
        passed();
        haste.follow();
      },
    );
    haste.follow();
    const usual = (count: number): void => {
      for (let turn = 0; turn < count; turn += 1) {
        vi.advanceTimersByTime(800);
        passed();
        haste.follow();
      }
    };
    return { haste, ticks, usual };
  }

  it('calls at the moment of the silence and behind it, and no more', () => {
    const { ticks, usual } = withTimer(standby());
    usual(6);
    expect(ticks).toEqual([]);
    usual(20);
    expect(ticks[0]).toBe(200 + giveUpMs + 1);
    expect(ticks.length).toBeGreaterThan(15);
    expect(ticks.every((at) => at <= 200 + giveUpMs + 2100)).toBe(true);
  });

  it('calls nobody about a peer that is heard meanwhile, and is set again for it', () => {
    const talk = standby();
    const { ticks, usual } = withTimer(talk);
    usual(6);
    talk.after(0, 'it is heard again', heard(view('server1', 'primary', { seq: 1 })));
    usual(20);
    expect(ticks[0]).toBe(5000 + giveUpMs + 1);
  });

  it('does not run in circles where a tick changes nothing', () => {
    let calls = 0;
    const { state } = standby();
    const stuck: State = { ...state, now: state.now + giveUpMs + 500 };
    const haste = new Haste(
      () => stuck,
      () => {
        calls += 1;
        haste.follow();
      },
    );
    vi.advanceTimersByTime(20_000);
    haste.follow();
    vi.advanceTimersByTime(1000);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(21);
  });

  it('ends with the controller', () => {
    const { haste, ticks } = withTimer(standby());
    haste.end();
    vi.advanceTimersByTime(giveUpMs + 100);
    expect(ticks).toEqual([]);
  });
});
