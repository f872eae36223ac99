/** The longest silences of a peer: which count, for how long they are remembered, and where they are shown. */
import { describe, expect, it } from 'vitest';
import {
  longestSilences,
  newRhythm,
  type Rhythm,
  watchedSeconds,
  withSilence,
} from '../../src/controller/core/rhythm.ts';
import { renderStatus, statusReport } from '../../src/controller/core/status.ts';
import { boot, Conversation, heard, view } from './support/conversation.ts';

const hour = 3_600_000;
const heardAt = (rhythm: Rhythm, ...silences: readonly (readonly [at: number, ms: number])[]): Rhythm =>
  silences.reduce((so, [at, ms]) => withSilence(so, at, ms), rhythm);

describe('the longest silences', () => {
  it('are the three longest of this hour and the one before', () => {
    const one = heardAt(newRhythm(0), [1, 800], [2, 1200], [3, 700], [4, 900], [5, 100]);
    expect(longestSilences(one)).toEqual([1200, 900, 800]);
    const next = heardAt(one, [hour + 1, 1000]);
    expect(longestSilences(next)).toEqual([1200, 1000, 900]);
    expect(longestSilences(heardAt(next, [2 * hour + 1, 10]))).toEqual([1000, 10]);
    expect(longestSilences(heardAt(one, [3 * hour, 10]))).toEqual([10]);
  });

  it('were watched since the beginning, and for two hours at most', () => {
    const rhythm = newRhythm(1000);
    expect(watchedSeconds(rhythm, 61_000)).toBe(60);
    expect(watchedSeconds(heardAt(rhythm, [9.5 * hour, 10]), 9.5 * hour)).toBe(1.5 * 3600 - 1);
  });
});

const tick = { kind: 'tick' } as const;
const conversation = () =>
  new Conversation('server1').after(0, '', boot({ running: true })).after(100, '', tick);
const word = (seq: number, incarnation = 'server2') =>
  heard(view('server2', 'standby', { seq, incarnation }));
const silences = (it: Conversation) =>
  statusReport(it.state, { pid: 1, node: '18' }).servers[1]?.longest_silences_ms;

describe('a controller', () => {
  it('measures from word to word of one start of the peer', () => {
    const it1 = conversation()
      .after(100, '', word(1))
      .after(600, '', tick)
      .after(300, '', word(2))
      .silence(1600)
      .after(10, '', word(3));
    expect(silences(it1)).toEqual([1610, 900]);
    it1.silence(8000).after(0, '', word(1, 'its next start')).after(700, '', word(2, 'its next start'));
    expect(silences(it1)).toEqual([1610, 900, 700]);
  });

  it('counts a silence behind which the peer was given up, and had gone on', () => {
    const it1 = conversation().after(100, '', word(1)).silence(8000);
    expect(it1.state.peers.server2?.reach).toBe('lost');
    expect(silences(it1.after(10, '', word(2)))).toEqual([8010]);
  });

  it('does not blame a peer for its own pause', () => {
    const it1 = conversation().after(100, '', word(1)).after(9000, '', word(2));
    expect(silences(it1)).toEqual([0]);
  });

  it('begins anew with a reload, whose times may be others', () => {
    const it1 = conversation().after(100, '', word(1)).after(600, '', tick).after(300, '', word(2));
    const { conf, servers } = it1.state;
    expect(silences(it1.after(10, '', { kind: 'reload', conf, servers }))).toEqual([]);
  });

  it('shows them after a minute, of a peer that is heard', () => {
    const it1 = conversation().after(100, '', word(1));
    const told = () => renderStatus(statusReport(it1.state, { pid: 1, node: '18' }));
    for (let seq = 2; seq < 60; seq += 1) it1.after(700, '', tick).after(200, '', word(seq));
    expect(told()).not.toContain('silence');
    for (let seq = 60; seq < 100; seq += 1) it1.after(700, '', tick).after(200, '', word(seq));
    expect(told()).toMatch(/\nlongest silence of server2: 0\.9 s, watched for 1 min\n$/);
    expect(renderStatus(statusReport(it1.silence(8000).state, { pid: 1, node: '18' }))).not.toContain(
      'longest',
    );
  });
});
