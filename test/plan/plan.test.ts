/** From what is wanted and what was seen to what is done: decisions, order, batches, merged restarts. */
import { describe, expect, it } from 'vitest';
import { nextBatch } from '../../src/plan/batch.ts';
import { clockProblems } from '../../src/plan/clocks.ts';
import {
  isEmpty,
  makePlan,
  type ObservedResource,
  type Plan,
  pending,
  type Ref,
  refusals,
  troubles,
  waitingForNothing,
  worthAnotherLook,
} from '../../src/plan/plan.ts';
import {
  change,
  degraded,
  type Effect,
  refuse,
  same,
  type Verdict,
} from '../../src/resources/contract/kind.ts';
import { observation, type Reported, type Seen } from './fakes.ts';

/** "a/one right", with what else is told of it. */
const planOf = (...rows: readonly (readonly [string, Seen, Reported?])[]): Plan =>
  makePlan(rows.map(([id, seen, told]) => observation(id, seen, told)));

/** "a/one: change", with what it waits for. */
const decided = (plan: Plan): readonly string[] =>
  plan.decisions.map((one) => {
    const { host, id } = one.resource;
    const name = `${host}/${id.split(' ')[1]}: ${one.kind}`;
    if (one.kind === 'deferred') return `${name} (${one.waitsFor.host}/${one.waitsFor.id.split(' ')[1]})`;
    return one.kind === 'change' && one.blocked.length > 0
      ? `${name} blocked by ${one.blocked.map((ref) => ref.id.split(' ')[1]).join(',')}`
      : name;
  });

/** What each host does now, in order; effects stand as "reload instance". */
const batched = (plan: Plan): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    nextBatch(plan).map(({ host, items }) => [
      host,
      items.map((item) =>
        item.kind === 'change' ? item.summary : `${item.effect.action} ${item.effect.target}`,
      ),
    ]),
  );

describe('a plan that is refused', () => {
  it('waits for nothing where it would be carried out, and tells a check what there is', () => {
    const plan = planOf(['a/x', 'refused'], ['b/y', 'wrong'], ['b/wait', 'wrong']);
    expect(decided(plan)).toEqual(['a/x: refused', 'b/y: change', 'b/wait: change']);
    expect(decided(waitingForNothing(plan))).toEqual([
      'a/x: refused',
      'b/y: change',
      'b/wait: deferred (a/x)',
    ]);
    const whole = planOf(['b/wait', 'wrong']);
    expect(waitingForNothing(whole)).toBe(whole);
  });
});

describe('a plan', () => {
  it.each([
    ['what is right stays', [['a/x', 'right']], ['a/x: same']],
    [
      'what is wrong or absent is changed',
      [
        ['a/x', 'wrong'],
        ['a/y', 'absent'],
      ],
      ['a/x: change', 'a/y: change'],
    ],
    ['what must not be changed is refused', [['a/x', 'refused']], ['a/x: refused']],
    ['what could not be seen is not taken for absent', [['a/x', 'unknown']], ['a/x: unseen']],
    [
      'what could not be seen is decided after what is changed above it',
      [
        ['a/x', 'wrong'],
        ['a/y', 'unknown'],
        ['a/z', 'unknown'],
      ],
      ['a/x: change', 'a/y: deferred (a/x)', 'a/z: deferred (a/y)'],
    ],
    [
      'a change on another host explains nothing',
      [
        ['b/x', 'wrong'],
        ['a/y', 'unknown'],
      ],
      ['b/x: change', 'a/y: unseen'],
    ],
    [
      'unless it is what it comes after',
      [
        ['b/x', 'wrong'],
        ['a/y', 'unknown', { after: ['b/x'] }],
      ],
      ['b/x: change', 'a/y: deferred (b/x)'],
    ],
    [
      'a change behind something that is not right yet is blocked',
      [
        ['a/y', 'wrong', { after: ['b/x'] }],
        ['b/x', 'wrong'],
      ],
      ['a/y: change blocked by x', 'b/x: change'],
    ],
    [
      'and not blocked once that is right',
      [
        ['a/y', 'wrong', { after: ['b/x'] }],
        ['b/x', 'right'],
      ],
      ['a/y: change', 'b/x: same'],
    ],
    [
      'what is late is not decided by an early look',
      [
        ['b/x', 'wrong'],
        ['a/y', 'right', { after: ['b/x'], late: true }],
      ],
      ['b/x: change', 'a/y: deferred (b/x)'],
    ],
    [
      'nor where an early look finds a difference',
      [
        ['b/x', 'wrong'],
        ['a/y', 'wrong', { after: ['b/x'], late: true }],
      ],
      ['b/x: change', 'a/y: deferred (b/x)'],
    ],
    [
      'unless its steps look themselves: that they are needed is known early, that they are not is not',
      [
        ['b/x', 'wrong'],
        ['a/again1', 'wrong', { after: ['b/x'], late: true }],
        ['a/again2', 'right', { after: ['b/x'], late: true }],
      ],
      ['b/x: change', 'a/again1: change blocked by x', 'a/again2: deferred (b/x)'],
    ],
    [
      'what stands in a directory that is made anew is not believed',
      [
        ['a/x', 'wrong', { renews: '/data' }],
        ['a/y', 'refused', { inside: '/data/pg_wal' }],
        ['a/z', 'right', { inside: '/database/file' }],
      ],
      ['a/x: change', 'a/y: deferred (a/x)', 'a/z: same'],
    ],
    [
      'what runs from such a directory is started again behind it, and is not waited for before',
      [
        ['a/x', 'wrong', { renews: '/data' }],
        ['a/y', 'right', { runsFrom: '/data' }],
        ['a/z', 'wrong', { runsFrom: '/data' }],
        ['b/y', 'right', { runsFrom: '/data' }],
        ['b/wait', 'wrong', { after: ['a/y'] }],
      ],
      ['a/x: change', 'a/y: deferred (a/x)', 'a/z: change', 'b/y: same', 'b/wait: change blocked by y'],
    ],
    [
      'and is decided when its time has come',
      [
        ['b/x', 'right'],
        ['a/y', 'right', { after: ['b/x'], late: true }],
      ],
      ['b/x: same', 'a/y: same'],
    ],
    [
      'and where what it comes after stands further down or on a later host',
      [
        ['a/z', 'right', { after: ['a/y'], late: true }],
        ['a/y', 'right', { after: ['b/x'], late: true }],
        ['b/x', 'right'],
      ],
      ['a/z: same', 'a/y: same', 'b/x: same'],
    ],
  ] satisfies [string, [string, Seen, Reported?][], string[]][])('%s', (_, rows, expected) => {
    expect(decided(planOf(...(rows as [string, Seen, Reported?][])))).toEqual(expected);
  });

  it('is empty only when everything was seen to be right', () => {
    expect(isEmpty(planOf(['a/x', 'right']))).toBe(true);
    for (const seen of ['wrong', 'absent', 'refused', 'unknown'] as const)
      expect(isEmpty(planOf(['a/w', 'right'], ['a/x', seen]))).toBe(false);
  });

  it('tells every refusal at once, each with its host', () => {
    const found = refusals(planOf(['a/x', 'refused'], ['b/y', 'unknown'], ['b/z', 'wrong']));
    expect(found.map(({ code, host }) => [code, host])).toEqual([
      ['SAF001', 'a'],
      ['HST002', 'b'],
    ]);
    expect(found[1]).toMatchObject({ what: 'thing y could not be looked at', evidence: ['could not look'] });
  });

  it('shows what is changed and what is decided later', () => {
    expect(
      pending(planOf(['a/w', 'right'], ['a/x', 'wrong'], ['a/y', 'unknown'])).map(({ kind }) => kind),
    ).toEqual(['change', 'deferred']);
  });

  it.each([
    [
      'what only waits is left too, on every host, and what is looked at behind it',
      [
        ['a/wait1', 'wrong'],
        ['a/late', 'wrong', { after: ['a/wait1'], late: true }],
        ['a/again', 'wrong', { after: ['a/wait1'], late: true }],
        ['b/x', 'degraded'],
        ['b/wait2', 'wrong'],
      ],
      ['a/wait1: degraded', 'a/late: degraded', 'a/again: degraded', 'b/x: degraded', 'b/wait2: degraded'],
    ],
    [
      'what can be changed is changed, unless it comes after that',
      [
        ['a/x', 'degraded'],
        ['a/y', 'wrong'],
        ['a/z', 'wrong', { after: ['a/x'] }],
      ],
      ['a/x: degraded', 'a/y: change', 'a/z: change blocked by x'],
    ],
    [
      'what is right stays right, and a wait that is over too',
      [
        ['a/x', 'degraded'],
        ['a/wait1', 'right'],
      ],
      ['a/x: degraded', 'a/wait1: same'],
    ],
  ] satisfies [string, [string, Seen, Reported?][], string[]][])('in trouble: %s', (_, rows, expected) => {
    const plan = planOf(...(rows as [string, Seen, Reported?][]));
    expect(decided(plan)).toEqual(expected);
    expect(isEmpty(plan)).toBe(false);
    expect(refusals(plan)).toEqual([]);
    expect(troubles(plan).map(({ what }) => what)).toEqual(['without x']);
  });

  it('tells a trouble once, however many tell of it', () => {
    const plan = planOf(['a/x', 'degraded'], ['b/x', 'degraded'], ['b/y', 'degraded']);
    expect(troubles(plan).map(({ what, host }) => [what, host])).toEqual([
      ['without x', 'a'],
      ['without y', 'b'],
    ]);
    expect(pending(plan)).toEqual([]);
    expect(nextBatch(plan)).toEqual([]);
  });

  it('is looked at again wherever it is open, but not where something only waits', () => {
    const plan = planOf(
      ['a/right', 'right'],
      ['a/x', 'wrong'],
      ['a/wait1', 'wrong', { after: ['b/y'] }],
      ['a/wait2', 'wrong'],
      ['b/y', 'wrong'],
    );
    const looked = (...doing: readonly Ref[]) => worthAnotherLook(plan, doing).map(({ id }) => id);
    expect(looked()).toEqual(['thing x', 'wait wait2', 'thing y']);
    // What a batch has waited for would be waited for again.
    expect(looked({ host: 'a', id: 'wait wait1' })).toEqual([
      'thing x',
      'wait wait1',
      'wait wait2',
      'thing y',
    ]);
  });
});

describe('a batch', () => {
  const restarts = { effects: [{ action: 'restart', target: 'instance' }] } as const;
  const hostsThatRestart = (plan: Plan, primary: string): readonly string[] =>
    nextBatch(plan, primary)
      .filter(({ items }) => items.some((item) => item.kind === 'effect' && item.effect.action === 'restart'))
      .map(({ host }) => host);

  it('restarts one instance at a time, the primary last; the others do what needs no restart', () => {
    const open = ['a', 'b', 'c'].map((host) => [`${host}/x`, 'wrong', restarts] as const);
    expect(hostsThatRestart(planOf(...open), 'a')).toEqual(['b']);
    expect(hostsThatRestart(planOf(...open), 'b')).toEqual(['a']);
    expect(hostsThatRestart(planOf(...open.slice(0, 2)), 'b')).toEqual(['a']);
    expect(hostsThatRestart(planOf(...open.slice(0, 1)), 'a')).toEqual(['a']);
    const plan = planOf(['a/w', 'wrong'], ['a/x', 'wrong', restarts], ['b/x', 'wrong', restarts]);
    expect(nextBatch(plan, 'a').map(({ host, items }) => [host, items.length])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('restarts a controller that gets another program like an instance, and all at once for another reason', () => {
    const inTurn = { effects: [{ action: 'restart', target: 'controller', inTurn: true }] } as const;
    const together = { effects: [{ action: 'restart', target: 'controller' }] } as const;
    const hosts = ['a', 'b', 'c'];
    const both = hosts.flatMap((host) => [
      [`${host}/key`, 'wrong', together] as const,
      [`${host}/program`, 'wrong', inTurn] as const,
    ]);
    // A new key is on all of them before the first one has a new program: they would not hear each other.
    expect(nextBatch(planOf(...both), 'a').map(({ host, items }) => [host, items.length])).toEqual([
      ['a', 2],
      ['b', 3],
      ['c', 2],
    ]);
    const programs = hosts.map((host) => [`${host}/program`, 'wrong', inTurn] as const);
    expect(hostsThatRestart(planOf(...programs), 'a')).toEqual(['b']);
    expect(hostsThatRestart(planOf(...programs.slice(0, 1)), 'a')).toEqual(['a']);
    const keys = hosts.map((host) => [`${host}/key`, 'wrong', together] as const);
    expect(hostsThatRestart(planOf(...keys), 'a')).toEqual(hosts);
  });

  it.each([
    [
      'takes every host as far as it can',
      [
        ['a/x', 'wrong'],
        ['a/y', 'wrong'],
        ['b/x', 'wrong'],
      ],
      { a: ['make x', 'make y'], b: ['make x'] },
    ],
    [
      'goes over what is right',
      [
        ['a/x', 'wrong'],
        ['a/y', 'right'],
        ['a/z', 'wrong'],
      ],
      { a: ['make x', 'make z'] },
    ],
    [
      'stops before what cannot be decided yet',
      [
        ['a/x', 'wrong'],
        ['a/y', 'unknown'],
        ['a/z', 'wrong'],
      ],
      { a: ['make x'] },
    ],
    [
      'stops before what waits for another host',
      [
        ['a/x', 'wrong'],
        ['a/y', 'wrong', { after: ['b/z'] }],
        ['a/w', 'wrong'],
        ['b/z', 'wrong'],
      ],
      { a: ['make x'], b: ['make z'] },
    ],
    [
      'goes on where what is waited for is made by itself',
      [
        ['a/x', 'wrong'],
        ['a/y', 'wrong', { after: ['a/x'] }],
      ],
      { a: ['make x', 'make y'] },
    ],
    [
      'does not build twice on one look at a file',
      [
        ['a/x', 'wrong', { touches: '/f' }],
        ['a/y', 'wrong', { touches: '/g' }],
        ['a/z', 'wrong', { touches: '/f' }],
      ],
      { a: ['make x', 'make y'] },
    ],
    [
      'is empty when nothing can be done',
      [
        ['a/x', 'wrong', { after: ['b/y'] }],
        ['b/y', 'wrong', { after: ['a/x'] }],
      ],
      {},
    ],
    ['is empty when nothing is to be done', [['a/x', 'right']], {}],
  ] satisfies [string, [string, Seen, Reported?][], object][])('%s', (_, rows, expected) => {
    expect(batched(planOf(...(rows as [string, Seen, Reported?][])))).toEqual(expected);
  });

  const wants = (...effects: Effect[]): Reported => ({ effects });
  const reload: Effect = { action: 'reload', target: 'instance' };
  const restart: Effect = { action: 'restart', target: 'instance' };
  const controller: Effect = { action: 'reload', target: 'controller' };

  it.each([
    [
      'one reload for many changes, behind the last',
      [wants(reload), wants(reload), {}],
      ['make 0', 'make 1', 'reload instance', 'make 2'],
    ],
    [
      'a restart in place of reloads',
      [wants(reload), wants(restart), wants(reload)],
      ['make 0', 'make 1', 'make 2', 'restart instance'],
    ],
    [
      'each target by itself',
      [wants(reload, controller), wants(controller)],
      ['make 0', 'reload instance', 'make 1', 'reload controller'],
    ],
    ['nothing for what asks for nothing', [{}, {}], ['make 0', 'make 1']],
  ] satisfies [string, Reported[], string[]][])('merges %s', (_, wishes, expected) => {
    const plan = planOf(...wishes.map((told, index) => [`a/${index}`, 'wrong', told] as const));
    expect(batched(plan)).toEqual({ a: expected });
  });

  it('does not do the effects of what is not done yet', () => {
    const plan = planOf(
      ['a/x', 'wrong', wants(reload)],
      ['a/y', 'wrong', { after: ['b/z'], effects: [restart] }],
      ['b/z', 'wrong'],
    );
    expect(batched(plan)).toEqual({ a: ['make x', 'reload instance'], b: ['make z'] });
  });
});

describe('clocks', () => {
  const at = (host: string, offsetMs: number, errorMs = 0) => ({ host, offsetMs, errorMs });
  it.each([
    ['agree', [at('a', 0), at('b', 900)], []],
    ['are a second apart, which is allowed', [at('a', 0), at('b', -1000)], []],
    ['are more than a second apart', [at('a', -200), at('b', 900)], ['b']],
    ['may agree, as far as the looks can tell', [at('a', 0, 200), at('b', 1350, 200)], []],
    ['are apart whatever the looks say', [at('a', 0, 200), at('b', 1450, 200)], ['b']],
    ['are all ahead of ours alike', [at('a', 86_400_000), at('b', 86_400_100)], []],
    ['are one of them wrong', [at('a', 0), at('b', 10), at('c', 5000)], ['c']],
    ['are not known', [], []],
  ])('that %s', (_, observations, hosts) => {
    expect(clockProblems(observations).map(({ host }) => host)).toEqual(hosts);
  });

  it('are told in seconds', () => {
    expect(clockProblems([at('a', 0), at('b', 61_500)])[0]).toMatchObject({
      code: 'HST007',
      what: "the clocks of 'a' and 'b' are 61.5 s apart",
    });
  });
});

it('no advice makes a second primary where the servers look for each other at a wrong address', () => {
  const says = (id: string, verdict: Verdict): ObservedResource => {
    const { resource, observed } = observation(id, 'wrong');
    return { resource: { ...resource, kind: { ...resource.kind, diff: () => verdict } }, observed };
  };
  const advice = 'if the primary is surely down: mc_ctl switch --force -M /mcdir/inst1';
  const told = { code: 'HST012', what: 'not switchable', why: 'it is not heard', fix: advice } as const;
  const difference = {
    code: 'CTL007',
    object: 'b',
    declared: 'switchable',
    found: 'alone',
    repair: advice,
  } as const;
  const name = (code: 'SAF044' | 'SAF001'): Verdict =>
    refuse({ code, what: 'a name', why: 'wrong', fix: 'Correct it.' });
  const plan = (code: 'SAF044' | 'SAF001'): string =>
    JSON.stringify(
      makePlan([
        says('a/x', name(code)),
        says('b/x', { ...degraded(told), differences: [difference] } as Verdict),
        says('b/y', change({ summary: 'wait', reason: 'it is not', differences: [difference] })),
        says('b/z', same('it is so', [difference])),
      ]).decisions.map(({ resource: _, ...rest }) => rest),
    );
  expect(plan('SAF001').match(/--force/g)).toHaveLength(4);
  expect(plan('SAF044')).not.toContain('--force');
  expect(plan('SAF044').match(/repair first what SAF044 says/g)).toHaveLength(4);
});
