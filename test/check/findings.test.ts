/** Differences, plans and what could not be looked at become findings; findings become an exit status. */
import { describe, expect, it } from 'vitest';
import { type FindingCode, findingCodes } from '../../src/base/finding-codes.ts';
import { byGravity, type Finding, findingOf, type Reported } from '../../src/check/finding.ts';
import { planFindings, planUnseen } from '../../src/check/from-plan.ts';
import { countOf, exitOf } from '../../src/check/report.ts';
import { unseenFindings, withoutStopped } from '../../src/check/unseen.ts';
import { type Decision, makePlan, type Plan } from '../../src/plan/plan.ts';
import { observation, resource, type Seen, type Reported as Wish } from '../plan/fakes.ts';

const command = 'pgduet provision -i inventory.yml';
const told = (code: FindingCode, more: Partial<Reported> = {}): Finding =>
  findingOf({ code, host: 'server1', object: 'x', declared: 'a', found: 'b', ...more }, command);
const planOf = (...rows: readonly (readonly [string, Seen, Wish?])[]): Plan =>
  makePlan(rows.map(([id, seen, wish]) => observation(id, seen, wish)));
const decision = (more: object): Plan => ({
  decisions: [{ resource: resource('a/x'), ...more } as Decision],
});

describe('a finding', () => {
  it('says everything that a person needs to judge it', () => {
    expect(told('SET002', { object: 'fsync', source: 'auto.conf:3', since: 0 })).toEqual({
      code: 'SET002',
      severity: 'drift',
      host: 'server1',
      object: 'fsync',
      what: `fsync: ${findingCodes.SET002.title}`,
      declared: 'a',
      found: 'b',
      source: 'auto.conf:3',
      since: '1970-01-01T00:00:00Z',
      consequence: findingCodes.SET002.consequence,
      repairedBy: 'provision',
      repair: command,
      commands: [{ on: null, run: command }],
      diff: null,
    });
  });

  it('names the host and the object in what a person does', () => {
    const found = told('SLT002', { object: 'old_slot' });
    expect(found.repairedBy).toBe('person');
    expect(found.repair).toContain("pg_drop_replication_slot('old_slot') on server1");
  });

  it('is up to a person when the one who tells it knows better', () => {
    expect(told('SET001', { repair: 'Look at {object}.' })).toMatchObject({
      repairedBy: 'person',
      repair: 'Look at x.',
    });
  });

  it('stands in the order of its gravity, then of hosts and codes', () => {
    const all = [told('PRF001'), told('SET001'), told('HBA002', { host: 'server2' }), told('HBA002')];
    const sorted = [...all].sort(byGravity).map(({ code, host }) => `${code} ${host}`);
    expect(sorted).toEqual(['HBA002 server1', 'HBA002 server2', 'SET001 server1', 'PRF001 server1']);
  });
});

describe('the table of codes', () => {
  it.each(Object.entries(findingCodes))('%s has every text, without a full stop at its end', (_, rule) => {
    for (const text of [rule.title, rule.consequence, rule.repair]) expect(text).toMatch(/[^.\s]$/);
  });
});

describe('a plan', () => {
  it('tells nothing where everything is right', () => {
    const plan = planOf(['a/x', 'right'], ['b/y', 'right']);
    expect([...planFindings(plan, command), ...unseenFindings(planUnseen(plan))]).toEqual([]);
  });

  it('tells a change in its own words where its kind knows no differences', () => {
    expect(planFindings(planOf(['a/x', 'wrong']), command)).toMatchObject([
      { code: 'RES001', host: 'a', object: 'thing x', declared: 'make x', found: 'wrong', repair: command },
    ]);
  });

  it('tells each difference, with the text beside the first one that provision repairs', () => {
    const differences = [
      { code: 'SET003', object: 'one', declared: '1', found: '2' },
      { code: 'SET001', object: 'two', declared: '1', found: '2' },
      { code: 'SET001', object: 'three', declared: '1', found: '2' },
    ];
    const text = { before: 'x\n', after: 'y\n', name: 'f' };
    const change = { summary: 's', reason: 'r', differences, text };
    const found = planFindings(decision({ kind: 'change', change, blocked: [] }), command);
    expect(found.map(({ object, repairedBy, diff }) => [object, repairedBy, diff])).toEqual([
      ['one', 'person', null],
      ['two', 'provision', text],
      ['three', 'provision', null],
    ]);
  });

  it('tells what is right for provision and up to a person', () => {
    const differences = [{ code: 'SET005', object: 'one', declared: '1', found: '2', repair: 'ALTER' }];
    const found = planFindings(decision({ kind: 'same', reason: 'right', differences }), command);
    expect(found).toMatchObject([{ code: 'SET005', repairedBy: 'person', repair: 'ALTER' }]);
  });

  it('keeps codes of refusals and troubles; a trouble that several tell of stands once', () => {
    const plan = planOf(['a/x', 'refused'], ['a/y', 'degraded'], ['b/y', 'degraded']);
    expect(planFindings(plan, command).map(({ code, severity }) => [code, severity])).toEqual([
      ['SAF001', 'danger'],
      ['HST013', 'degraded'],
    ]);
  });

  it('tells what could not be looked at, once for each host and reason', () => {
    const unseen = planUnseen(
      planOf(['a/x', 'unknown'], ['b/w', 'wrong'], ['b/y', 'unknown'], ['b/z', 'unknown']),
    );
    expect(unseenFindings(unseen)).toMatchObject([
      { code: 'LOK001', severity: 'unknown', host: 'a', object: 'thing x', found: 'could not look' },
      { code: 'LOK001', host: 'b', object: 'thing y, thing z' },
    ]);
  });

  it('is silent about what is looked at late, since what it comes after is told', () => {
    const plan = planOf(['a/x', 'wrong'], ['a/y', 'right', { after: ['a/x'], late: true }]);
    expect(planUnseen(plan)).toEqual([]);
  });
});

describe('what a server does not answer that a person has stopped', () => {
  const noServer = 'psql: error: connection to server on socket "/s" failed: No such file or directory';
  const unseen = [
    { host: 'server1', what: 'replication', reason: noServer },
    { host: 'server1', what: 'a file', reason: 'stat: cannot statx' },
  ];
  const data = (running: boolean) =>
    ({ content: 'cluster', files: [], standbySignal: true, running }) as const;
  const stopped = { since: '?', by: 'somebody' };
  it.each([
    ['is not told', { data: data(false), stopped }, ['a file']],
    ['is told where it runs', { data: data(true), stopped }, ['replication', 'a file']],
    ['is told of one that is down by itself', { data: data(false) }, ['replication', 'a file']],
  ])('%s', (_, host, left) => {
    const view = { primary: 'server2', hosts: new Map([['server1', host]]) };
    expect(withoutStopped(unseen, view).map(({ what }) => what)).toEqual(left);
  });
});

describe('the exit status', () => {
  const refused: Finding = { ...told('RES001'), code: 'SAF003', severity: 'danger', repairedBy: 'person' };
  it.each([
    [0, 'nothing', []],
    [0, 'notes', [told('PRF001')]],
    [1, 'what is degraded and up to a person', [told('SLT002')]],
    [1, 'a danger that is up to a person', [told('SET012')]],
    [1, 'what could not be looked at', [told('LOK001')]],
    [2, 'drift, whoever repairs it', [told('SET003'), told('SET012')]],
    [2, 'a danger that provision repairs', [told('HBA002')]],
    [4, 'a host that is away', [told('LOK002'), told('SET001')]],
    [5, 'a refusal, before all others', [told('LOK002'), told('SET001'), refused]],
  ])('is %d for %s', (exit, _, findings) => {
    expect(exitOf(findings)).toBe(exit);
  });

  it('goes with counts of every severity', () => {
    expect(countOf([told('SET001'), told('SET002'), told('PRF001')])).toEqual({
      danger: 0,
      degraded: 0,
      drift: 2,
      unknown: 0,
      note: 1,
    });
  });
});
