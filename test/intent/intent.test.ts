/**
 * What a command intends is settled by the first observation and holds from then on; what is compiled from it depends on nothing
 * but the arguments. Properties over situations of any kind, then the cases that decide over data.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { type Intent, type Situation, settle, targetOf } from '../../src/intent/intent.ts';
import type { RestartIntent } from '../../src/intent/operating.ts';
import { rewinds } from '../../src/intent/rebuild.ts';
import { drops, holder, revives, settles, switches } from '../../src/intent/teardown.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedPlaybook, shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { arbiterInventory, clusterOf, threeInventory } from '../observe/cluster.ts';

const names = ['server1', 'server2', 'server3'];
let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterOf(threeInventory);
});

const nameOf = fc.constantFrom(...names);
const dataOf: fc.Arbitrary<DataDirectory> = fc.record({
  content: fc.constantFrom('absent', 'empty', 'cluster'),
  files: fc.constant([]),
  standbySignal: fc.boolean(),
  running: fc.boolean(),
  recorded: fc.constant('77'),
});
const viewOf: fc.Arbitrary<View> = fc.record({
  hosts: fc
    .tuple(dataOf, dataOf, dataOf)
    .map((all) => new Map(all.map((data, at) => [names[at] ?? '', { data }]))),
  primary: nameOf,
  systemIdentifier: fc.constant('77'),
});
const unseen: View = { hosts: new Map(), primary: 'server1' };
const intentOf: fc.Arbitrary<Intent> = fc.oneof(
  fc.constantFrom<Intent>({ kind: 'provision' }, { kind: 'migrate' }, { kind: 'run' }),
  fc.record({ kind: fc.constant('switch' as const), to: nameOf }, { requiredKeys: ['kind'] }),
  fc.record(
    {
      kind: fc.constant('rebuild' as const),
      host: nameOf,
      copy: fc.boolean(),
      keepCopy: fc.constant('/aside'),
    },
    { requiredKeys: ['kind', 'host', 'copy'] },
  ),
  fc.record(
    {
      kind: fc.constant('teardown' as const),
      keep: nameOf,
      keepData: fc.boolean(),
      allData: fc.boolean(),
      controllersOnly: fc.boolean(),
      moved: fc.constant(false),
    },
    { requiredKeys: ['kind', 'keepData', 'allData', 'controllersOnly', 'moved'] },
  ),
  fc.record({ kind: fc.constant('reload' as const), hosts: fc.subarray(names) }),
  fc.record({
    kind: fc.constant('restart' as const),
    hosts: fc.subarray(names),
    pending: fc.boolean(),
    switchFirst: fc.boolean(),
  }),
);

/** The intent after these observations, one after the other. */
const settledBy = (intent: Intent, views: readonly View[]): Intent =>
  views.reduce((settled, view) => settle({ cluster, view, intent: settled }), intent);

describe('an intent', () => {
  it('is what the command line says as long as nothing is observed', () => {
    fc.assert(
      fc.property(intentOf, (intent) => {
        expect(settledBy(intent, [unseen])).toBe(intent);
      }),
    );
  });

  it('means the server that the first observation says, whatever is observed later', () => {
    fc.assert(
      fc.property(intentOf, fc.array(viewOf, { minLength: 1, maxLength: 5 }), (intent, views) => {
        fc.pre(['switch', 'rebuild', 'teardown'].includes(intent.kind));
        const targets = views.map((view, at) =>
          targetOf({ cluster, view, intent: settledBy(intent, views.slice(0, at + 1)) }),
        );
        expect(new Set(targets).size).toBe(1);
      }),
    );
  });

  it('keeps the name that the command line gives', () => {
    fc.assert(
      fc.property(intentOf, fc.array(viewOf, { maxLength: 5 }), (intent, views) => {
        const settled = settledBy(intent, views);
        expect(settled).toEqual({
          ...settled,
          ...intent,
          ...('moved' in settled ? { moved: settled.moved } : {}),
        });
      }),
    );
  });

  it('is settled once: the same observation again changes nothing', () => {
    fc.assert(
      fc.property(intentOf, viewOf, (intent, view) => {
        expect(settledBy(intent, [view, view])).toEqual(settledBy(intent, [view]));
      }),
    );
  });

  it('of a teardown remembers that the roles had to move', () => {
    fc.assert(
      fc.property(fc.array(viewOf, { minLength: 1, maxLength: 4 }), (views) => {
        const settled = settledBy(
          {
            kind: 'teardown',
            keepData: false,
            allData: false,
            controllersOnly: false,
            moved: false,
            keep: 'server2',
          },
          views,
        );
        const moved = views.some(({ primary }) => primary !== 'server2');
        expect(settled).toMatchObject({ keep: 'server2', moved });
      }),
    );
  });
});

describe('a restart', () => {
  const asked = { kind: 'restart', hosts: [], pending: false, switchFirst: false } as const;
  const running = (started: string, waiting: readonly string[] = []) => ({
    running: { started, loaded: `${started}9`, waiting, inSync: ['server2', 'server3'] },
  });
  const view = (primary: string, ...waits: readonly string[]): View => ({
    primary,
    hosts: new Map(names.map((name, at) => [name, running(`${at}`, waits.includes(name) ? ['port'] : [])])),
  });
  const settled = (over: Partial<RestartIntent>, seen: View) =>
    settle({ cluster, view: seen, intent: { ...asked, ...over } });

  it('remembers since when each server runs, and a later look changes nothing of that', () => {
    const first = settled({}, view('server1'));
    expect(first).toMatchObject({
      found: { server1: '0', server2: '1', server3: '2' },
      inSync: ['server2', 'server3'],
    });
    expect(settle({ cluster, view: view('server2'), intent: first })).toBe(first);
    expect(settle({ cluster, view: view('server1'), intent: { kind: 'reload', hosts: [] } })).toMatchObject({
      found: { server1: '09', server2: '19', server3: '29' },
    });
  });

  it('where a setting waits goes by that alone', () => {
    expect(settled({ pending: true }, view('server1', 'server2'))).toMatchObject({ found: {} });
  });

  it.each([
    ['all', {}, [], 'server2'],
    ['the primary', { hosts: ['server1'] }, [], 'server2'],
    ['a standby', { hosts: ['server2'] }, [], undefined],
    ['what waits on a standby', { pending: true }, ['server2'], undefined],
    ['what waits on the primary', { pending: true }, ['server1'], 'server2'],
  ] satisfies [string, Partial<RestartIntent>, string[], string | undefined][])(
    'of %s moves the role first where the primary is restarted',
    (_, over, waits, to) => {
      expect(settled({ ...over, switchFirst: true }, view('server1', ...waits))).toMatchObject(
        to ? { to } : {},
      );
      const first = settled({ ...over, switchFirst: true }, view('server1', ...waits));
      expect('to' in first ? first.to : undefined).toBe(to);
      expect(settled(over, view('server1', ...waits))).not.toHaveProperty('to');
    },
  );
});

describe('what is compiled', () => {
  const materials = {
    kinds,
    template: shippedTemplate,
    asset: () => 'bundle',
    secret: (name: string) => new Secret(`some ${name}`),
    entropy: '00'.repeat(16),
  };
  const playbooks = ['provision', 'switch', 'rebuild', 'teardown', 'reload', 'restart'].map((name) => {
    const path = shippedPlaybook(name);
    const parsed = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
    if (!parsed.ok) throw new Error(`${name} does not load`);
    return parsed.value;
  });
  const resources = (situation: Situation): unknown =>
    playbooks.map((playbook) => {
      const result = compile(playbook, situation, materials);
      return result.ok
        ? result.value.map(({ host, id, desired, after: refs }) => [host, id, desired, refs])
        : result;
    });

  it('depends on its arguments alone: the same ones give the same, whatever was compiled between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(intentOf, viewOf), { minLength: 2, maxLength: 3 }), (pairs) => {
        const situations = pairs.map(([intent, view]) =>
          Object.freeze({ cluster, view, intent: Object.freeze(intent) }),
        );
        const there = situations.map(resources);
        const back = [...situations].reverse().map(resources).reverse();
        expect(back).toEqual(there);
      }),
      { numRuns: 10 },
    );
  });
});

const data = (over: Partial<DataDirectory>): DataDirectory => ({
  content: 'cluster',
  files: [],
  standbySignal: false,
  running: true,
  recorded: '77',
  ...over,
});
const stopped = data({ running: false });
const follower = data({ standbySignal: true });
const stoppedFollower = data({ standbySignal: true, running: false });
const gone: DataDirectory = { content: 'absent', files: [], standbySignal: false, running: false };

const situation = (
  intent: Intent,
  one: DataDirectory | undefined,
  two: DataDirectory | undefined,
  primary = 'server1',
): Situation => ({
  cluster,
  intent,
  view: {
    primary,
    hosts: new Map([one, two].map((found, at) => [names[at] ?? '', found ? { data: found } : {}])),
  },
});
const keeping = (keep: string, moved = false): Intent => ({
  kind: 'teardown',
  keep,
  keepData: false,
  allData: false,
  controllersOnly: false,
  moved,
});

describe('a teardown', () => {
  it.each([
    ['the others are stopped standbys', stopped, stoppedFollower, true],
    ['the others are gone', stopped, gone, true],
    ['another one runs', stopped, follower, false],
    ['another one could have become primary', stopped, data({ running: false }), false],
    ['another one could not be looked at', stopped, undefined, false],
    ['it runs', data({}), stoppedFollower, false],
    ['it is a standby', stoppedFollower, stoppedFollower, false],
    ['it is unfinished', data({ running: false, making: 'copy' }), stoppedFollower, false],
  ])(
    'starts the server that stays only where no other one can be primary: %s',
    (_, kept, other, expected) => {
      expect(revives(situation(keeping('server1'), kept, other))).toBe(expected);
    },
  );

  it('starts nothing where a host was left out', () => {
    const whole = situation(keeping('server1'), stopped, stoppedFollower);
    expect(revives(whole)).toBe(true);
    expect(revives({ ...whole, view: { ...whole.view, absent: new Set(['server3']) } })).toBe(false);
  });

  it('does not count the host of an arbiter among those that could be primary, reached or left out', async () => {
    const whole = situation(keeping('server1'), stopped, stoppedFollower);
    const withArbiter = await clusterOf(arbiterInventory);
    const hosts = new Map([...whole.view.hosts, ['arb1', {}]]);
    expect(revives({ ...whole, cluster: withArbiter, view: { ...whole.view, hosts } })).toBe(true);
    const view = { ...whole.view, absent: new Set(['arb1']) };
    expect(revives({ ...whole, cluster: withArbiter, view })).toBe(true);
  });

  it('switches first where another server is primary, and waits for the others after that', () => {
    const before = situation(keeping('server2', true), data({}), follower);
    expect([switches(before), settles(before)]).toEqual([true, true]);
    const moved = situation(keeping('server2', true), follower, data({}), 'server2');
    expect([switches(moved), settles(moved)]).toEqual([false, true]);
    const ended = situation(keeping('server2', true), stoppedFollower, data({}), 'server2');
    expect([switches(ended), settles(ended)]).toEqual([false, false]);
    const unmoved = situation(keeping('server1'), data({}), follower);
    expect([switches(unmoved), settles(unmoved)]).toEqual([false, false]);
  });

  it('drops all but the server that stays, or all', () => {
    const kept = situation(keeping('server1'), data({}), follower);
    expect(names.filter((name) => drops(kept, name))).toEqual(['server2', 'server3']);
    const intent: Intent = {
      kind: 'teardown',
      keepData: false,
      allData: true,
      controllersOnly: false,
      moved: false,
    };
    expect(names.filter((name) => drops({ ...kept, intent }, name))).toEqual(names);
    expect(names.filter((name) => drops({ ...kept, intent: { kind: 'run' } }, name))).toEqual([]);
  });

  it('counts on nobody to hold what is deleted where all of it goes', () => {
    const kept = situation(keeping('server2'), data({}), follower);
    expect(holder(kept)).toBe('server2');
    expect(holder({ ...kept, intent: { kind: 'run' } })).toBe('server1');
    const intent: Intent = {
      kind: 'teardown',
      keepData: false,
      allData: true,
      controllersOnly: false,
      moved: false,
    };
    expect(holder({ ...kept, intent })).toBeUndefined();
  });
});

describe('a rebuild', () => {
  it.each([
    ['a former primary', data({}), false, true],
    ['a standby', follower, false, false],
    ['an unfinished one', data({ making: 'copy' }), false, false],
    ['nothing', gone, false, false],
    ['a former primary with --copy', data({}), true, false],
  ])('rewinds what can be rewound: %s', (_, found, copy, expected) => {
    expect(rewinds(situation({ kind: 'rebuild', host: 'server2', copy }, data({}), found))).toBe(expected);
  });
});
