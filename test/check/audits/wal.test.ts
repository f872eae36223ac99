/** Timelines, and WAL that is kept for a standby that is away. */
import { describe, expect, it } from 'vitest';
import type { AuditContext } from '../../../src/check/audit.ts';
import { away, keptWords } from '../../../src/check/audits/away.ts';
import { timelines } from '../../../src/check/audits/timelines.ts';
import type { HostView } from '../../../src/observe/survey.ts';
import { brief, reply, tell, type Wish } from './context.ts';

/** A server that does not run, as its control file tells. */
const stopped = (position: string, timeline: number, systemIdentifier = '7'): HostView => ({
  data: {
    content: 'cluster',
    files: [],
    standbySignal: true,
    running: false,
    control: {
      systemIdentifier,
      state: 'shut down in recovery',
      timeline,
      checkpoint: position,
      checksums: true,
      reached: { position, timeline },
    },
  },
});
const views = (second: HostView): Wish => ({ views: { server1: stopped('0/9000000', 2), server2: second } });

describe('timelines', () => {
  const history = '1\t0/5000000\tno recovery target specified\n';
  const leader = { recovery: false, position: { lsn: '0/9000000', timeline: 2 }, history };
  const one = { server1: reply(leader) };
  const with2 = (lsn: string, timeline: number) => ({
    ...one,
    server2: reply({ recovery: true, position: { lsn, timeline }, history: null }),
  });
  const told = (replies: Parameters<typeof tell>[1], wish: Wish = views(stopped('0/1', 1))) =>
    brief(tell(timelines, replies, wish));

  it.each<[string, string, number, string[]]>([
    ['the same one', '0/9000000', 2, []],
    ['the older one, up to where it was left', '0/5000000', 1, []],
    ['the older one, beyond that', '0/5000028', 1, ['REP007 server2 server2']],
    ['one that the primary has never been on', '0/4000000', 3, ['REP007 server2 server2']],
  ])('of a standby that is on %s', (_, lsn, timeline, expected) => {
    expect(told(with2(lsn, timeline))).toEqual(expected);
  });

  it('of one that does not run are those of its control file', () => {
    expect(told(one, views(stopped('0/6000000', 1)))).toEqual(['REP007 server2 server2']);
    expect(told(one, views(stopped('0/4000000', 1)))).toEqual([]);
  });

  it('say where they part', () => {
    expect(tell(timelines, with2('0/6000000', 1), views(stopped('0/1', 1)))[0]).toMatchObject({
      declared: 'timeline 2 of server1, which left timeline 1 at 0/5000000',
      found: 'timeline 1 at 0/6000000',
    });
  });

  it("say nothing of another system's data, or without a primary", () => {
    expect(told(one, views(stopped('0/6000000', 1, '8')))).toEqual([]);
    expect(told(with2('0/6000000', 1), { ...views(stopped('0/1', 1)), primary: null })).toEqual([]);
  });
});

describe('WAL for a standby that is away', () => {
  const mb = 1024 ** 2;
  const kept = {
    recovery: false,
    position: { lsn: '0/9000000', timeline: 1 },
    senders: [],
    oldest: '0000000000000003',
    segmentBytes: 16 * mb,
    keepBytes: 128 * mb,
    slotted: null,
    slotBytes: -1,
  };
  const told = (more: object, position: string) =>
    tell(away, { server1: reply({ ...kept, ...more }) }, views(stopped(position, 1)));

  it.each<[string, object, string, string | undefined]>([
    ['plenty', {}, '0/8000100', undefined],
    ['none: it streams', { senders: ['server2'] }, '0/1000000', undefined],
    ['gone', {}, '0/2000100', 'server1 keeps none before 0/3000000: 16 MB are missing'],
    [
      'little',
      { keepBytes: 100 * mb },
      '0/3F00000',
      'server1 keeps it for 4 MB of WAL more (wal_keep_size 100 MB)',
    ],
    [
      'by chance',
      { keepBytes: 64 * mb },
      '0/3F00000',
      'server1 removes it at one of the next checkpoints (wal_keep_size 64 MB)',
    ],
    ['by a slot', { keepBytes: 0, slotted: '0/3000000' }, '0/3F00000', undefined],
  ])('that is kept: %s', (_, more, position, found) => {
    expect(told(more, position).map((one) => one.found)).toEqual(found === undefined ? [] : [found]);
  });

  it('is told with its name', () => {
    expect(brief(told({}, '0/2000100'))).toEqual(['REP010 server2 server2']);
  });

  it.each<[object, string, string | undefined]>([
    [{}, '0/8000100', 'server1 keeps the WAL that it lacks, 16 MB, and 112 MB more (wal_keep_size)'],
    [{ senders: ['server2'] }, '0/8000100', undefined],
    // REP010 tells that.
    [{}, '0/2000100', undefined],
    [
      { keepBytes: 64 * mb },
      '0/3F00000',
      'server1 keeps the WAL that it lacks, 96 MB, until one of the next checkpoints (wal_keep_size)',
    ],
    [
      { keepBytes: 0, slotted: '0/3000000' },
      '0/3F00000',
      'server1 keeps the WAL that it lacks, 96 MB, by a slot without a limit: its disk fills',
    ],
    [
      { keepBytes: 0, slotted: '0/3000000', slotBytes: 128 * mb },
      '0/3F00000',
      'server1 keeps the WAL that it lacks, 96 MB, and 32 MB more (max_slot_wal_keep_size)',
    ],
  ])('is told of a server in maintenance, while there is enough: %j', (more, position, words) => {
    const context = {
      cluster: { servers: [] },
      primary: 'server1',
      view: { hosts: new Map([['server2', { data: { control: { reached: { position, timeline: 1 } } } }]]) },
    } as unknown as AuditContext;
    expect(keptWords(context, new Map([['server1', { ...kept, ...more }]]), 'server2')).toBe(words);
  });

  it("is none of this cluster's where the data are of another one, which no rebuild may take", () => {
    const foreign = views(stopped('0/2000100', 1, '8'));
    expect(tell(away, { server1: reply(kept) }, foreign)).toEqual([]);
  });
});
