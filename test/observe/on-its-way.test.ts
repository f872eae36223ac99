/** A role that was on its way when all went down: who counts as primary, what the controllers have to decide, and what is refused. */
import { beforeAll, describe, expect, it } from 'vitest';
import { recoverSurvey, settleRecover } from '../../src/intent/recover.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { lastPrimary, solePrimary } from '../../src/observe/last-primary.ts';
import type { ControllerRecord } from '../../src/observe/record.ts';
import type { HostView } from '../../src/observe/survey.ts';
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

describe('a role that was on its way', () => {
  const standby = (record: ControllerRecord, over: Shown = {}) =>
    shows(first, record, { ...over, data: { standbySignal: true, ...over.data } });
  /** As a standby knows the promise of server1, and what its own record says besides. */
  const knowing = (more: Partial<ControllerRecord> = {}) =>
    promise('server1', counting(['server2'], 1, more));
  const promoted = (more: Partial<ControllerRecord> = taking('server1')) => two({ record: knowing(more) });
  const gave = (to = 'server2', kind?: string) =>
    one({ record: promise('server1', counting(['server2'], 1, given(to, kind))) });
  const sole = (a: HostView, b: HostView) => solePrimary(pair, hostsOf(a, b), 'server1');
  const heirsOf = (found: ReturnType<typeof lastPrimary>) =>
    'last' in found ? found.last.heirs : found.refused.code;
  const why = (found: ReturnType<typeof lastPrimary>) => ('refused' in found ? found.refused.why : '');

  it.each([
    ['the receiver of the role was promoted, and had written nothing down', gave(), promoted()],
    ['it had written it down, and the giver followed nobody yet', gave(), two()],
    [
      'it took over on a silence, and had written nothing down',
      one(),
      promoted(taking('server1', { kind: 'silence' })),
    ],
  ])('is decided where %s', (_, a, b) => {
    const found = ofPair(a, b);
    expect(codeOf(found)).toBe('server2');
    expect(heirsOf(found)).toEqual([]);
    expect(formerOf(found)).toMatchObject({ successor: 'server2', fork: '0/5000148' });
    expect(formerOf(found)?.restless ?? formerOf(found)?.unproven).toBeUndefined();
  });

  it('whoever gave it away in a switch is started, too, and in no other case', () => {
    const joins = (view: HostView) => formerOf(ofPair(view, promoted()))?.joins;
    expect(joins(gave())).toBe(true);
    expect(joins(gave('server2', 'failover'))).toBeUndefined();
    expect(joins(one())).toBeUndefined();
  });

  it('whoever gave it away waits, also where its promise names nobody, and its register could give it the term', () => {
    const nobody = one({ record: promise('server1', { bound: true, term: 4, ...given('server2') }) });
    expect(formerOf(ofPair(nobody, promoted()))?.restless).toBeUndefined();
    const torn = one({ record: promise('server1', { whole: false, ...given('server2') }) });
    expect(formerOf(ofPair(torn, promoted()))?.restless).toContain('torn');
  });

  it('a takeover on a silence used the term that it had won', () => {
    const bound = one({ record: promise('server1', counting(['server2'], 1, { bound: true, term: 4 })) });
    const restless = (won?: number) =>
      formerOf(
        ofPair(
          bound,
          promoted({
            bound: true,
            term: 4,
            ...(won === undefined ? {} : { won }),
            ...taking('server1', { kind: 'silence' }),
          }),
        ),
      )?.restless;
    expect(restless(4)).toBeUndefined();
    expect(restless(3)).toContain('term');
    expect(restless()).toContain('term');
  });

  it.each([
    ['was not promoted by its controller', promoted(taking('server1', { stage: 'gather' })), 'not finished'],
    ['took over from somebody else', promoted(taking('server9')), 'not finished'],
    ['saw another timeline last', promoted({ ...taking('server1'), seen: 2 }), 'not finished'],
    ['lost its record', two({ record: knowing({ ...taking('server1'), whole: false }) }), 'torn'],
    [
      'was stopped before it took a write',
      two({ record: knowing(taking('server1')), state: 'in archive recovery' }),
      'takeover that was not finished',
    ],
  ])('is refused where its receiver leads, and %s', (_, view, words) => {
    const found = ofPair(gave(), view);
    expect(codeOf(found)).toBe('SAF090');
    expect(why(found)).toContain(words);
  });

  it('is refused where both lead on one timeline', () => {
    const early = shows(first, knowing(taking('server1')), { state: 'in archive recovery' });
    expect(codeOf(ofPair(gave(), early))).toBe('SAF090');
  });

  it.each([
    ['it was given away, and nobody had taken it', gave(), standby(knowing())],
    [
      'it was given away, and a takeover had begun',
      gave(),
      standby(knowing(taking('server1', { stage: 'cut' }))),
    ],
    ['a takeover had begun on a silence', one(), standby(knowing(taking('server1', { kind: 'silence' })))],
    ['it was taken back, and the takeover not ended', one(), standby(knowing(taking('server1')))],
  ])('is decided by the controllers where %s', (_, a, b) => {
    expect(heirsOf(sole(a, b))).toEqual(['server1', 'server2']);
  });

  it('is no matter where no record names one: nothing is compared', () => {
    expect(heirsOf(sole(one({ record: null }), standby(knowing(), { record: null })))).toEqual([]);
  });

  it.each([
    ['a person had ordered', one(), standby(knowing(taking('server1', { kind: 'force' }))), 'a person'],
    ['is from somebody else', one(), standby(knowing(taking('server9'))), 'server9'],
    ['nobody understands', one(), standby(knowing(taking('', { kind: '', stage: '' }))), 'nobody knows whom'],
    [
      'is of another timeline',
      one(),
      shows(second, knowing(taking('server1')), { data: { standbySignal: true } }),
      'another timeline',
    ],
    ['stands in a torn record', one(), standby(knowing({ ...taking('server1'), whole: false })), 'torn'],
    [
      'is from one whose record is lost',
      one({ record: null }),
      standby(knowing(taking('server1'))),
      'not its own promise',
    ],
    [
      'meets data of another cluster',
      gave(),
      standby(knowing(taking('server1')), { system: '8' }),
      'system identifier',
    ],
  ])('is refused before anything is started where the takeover %s', (_, a, b, words) => {
    const found = sole(a, b);
    expect(codeOf(found)).toBe('SAF090');
    expect(why(found)).toContain(words);
  });

  it('is refused where it was given to a server that is no standby', () => {
    expect(why(sole(gave('server9'), standby(knowing())))).toContain('server9');
    expect(codeOf(sole(gave(), standby(knowing(), { data: { content: 'empty' } })))).toBe('SAF090');
  });

  describe('among three', () => {
    const trio = (...views: readonly HostView[]) => solePrimary(three, hostsOf(...views), 'server1');
    const cut = taking('server1', { kind: 'silence', stage: 'cut' });

    it('may come to each that may take over', () => {
      const any = one({ record: promise('server1', counting(['server2', 'server3'])) });
      expect(heirsOf(trio(any, standby(knowing(cut)), standby(knowing())))).toEqual([
        'server1',
        'server2',
        'server3',
      ]);
      expect(heirsOf(trio(one(), standby(knowing(cut)), standby(knowing())))).toEqual(['server1', 'server2']);
    });

    it('is refused where two took over, or another one than it was given to', () => {
      expect(why(trio(one(), standby(knowing(cut)), standby(knowing(cut))))).toContain('at once');
      expect(why(trio(gave('server3'), standby(knowing(cut)), standby(knowing())))).toContain('server3');
    });

    it('is refused where a second one takes over beside the one that was promoted', () => {
      const found = ofThree(gave(), promoted(), standby(knowing(cut)));
      expect(codeOf(found)).toBe('SAF090');
      expect(why(found)).toContain('server3');
    });

    it('may be on its way behind a failover, whose former primary stays as it is', () => {
      const between = shows(
        second,
        promise('server2', counting(['server3'], 1, { timeline: 2, ...given('server3') })),
      );
      const third = shows(
        second,
        promise('server2', counting(['server3'], 1, { timeline: 2, ...taking('server2') })),
        {
          data: { standbySignal: true },
        },
      );
      const found = ofThree(one(), between, third);
      expect(codeOf(found)).toBe('server2');
      expect(heirsOf(found)).toEqual(['server2', 'server3']);
      expect(formerOf(found)?.restless ?? formerOf(found)?.unproven).toBeUndefined();
    });

    it('is refused where a former primary gave it to one that is a standby now: that one says no', () => {
      const rebuilt = shows(second, promise('server3', { timeline: 2 }), { data: { standbySignal: true } });
      const last = shows(second, promise('server3', { timeline: 2 }));
      const found = ofThree(gave(), rebuilt, last);
      expect(codeOf(found)).toBe('SAF090');
      expect(why(found)).toContain('given its role to server2');
    });
  });
});

describe('what was decided of it', () => {
  const checkpoint = { ...one().data?.control, checkpoint: '0/9000000' } as never;
  const behind = { standbySignal: true };
  const knowing = promise('server1', counting(['server2'], 1, taking('server1', { stage: 'cut' })));
  const giver = one({ record: promise('server1', counting(['server2'], 1, given('server2'))) });
  const taker = (over: Shown = {}) => {
    const at = { ...one().data?.control, reached: { position: '0/5000000', timeline: 1 } } as never;
    return shows(first, knowing, { ...over, data: { ...behind, control: at, ...over.data } });
  };
  const settled = (a: HostView, b: HostView) => {
    const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(a, b));
    if (!('view' in found)) throw new Error(found.refused.what);
    return settleRecover({ kind: 'recover' }, pair, found.view);
  };
  const leads = (a: HostView, b: HostView, from = settled(giver, taker())) => {
    const found = recoverSurvey(from, pair, hostsOf(a, b));
    return 'view' in found ? found.view.primary : found.refused.what;
  };
  const runs = { data: { running: true } };

  it('whoever of the two has it is the primary', () => {
    expect(settled(giver, taker()).decided?.heirs).toEqual({ server1: '0/8000000', server2: '0/5000000' });
    expect(leads(giver, taker())).toBe('server1');
    expect(leads(one({ data: { standbySignal: true } }), two(runs))).toBe('server2');
    expect(leads(giver, two(runs))).toBe('server2');
    expect(leads(one(runs), taker({ data: { running: true } }))).toBe('server1');
  });

  it.each([
    [
      'its history does not go through that of the giver',
      shows(
        { timeline: 2, left: [{ timeline: 1, at: '0/4000000' }] },
        promise('server2', { timeline: 2 }),
        runs,
      ),
    ],
    ['its history is not known', shows(null, promise('server2', { timeline: 2 }), runs)],
    ['its data is that of another cluster', two({ ...runs, system: '8' })],
  ])('is refused where one has it, and %s', (_, view) => {
    expect(leads(giver, view)).toMatch('does not go on from');
  });

  it('is refused where it does not run, or nothing was on its way to it', () => {
    expect(leads(one({ data: behind }), two())).toContain('server2 is primary now');
    const plain = settled(one(), shows(first, promise('server1'), { data: behind }));
    expect(leads(one(), two(runs), plain)).toContain('server2 is primary now');
  });

  it('the giver is started with a receiver that leads, and is a former primary until that runs', () => {
    const promoted = (over: Shown = {}) =>
      two({ record: promise('server1', counting(['server2'], 1, taking('server1'))), ...over });
    const begun = settled(giver, promoted());
    expect(begun.decided).toMatchObject({ primary: 'server2', formers: {} });
    expect(Object.keys(begun.decided?.joins ?? {})).toEqual(['server1']);
    const touched = shows(first, promise('server1', given('server2')), { data: { control: checkpoint } });
    expect(leads(giver, promoted(), begun)).toBe('server2');
    expect(leads(touched, promoted(), begun)).not.toBe('server2');
    expect(
      leads(
        one({ data: { standbySignal: true, running: true, control: checkpoint } }),
        promoted(runs),
        begun,
      ),
    ).toBe('server2');
  });
});
