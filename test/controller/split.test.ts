/** Where two histories part, and who holds more behind that: from evidence, and never from the higher timeline. */
import { describe, expect, it } from 'vitest';
import { obstacle } from '../../src/controller/core/advice.ts';
import type { Observation } from '../../src/controller/core/obstacle.ts';
import { partedAt, split } from '../../src/controller/core/split.ts';
import type { InstanceReport } from '../../src/controller/core/view.ts';
import { parseHistory } from '../../src/controller/io/history.ts';
import { Conversation, report, sender, view } from './support/conversation.ts';

const on = (timeline: number, ...ends: readonly string[]): InstanceReport =>
  report('primary', {
    timeline,
    history: ends.map((text) => {
      const [line = '', endsAt = ''] = text.split('@');
      return { timeline: Number(line), endsAt };
    }),
  });

describe('two histories part', () => {
  it.each<[string, InstanceReport, InstanceReport, string | null]>([
    ['where the newer one began', on(1), on(2, '1@0/300'), '0/300'],
    [
      'where the newer one left the timeline of the older',
      on(2, '1@0/100'),
      on(3, '1@0/100', '2@0/300'),
      '0/300',
    ],
    [
      'at the earlier end, where both have begun the same timeline',
      on(2, '1@0/300'),
      on(2, '1@0/200'),
      '0/200',
    ],
    ['at an end that both know, with other numbers behind it', on(2, '1@0/300'), on(3, '1@0/300'), '0/300'],
    ['earlier than the present timelines', on(2, '1@0/400'), on(4, '1@0/300', '3@0/500'), '0/300'],
    ['nowhere that shows, on one timeline', on(2, '1@0/300'), on(2, '1@0/300'), null],
    ['nowhere that shows, without a common timeline', on(5, '4@0/500'), on(9, '8@0/900'), null],
    ['nowhere that shows, without a history', report('primary'), on(2, '1@0/300'), null],
    [
      'not at all, in two clusters',
      report('primary', { systemId: '1', history: [] }),
      on(2, '1@0/300'),
      null,
    ],
  ])('%s', (_title, one, other, expected) => {
    expect(partedAt(one, other)).toBe(expected);
    expect(partedAt(other, one)).toBe(expected);
  });

  it('a history file is read line by line', () => {
    const text = '1\t0/3000060\tno recovery target specified\n\n2\tA/5000028\tno recovery target specified\n';
    expect(parseHistory(text)).toEqual([
      { timeline: 1, endsAt: '0/3000060' },
      { timeline: 2, endsAt: 'A/5000028' },
    ]);
  });
});

const { state } = new Conversation('server1');
const server = (id: string, lastTimeline: number, it: InstanceReport): Observation => ({
  id,
  host: `192.0.2.${lastTimeline}`,
  port: 27540,
  fresh: true,
  reach: 'up',
  view: view(id, 'primary', { lastTimeline, report: it }),
  sinceWall: 0,
});
const alone = { synchronousStandbyNames: '', senders: [] };
const older = (change: Partial<InstanceReport>) => server('server1', 1, { ...on(1), ...alone, ...change });
const newer = (change: Partial<InstanceReport>) =>
  server('server2', 2, { ...on(2, '1@0/3000060'), ...alone, ...change });
const advice = (one: Observation, other: Observation, undecided: readonly string[] = []): string =>
  split(state, one, other, undecided).advice;

describe('servers of two clusters', () => {
  it('are never told to be rebuilt, whoever has run more', () => {
    const [one, other] = [older({ nextXid: 90, systemId: '42' }), newer({ nextXid: 50 })];
    for (const { reason, advice: text } of [split(state, one, other, []), split(state, other, one, [])]) {
      expect(reason).toContain('are of two clusters (system identifiers');
      expect(text).not.toContain('pgduet rebuild');
      expect(text).toMatch(/look whose data are on server\d and server\d, and rebuild nothing/);
    }
  });

  it.each(['standby', 'primary'] as const)('nor is one that runs beside the primary as %s', (role) => {
    const primary = older({});
    const it = report(role, { systemId: '42' });
    const foreign = { ...server('server2', 1, it), view: view('server2', role, { report: it }) };
    const found = obstacle(state, primary, foreign);
    expect(found?.reason).toBe('server2 belongs to another cluster');
    expect(found?.advice).not.toContain('pgduet rebuild');
    expect(found?.advice).toContain('may exist nowhere else');
  });
});

describe('two primaries', () => {
  const rebuilt = (text: string): string | undefined => /pgduet rebuild (server\d)/.exec(text)?.[1];

  it.each<[string, Observation, Observation, string | undefined]>([
    ['the older one has run more', older({ nextXid: 90 }), newer({ nextXid: 50 }), 'server2'],
    ['the newer one has run more', older({ nextXid: 50 }), newer({ nextXid: 90 }), 'server1'],
    ['both have run as many', older({ nextXid: 50 }), newer({ nextXid: 50 }), undefined],
    ['one does not say', older({}), newer({ nextXid: 50 }), undefined],
    [
      'commits of the one that has run more wait',
      older({ nextXid: 90, synchronousStandbyNames: 'server2' }),
      newer({ nextXid: 50 }),
      undefined,
    ],
    [
      'the one that has run more has a standby',
      older({ nextXid: 90, synchronousStandbyNames: 'server3', senders: [sender('server3')] }),
      newer({ nextXid: 50 }),
      'server2',
    ],
    [
      'the WAL contradicts',
      older({ nextXid: 90, lsn: '0/3000100' }),
      newer({ nextXid: 50, lsn: '1/3000100' }),
      undefined,
    ],
    [
      'the histories are not known',
      older({ nextXid: 90, history: undefined }),
      newer({ nextXid: 50 }),
      undefined,
    ],
  ])('%s', (_title, one, other, expected) => {
    for (const text of [advice(one, other), advice(other, one)]) {
      expect(rebuilt(text)).toBe(expected);
      expect(text).toContain('keep copies of the data of both');
    }
  });

  it('nobody is stopped or rebuilt while a third one may still become primary', () => {
    const text = advice(older({ nextXid: 90 }), newer({ nextXid: 50 }), ['server3']);
    expect(text).toBe('stop the clients; wait until server3 has become primary, or has not');
  });
});
