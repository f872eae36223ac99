/** A plan as people and programs see it. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { unifiedDiff } from '../../src/report/diff.ts';
import { leftAloneJson, planJson, planText } from '../../src/report/plan.ts';
import { table } from '../../src/report/table.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import { observation } from '../plan/fakes.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const view: View = { hosts: new Map(), primary: 'server1' };
const options = { colour: false, diff: false, all: false };
const restart = [{ action: 'restart', target: 'instance' }] as const;
const mixed = (): Plan =>
  makePlan([
    observation('server1/a', 'right'),
    observation('server1/b', 'wrong', { effects: restart }),
    observation('server1/c', 'unknown'),
    observation('server2/d', 'refused'),
    observation('server2/e', 'right'),
  ]);

describe('the text of a plan', () => {
  it('has each host with what is open, restarts, and a sum', () => {
    expect(planText(mixed(), pair, view, options).split('\n')).toEqual([
      'server1  primary  192.0.2.100',
      '  ~ make b  (wrong)',
      '  ? thing c  (decided after server1: thing b)',
      '',
      'server2  standby  192.0.2.110',
      '  ! not d',
      '',
      'PostgreSQL is restarted on: server1',
      'refused: nothing is changed',
    ]);
  });

  it('counts what is changed, and what is decided on the way, where nothing is refused', () => {
    const plan = makePlan([observation('server1/b', 'wrong'), observation('server1/c', 'unknown')]);
    expect(planText(plan, pair, view, options)).toContain('1 to change, 1 to be decided on the way');
  });

  it('shows what is right only when it is asked for', () => {
    expect(planText(mixed(), pair, view, { ...options, all: true })).toContain('  = thing a: right');
  });

  it('of a cluster in good order is one line', () => {
    expect(planText(makePlan([observation('server1/a', 'right')]), pair, view, options)).toBe(
      'nothing to change',
    );
  });

  it('names who is left alone, and speaks of the others alone', () => {
    const seen = {
      number: 1,
      by: 'alice',
      since: '2026-11-30T10:00:00.000Z',
      until: '2026-11-30T12:00:00.000Z',
      reason: 'disks\u001b[2J',
    };
    const leftAlone = new Map([['server2', seen]]);
    expect(planText(makePlan([]), pair, view, { ...options, leftAlone }).split('\n')).toEqual([
      expect.stringMatching(
        /^server2 is left alone: in maintenance by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 12:00 UTC: disks[^\u001b]*$/,
      ),
      'nothing to change on 1 of 2 servers',
    ]);
    expect(leftAloneJson(leftAlone)).toMatchObject([
      { server: 'server2', by: 'alice', since: seen.since, until: seen.until },
    ]);
    const after = { ...view, primary: 'server2', maintained: new Map([['server1', seen]]) };
    expect(planText(makePlan([]), pair, after, options)).not.toContain('pgduet switch --to server1');
  });

  it('says when another server is primary than the preferred one', () => {
    expect(planText(makePlan([]), pair, { ...view, primary: 'server2' }, options)).toContain(
      'server2 is primary; the inventory prefers server1.',
    );
  });
});

describe('the JSON of a plan', () => {
  it('has an entry for everything that is not right', () => {
    expect(planJson(mixed())).toEqual([
      {
        host: 'server1',
        resource: 'thing b',
        state: 'change',
        summary: 'make b',
        reason: 'wrong',
        effects: restart,
      },
      {
        host: 'server1',
        resource: 'thing c',
        state: 'deferred',
        expect: 'change',
        waits_for: { host: 'server1', id: 'thing b' },
        reason: 'could not look',
      },
      { host: 'server2', resource: 'thing d', state: 'refused', code: 'SAF001', reason: 'not d' },
    ]);
  });
});

it('a diff shows what differs and nothing where nothing does', () => {
  expect(unifiedDiff('a\nb\n', 'a\nc\n', '/f').filter((line) => /^[-+][abc]/.test(line))).toEqual([
    '-b',
    '+c',
  ]);
  expect(unifiedDiff('a\n', 'a\n', '/f')).toEqual([]);
});

it('a table has its columns in line and a dash for nothing', () => {
  expect(
    table([
      ['a', 'long'],
      ['bcd', ''],
    ]),
  ).toEqual(['a    long', 'bcd  -']);
});
