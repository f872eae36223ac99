/** Which of several former primaries is the right one: each condition is there, and missing once. */
import { beforeAll, describe, expect, it } from 'vitest';
import { recoverSurvey, settleRecover } from '../../src/intent/recover.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { lastPrimary } from '../../src/observe/last-primary.ts';
import type { HostView } from '../../src/observe/survey.ts';
import type { Lineage } from '../../src/postgres/lineage.ts';
import { clusterOf, pairInventory, threeInventory } from './cluster.ts';
import {
  codeOf,
  counting,
  first,
  formerOf,
  given,
  hostsOf,
  one,
  promise,
  type Shown,
  second,
  shows,
  taking,
  third,
  two,
} from './servers-down.ts';

let pair: Cluster;
let three: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
  three = await clusterOf(threeInventory);
});

const ofPair = (a: HostView, b: HostView) => lastPrimary(pair, hostsOf(a, b));
const ofThree = (...views: readonly HostView[]) => lastPrimary(three, hostsOf(...views));
describe('behind one failover', () => {
  it('it is the server whose history goes through the other one', () => {
    const found = ofPair(one(), two());
    expect(codeOf(found)).toBe('server2');
    expect(formerOf(found)).toEqual({
      name: 'server1',
      fork: '0/5000148',
      successor: 'server2',
      promise: 'promise of server1 on timeline 1: 1 of server2 confirm, server2 may take over',
    });
  });

  it('of one whose record is lost a person decides where the other one would start before it', () => {
    const lost = two({ record: promise('server2', { timeline: 2, whole: false }) });
    expect(codeOf(ofPair(one(), lost))).toBe('SAF090');
    const bound = one({ record: promise('server1', counting(['server2'], 1, { bound: true, term: 3 })) });
    const alone = one({ record: promise('server1') });
    for (const [other, why] of [
      [bound, 'its own promise is bound to a register, of term 3'],
      [alone, 'its own promise lets none of those take over'],
    ] as const) {
      const found = ofPair(other, lost);
      expect(codeOf(found)).toBe('SAF091');
      expect('refused' in found && found.refused.why).toContain(`server1: ${why}`);
      expect('refused' in found && found.refused.why).toContain(
        'server2: the record of its controller is torn',
      );
    }
  });

  it.each([
    ['no other promise', two({ record: promise('server1') }), 'its record is not its own promise'],
    ['a promise of another timeline', two({ record: promise('server2') }), 'not its own promise'],
    ['a record that is missing', two({ record: null }), 'missing'],
    ['a record that is torn', two({ record: promise('server2', { timeline: 2, whole: false }) }), 'torn'],
    [
      'a promise by which the other one may take over',
      two({ record: promise('server2', counting(['server1'], 1, { timeline: 2 })) }),
      'lets server1 take over',
    ],
    ['a control file of a recovery', two({ state: 'in archive recovery' }), 'never primary there'],
    ['another one of a recovery', two({ state: 'shut down in recovery' }), 'never primary there'],
    [
      'a takeover under way',
      two({
        record: promise('server1', { ...counting(['server2']), ...taking('server1', { stage: 'gather' }) }),
      }),
      'takeover',
    ],
    [
      'a role that was given away',
      two({ record: promise('server2', { timeline: 2, ...given('server1') }) }),
      'given',
    ],
    [
      'a maintenance',
      two({
        more: {
          remembered: {
            server2: {
              timeline: 2,
              number: 1,
              seen: { number: 1, by: 'anna', since: '2026-11-30T09:12:00Z', until: null, reason: '' },
            },
          } as never,
        },
      }),
      'maintenance',
    ],
  ])('of the right one %s is refused', (_, view, why) => {
    const found = ofPair(one(), view);
    expect(codeOf(found)).toBe('SAF090');
    if ('refused' in found) expect(found.refused.why).toContain(why);
  });

  it.each([
    ['no data', one({ data: { content: 'empty' } }), 'no data'],
    ['unfinished data', one({ data: { making: 'copy' } }), 'unfinished'],
    ['no control file', one({ data: { control: undefined as never } }), 'control file'],
    ['data of nobody', one({ data: { recorded: undefined as never } }), 'management directory'],
    ['data of another cluster', one({ system: '8' }), 'system identifier'],
    ['a part that is lost', one({ data: { lost: [{ link: 'pg_wal', target: '/wal' }] } }), 'not there'],
    ['an odd history', shows(null, promise('server1')), 'history file'],
    ['a restore', one({ more: { origin: { lineage: first, restoring: 'backup_label' } } }), 'backup_label'],
    ['a role given away', one({ record: promise('server1', given('server3')) }), 'given its role'],
    ['a takeover', one({ record: promise('server1', taking('server2')) }), 'takeover'],
  ])('of the other one %s is refused, too', (_, view, why) => {
    const found = ofPair(view, two());
    expect(codeOf(found)).toBe('SAF090');
    if ('refused' in found) expect(found.refused.why).toContain(why);
  });

  it('a server that was not reached is refused', () => {
    expect(codeOf(lastPrimary(pair, new Map([['server2', two()]])))).toBe('SAF090');
  });

  it.each([
    ['two of one timeline', shows(second, promise('server1', { timeline: 2 }))],
    [
      'two that parted elsewhere',
      shows({ timeline: 2, left: [{ timeline: 1, at: '0/4000000' }] }, promise('server1', { timeline: 2 })),
    ],
  ])('of %s none is proven', (_, view) => {
    expect(codeOf(ofPair(view, two()))).toBe('SAF091');
  });

  it.each([
    ['its record is lost', null, 'missing'],
    ['its record is torn', promise('server1', counting(['server2'], 1, { whole: false })), 'torn'],
    ['its promise names nobody', promise('server1'), 'take over'],
    ['it heeds a server that is none of those', promise('server9', { timeline: 2 }), 'nobody'],
    ['it knows no promise', promise(null as never), 'nobody'],
    [
      'its register gave it this term',
      promise('server1', counting(['server2'], 1, { bound: true, term: 1 })),
      'term',
    ],
  ])('the other one would start by itself, where %s', (_, record, why) => {
    expect(formerOf(ofPair(one({ record }), two()))?.restless).toContain(why);
  });

  it.each([
    ['one that may believe so still', promise('server1', { believers: ['server2'] })],
    ['a newer primary that it heeds', promise('server2', { timeline: 2 })],
  ])('the other one waits for %s', (_, record) => {
    expect(formerOf(ofPair(one({ record }), two()))?.restless).toBeUndefined();
  });

  it('a register of a later term lets it wait', () => {
    const bound = promise('server1', counting(['server2'], 1, { bound: true, term: 1 }));
    const later = two({ record: promise('server2', { timeline: 2, term: 2 }) });
    expect(formerOf(ofPair(one({ record: bound }), later))?.restless).toBeUndefined();
  });

  it.each([
    ['is lost', null, 'missing'],
    ['is that of another server', promise('server2', { timeline: 2 }), 'own promise'],
    ['is of another timeline', promise('server1', counting(['server2'], 1, { timeline: 2 })), 'own promise'],
    ['lets nobody take over', promise('server1', { ...counting(['server2']), eligible: [] }), 'count on'],
    ['waits for nobody', promise('server1', { ...counting(['server2']), voters: [] }), 'count on'],
    ['lets others confirm', promise('server1', counting(['server2', 'server3'], 1)), 'without server2'],
  ])('its promise proves nothing of its commits where it %s', (_, record, why) => {
    expect(formerOf(ofPair(one({ record }), two()))?.unproven).toContain(why);
  });
});

describe('of three servers', () => {
  const standby = (lineage: Lineage, over: Shown = {}) =>
    shows(lineage, promise('server2', { timeline: lineage.timeline }), {
      ...over,
      data: { standbySignal: true, ...over.data },
    });
  const last = (over: Shown = {}) => shows(third, promise('server3', { timeline: 3 }), over);

  it('two failovers are followed step by step', () => {
    const between = shows(second, promise('server2', counting(['server3'], 1, { timeline: 2 })));
    const found = ofThree(one(), between, last());
    expect(codeOf(found)).toBe('server3');
    expect(formerOf(found, 'server1')).toMatchObject({ successor: 'server2', fork: '0/5000148' });
    expect(formerOf(found, 'server2')).toMatchObject({ successor: 'server3', fork: '0/7000000' });
    expect(formerOf(found, 'server1')?.restless ?? formerOf(found, 'server2')?.restless).toBeUndefined();
  });

  it('the one in between was rebuilt: nobody took over directly', () => {
    const found = ofThree(one(), standby(third), last());
    expect(codeOf(found)).toBe('server3');
    expect(formerOf(found)).toMatchObject({ unproven: expect.stringContaining('directly') });
    // Its promise names a standby of the right one: it waits for that.
    expect(formerOf(found)?.restless).toBeUndefined();
  });

  it('a commit that another standby alone may have confirmed is not proven', () => {
    const any = one({ record: promise('server1', counting(['server2', 'server3'])) });
    const found = ofThree(any, two(), standby(second));
    expect(formerOf(found)?.unproven).toContain('without server2');
    const all = one({ record: promise('server1', counting(['server2', 'server3'], 2)) });
    expect(formerOf(ofThree(all, two(), standby(second)))?.unproven).toBeUndefined();
  });

  it.each([
    ['on a timeline before', standby(first), 'server2'],
    [
      'on one that parted elsewhere',
      standby({ timeline: 2, left: [{ timeline: 1, at: '0/4000000' }] }),
      'SAF090',
    ],
    ['on a later one', standby(third), 'SAF090'],
    ['without a record', standby(second, { record: null }), 'SAF090'],
    ['that takes over', standby(second, { record: promise('server2', taking('server1')) }), 'SAF090'],
  ])('a standby %s', (_, view, expected) => {
    expect(codeOf(ofThree(one(), two(), view))).toBe(expected);
  });
});

describe('what was decided', () => {
  const begun = () => {
    const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(one(), two()));
    if (!('view' in found)) throw new Error(found.refused.what);
    return settleRecover({ kind: 'recover' }, pair, found.view);
  };
  const later = (a: HostView, b: HostView) => {
    const found = recoverSurvey(begun(), pair, hostsOf(a, b));
    return 'view' in found ? found.view.primary : found.refused.code;
  };
  const checkpoint = { ...one().data?.control, checkpoint: '0/9000000' } as never;

  it('holds, also once the right one runs', () => {
    expect(later(one(), two())).toBe('server2');
    expect(later(one(), two({ data: { running: true } }))).toBe('server2');
  });

  it.each([
    [
      'a former primary runs beside it',
      one({ data: { running: true } }),
      two({ data: { running: true } }),
      'SAF003',
    ],
    ['a former primary runs instead', one({ data: { running: true } }), two(), 'SAF090'],
    ['a former primary was started in between', one({ data: { control: checkpoint } }), two(), 'SAF090'],
    ['the data of the right one is another', one(), two({ state: 'in archive recovery' }), 'SAF090'],
  ])('does not hold where %s', (_, a, b, code) => {
    expect(later(a, b)).toBe(code);
  });

  it('is nothing where only one leads: nothing is compared', () => {
    const found = recoverSurvey(
      { kind: 'recover' },
      pair,
      hostsOf(one({ record: null }), two({ data: { standbySignal: true } })),
    );
    expect('view' in found && [found.view.primary, found.view.last?.formers]).toEqual(['server1', []]);
  });

  it('is refused beside data that leads, and that nobody knows to be ours', () => {
    const stray = one({ data: { recorded: undefined as never } });
    const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(stray, two()));
    expect('refused' in found && found.refused).toMatchObject({
      code: 'SAF090',
      why: expect.stringContaining('server1: its management directory'),
    });
  });

  it('takes back the stop of the right one, and of its standbys where all were stopped', () => {
    const stopped = { more: { stopped: { by: 'anna', since: '2026-11-30T09:12:00Z' } } };
    const standing = (a: Shown, b: Shown) => {
      const found = recoverSurvey(
        { kind: 'recover' },
        pair,
        hostsOf(one(a), two({ data: { standbySignal: true }, ...b })),
      );
      if (!('view' in found)) throw new Error(found.refused.what);
      return settleRecover({ kind: 'recover' }, pair, found.view).decided?.released;
    };
    expect(standing(stopped, stopped)).toEqual(['server1', 'server2']);
    expect(standing({}, stopped)).toEqual(['server1']);
  });
});
