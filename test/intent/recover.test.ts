/** What `pgduet recover` declares: a role on its way is ended by all controllers at once, and who follows whom is looked at behind that. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { recoverSurvey, settleRecover } from '../../src/intent/recover.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedPlaybook, shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import {
  counting,
  first,
  given,
  hostsOf,
  one,
  promise,
  type Shown,
  shows,
  taking,
  third,
  two,
} from '../observe/servers-down.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const giver = () => one({ record: promise('server1', counting(['server2'], 1, given('server2'))) });
const taken = promise('server1', counting(['server2'], 1, taking('server1')));
const standby = () => shows(first, taken, { data: { standbySignal: true } });

/** Each as "server kind"; what it says of itself behind that. */
function declared(a: HostView, b: HostView): ReadonlyMap<string, unknown> {
  const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(a, b));
  if ('refused' in found) throw new Error(found.refused.what);
  const { view } = found;
  const intent = settleRecover({ kind: 'recover' }, pair, view);
  const path = shippedPlaybook('recover');
  const parsed = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!parsed.ok) throw new Error('it does not load');
  const materials = {
    kinds,
    template: shippedTemplate,
    asset: () => 'bundle',
    secret: (name: string) => new Secret(`some ${name}`),
    entropy: '00'.repeat(16),
  };
  const result = compile(parsed.value, { cluster: pair, view, intent }, materials);
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  return new Map(result.value.map(({ host, kind, desired }) => [`${host} ${kind.kind}`, desired]));
}

it('of two that may get the role both controllers end the switch, and nothing is said of who follows', () => {
  const all = declared(giver(), standby());
  expect([...all.keys()].sort()).toEqual([
    'server1 settlement',
    'server1 stopped',
    'server2 settlement',
    'server2 stopped',
  ]);
  expect(all.get('server1 settlement')).toMatchObject({ heirs: ['server1', 'server2'] });
});

describe('an heir that is not started makes the controllers wait in vain:', () => {
  const stopped = { stopped: { by: 'anna', since: '2026-11-30T09:12:00Z' } };
  const seen = { number: 1, by: 'anna', since: '2026-11-30T09:12:00Z', until: null, reason: '' };
  const worked = { remembered: { server2: { timeline: 1, number: 1, seen } } } as never;
  const refused = (a: HostView, b: HostView) => {
    const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(a, b));
    return 'refused' in found ? found.refused : undefined;
  };

  it.each([
    [
      'a person has stopped it',
      { ...standby(), ...stopped },
      'SAF062',
      'stopped with pgduet stop by anna',
      'pgduet start server2',
    ],
    [
      'it is in maintenance',
      { ...standby(), ...(worked as object) },
      'SAF015',
      'in maintenance by anna',
      'pgduet maintenance end server2',
    ],
  ])('%s, which is told before anything is started', (_, view, code, what, way) => {
    const told = refused(giver(), view);
    expect(told).toMatchObject({ code, what: expect.stringContaining(`server2 is ${what}`) });
    expect(told?.fix).toContain(
      'systemctl start mcoi_inst1 on server1; systemctl start mcoi_inst1 on server2',
    );
    expect(told?.fix).toContain(way);
  });

  it('not where the stop is taken back, nor where nothing is on its way', () => {
    expect(refused({ ...giver(), ...stopped }, { ...standby(), ...stopped })).toBeUndefined();
    expect(refused({ ...giver(), ...stopped }, standby())).toBeUndefined();
    const plain = shows(first, promise('server1'), { data: { standbySignal: true }, more: stopped });
    expect(refused(one(), plain)).toBeUndefined();
  });

  it('not beside one that gave its role to a server which leads: that one waits for nobody', () => {
    expect(refused({ ...giver(), ...stopped }, two({ record: taken }))).toBeUndefined();
  });
});

it('behind the promotion of the receiver the giver is started, too, and has to hold nothing more', () => {
  const all = declared(giver(), two({ record: taken }));
  expect([...all.keys()].sort()).toEqual([
    'server1 alone',
    'server1 settlement',
    'server1 stopped',
    'server2 settlement',
    'server2 stopped',
  ]);
  expect(all.get('server1 alone')).toMatchObject({ joins: true, decides: true });
  expect(all.get('server1 settlement')).toMatchObject({ heirs: ['server2'] });
});

describe('beside the receiver of its role, which runs,', () => {
  const down = (over: Shown = {}) =>
    one({
      state: 'shut down',
      record: promise('server1', counting(['server2'], 1, given('server2'))),
      ...over,
    });
  const reaches = (position: string, state = 'shut down') =>
    ({ ...down().data?.control, state, reached: { position, timeline: 1 } }) as never;
  const whole: Shown = { data: { control: reaches('0/50000D0') } };
  const runs = two({ data: { running: true } });

  it('the giver is started where it kept nothing, and nothing is said of who follows before that', () => {
    const all = declared(down(whole), runs);
    expect([...all.keys()].sort()).toEqual([
      'server1 alone',
      'server1 settlement',
      'server1 stopped',
      'server2 controller',
      'server2 stopped',
    ]);
    expect(all.get('server1 alone')).toMatchObject({ joins: true, decides: false });
  });

  it.each([
    ['it was not shut down', { data: { control: reaches('0/50000D0', 'in production') } }],
    ['it ends where the other one went on', { data: { control: reaches('0/5000148') } }],
    ['it ends beyond', { data: { control: reaches('0/50001C0') } }],
    ['it gave nothing away', { record: promise('server1', counting(['server2'])) }],
    [
      'it gave in a failover',
      { record: promise('server1', counting(['server2'], 1, given('server2', 'failover'))) },
    ],
    ['it gave to another one', { record: promise('server1', counting(['server2'], 1, given('server3'))) }],
    [
      'it gave on another timeline',
      { record: promise('server1', counting(['server2'], 1, { ...given('server2'), timeline: 2 })) },
    ],
    [
      'its record is torn',
      { record: promise('server1', counting(['server2'], 1, { ...given('server2'), whole: false })) },
    ],
    ['its record is lost', { record: null }],
    [
      'it was taking over itself',
      { record: promise('server1', { ...given('server2'), ...taking('server2') }) },
    ],
    ['a backup was put back', { more: { origin: { lineage: first, restoring: 'backup_label' } } }],
    ['its history is not known', { more: { origin: {} } }],
    ['a part of its data is away', { data: { ...whole.data, lost: [{ link: 'pg_wal', target: '/wal' }] } }],
    [
      'it is of another system',
      {
        data: {
          recorded: '8',
          control: { ...(reaches('0/50000D0') as object), systemIdentifier: '8' } as never,
        },
      },
    ],
  ] satisfies [string, Shown][])('it stays down where %s', (_, over) => {
    expect([...declared(down({ ...whole, ...over }), runs).keys()]).not.toContain('server1 settlement');
  });

  it('it stays down where the other one did not take over directly', () => {
    const later = shows(third, promise('server2', { timeline: 3 }), { data: { running: true } });
    expect([...declared(down(whole), later).keys()]).not.toContain('server1 settlement');
  });

  it('it stays down where a person has stopped it', () => {
    const stopped = { stopped: { by: 'anna', since: '2026-11-30T09:12:00Z' } };
    expect([...declared(down({ ...whole, more: stopped }), runs).keys()]).toEqual([
      'server1 alone',
      'server2 stopped',
      'server2 controller',
    ]);
  });
});

it('a former primary that gave nothing away stays as it is', () => {
  const all = declared(one(), two());
  expect([...all.keys()].sort()).toEqual(['server1 alone', 'server2 controller', 'server2 stopped']);
});

it('where nothing is on its way, the primary and its standby start', () => {
  const plain = shows(first, promise('server1'), { data: { standbySignal: true } });
  expect([...declared(one(), plain).keys()]).toContain('server1 replication');
});
