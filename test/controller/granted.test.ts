/** Two servers with other times: whoever waits less tells it, and counts it only once the other one has heard of it. */
import { expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import type { Persisted } from '../../src/controller/core/state.ts';
import { answer, boot, Conversation, heard, inSync, report, view } from './support/conversation.ts';

/** 2.1 s; the ticks of a conversation are 800 ms apart, and would be pauses at the interval of the profile fast. */
const fast = serverConf({
  dbInstance: '/database/inst1',
  heartbeatErrorAction: 'fallback',
  heartbeatIntervalMs: 500,
  heartbeatTimeoutMs: 200,
});
const normal = serverConf({ dbInstance: '/database/inst1', heartbeatErrorAction: 'fallback' });

const standby = (waitsMs: number | undefined) =>
  new Conversation('server2')
    .after(0, '', boot({ running: true, standby: true }))
    .after(10, '', answer(report('standby')))
    .after(5, '', heard(view('server1', 'primary', { sync: inSync, waitsMs })))
    .silence(800);

it('a standby that stood still for longer than its primary waits does not count on what it was told before', () => {
  expect(standby(4400).suspended(3000).silence(800).state.confirmed).toBe(true);
  expect(standby(undefined).suspended(3000).silence(800).state.confirmed).toBe(true);
  expect(standby(1700).suspended(3000).silence(800).state.confirmed).toBe(false);
  expect(standby(1700).suspended(700).silence(800).state.confirmed).toBe(true);
});

it('a standby whose wall clock was set, either way, cannot tell whether it stood still meanwhile', () => {
  for (const ms of [3_600_000, -3_600_000]) {
    const told = standby(undefined).clockSet(ms).silence(800);
    expect([ms, told.state.confirmed]).toEqual([ms, false]);
    const heardAgain = heard(
      view('server1', 'primary', {
        sync: inSync,
        echoes: { server2: { incarnation: 'first', seq: told.state.seq } },
      }),
    );
    expect([ms, told.after(10, '', heardAgain).state.confirmed]).toEqual([ms, true]);
  }
  for (const ms of [1000, -1000])
    expect(standby(undefined).clockSet(ms).silence(800).state.confirmed).toBe(true);
});

/** A primary whose standby is in sync and has heard this start of it, or has not. */
function primary(conf = normal, restored: Partial<Persisted> = {}, seq: number | null = 0): Conversation {
  const before = new Conversation('server1').after(0, '', boot({ running: true })).state.persisted;
  return new Conversation('server1', 2, conf)
    .after(0, '', boot({ running: true, restored: before && { ...before, sync: inSync, ...restored } }))
    .after(10, '', answer(report('primary')))
    .after(5, '', hears(seq))
    .after(0, '', { kind: 'tick' });
}

let number = 0;
function hears(seq: number | null, waitsMs: number | null = 4400) {
  number += 1;
  const echoes = seq === null ? {} : { server1: { incarnation: 'first', seq } };
  return heard(
    view('server2', 'standby', { sync: inSync, echoes, waitsMs: waitsMs ?? undefined, seq: number }),
  );
}

const reload = { kind: 'reload', conf: fast, servers: primary().state.servers } as const;
const reachAfter = (it: Conversation, ms: number) => it.silence(ms).state.peers.server2?.reach;

it('a time to give up that becomes shorter counts once the peer has heard of it, and is told at once', () => {
  const unheard = primary();
  const { seq } = unheard.after(100, '', reload).state;
  expect(unheard.text()).toMatch(/MCA01028\).*\n.*send a heartbeat/);
  expect(unheard.state).toMatchObject({ grantedMs: 5400, persisted: { grantedMs: 5400 } });
  // It was told before the reload, or had yet to read that.
  unheard.after(100, '', hears(seq - 1));
  expect(reachAfter(unheard, 4800)).toBe('up');
  expect(reachAfter(unheard, 1600)).toBe('lost');
  const known = primary();
  known.after(100, '', reload).after(100, '', hears(seq));
  expect(known.state).toMatchObject({ grantedMs: 2100, persisted: { grantedMs: 2100 } });
  expect(reachAfter(known, 1600)).toBe('up');
  expect(reachAfter(known, 800)).toBe('lost');
});

it('a peer of an earlier version heeds nothing of it', () => {
  const it1 = primary();
  it1.after(100, '', reload).after(100, '', hears(it1.state.seq, null));
  expect(reachAfter(it1, 4800)).toBe('up');
});

it('a restart with shorter times remembers what was granted before', () => {
  const silent = primary(fast, { grantedMs: 5400 }, null);
  expect(reachAfter(silent, 4800)).toBe('up');
  expect(reachAfter(primary(fast, { grantedMs: 5400 }), 2400)).toBe('lost');
});

it('longer times count at once', () => {
  const it1 = primary(fast).after(100, '', { ...reload, conf: normal });
  expect(reachAfter(it1, 4800)).toBe('up');
});
