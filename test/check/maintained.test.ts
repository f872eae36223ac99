/** A server in maintenance: that is told, once, and nothing else of it; what is wrong with the others is told as ever. */
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostic.ts';
import { type AnyAudit, type Audit, anyAudit } from '../../src/check/audit.ts';
import { away as walKept } from '../../src/check/audits/away.ts';
import { clusterReport, type Inspection } from '../../src/check/judge.ts';
import { exitOf } from '../../src/check/report.ts';
import type { Roles } from '../../src/check/roles.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { preferredView, type View } from '../../src/observe/survey.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { type Observed, present, unknown } from '../../src/resources/contract/kind.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';
import { observation } from '../plan/fakes.ts';

const three = await clusterOf(threeInventory);
const hour = 3_600_000;
const start = Date.parse('2026-11-30T10:00:00Z');
const entry = {
  number: 1,
  by: 'alice',
  since: '2026-11-30T10:00:00.000Z',
  until: '2026-11-30T12:00:00.000Z',
  reason: 'new disks',
};

/** Tells of every server that it sees, and that the primary cannot reach the two others. */
const audit: Audit<string> = {
  name: 'a thing',
  probe: () => ({ shell: '' }),
  read: () => present(''),
  judge: (_, seen) => [
    ...[...seen.keys()].map(
      (host) => ({ code: 'SET002', host, object: 'x', declared: '', found: '' }) as const,
    ),
    ...['server2', 'server3'].map(
      (object) => ({ code: 'NET001', host: 'server1', object, declared: '', found: '' }) as const,
    ),
  ],
};
const other: AnyAudit = anyAudit({ ...audit, name: 'another thing', judge: () => [] });
const seen = (observed: Observed<unknown>) =>
  new Map(['server1', 'server2', 'server3'].map((name) => [name, observed] as const));
const away: Diagnostic = { code: 'CON001', what: 'no answer', why: 'w', fix: 'f' };

function look(
  {
    roles = {},
    nowMs = start,
    ...more
  }: Omit<Partial<Inspection>, 'roles'> & { roles?: Partial<Roles> } = {},
  cluster: Cluster = three,
) {
  const maintained = new Map([['server2', entry]]);
  const inspection: Inspection = {
    cluster,
    version: '0.1.0',
    nowMs,
    roles: { view: { ...preferredView(cluster), maintained }, primary: 'server1', ...roles },
    plan: makePlan([]),
    resources: [],
    audited: [],
    clocks: [],
    unreached: new Map(),
    roundTrips: {},
    ...more,
  };
  return clusterReport(inspection);
}
const brief = (report: ReturnType<typeof look>) =>
  report.findings.map(({ code, host, object }) => `${code} ${host} ${object}`);

describe('a server in maintenance', () => {
  it('of a rolling update: that brings it back', () => {
    const maintained = new Map([['server2', { ...entry, by: 'rolling-update 0badcafe' }]]);
    const { findings } = look({ roles: { view: { ...preferredView(three), maintained } } });
    const commands = findings.filter(({ code }) => code === 'MNT001').flatMap((one) => one.commands);
    expect(commands.map(({ run }) => run)).toEqual(['pgduet rolling-update --continue']);
  });

  it('is told with who, why and until when, and with the command that ends it', () => {
    const [told, ...rest] = look().findings;
    expect(rest).toEqual([]);
    expect(told).toMatchObject({
      code: 'MNT001',
      severity: 'note',
      host: 'server2',
      found:
        'in maintenance by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 12:00 UTC: new disks',
      since: '2026-11-30T10:00:00Z',
      repairedBy: 'person',
      repair: 'if the work on server2 is done: `pgduet maintenance end server2`',
      commands: [{ on: null, run: 'pgduet maintenance end server2', onlyIf: 'the work on server2 is done' }],
    });
    expect(exitOf(look().findings)).toBe(0);
  });

  it('is a danger once it was expected to be over', () => {
    expect(brief(look({ nowMs: start + hour }))).toEqual(['MNT001 server2 server2']);
    const late = look({ nowMs: start + 3 * hour });
    expect(brief(late)).toEqual(['MNT002 server2 server2', 'MNT001 server2 server2']);
    expect(late.findings[0]).toMatchObject({ severity: 'danger', declared: 'over by 2026-11-30 12:00 UTC' });
    expect(exitOf(late.findings)).toBe(1);
  });

  it('is looked at for nothing else, also by the others', () => {
    expect(
      brief(
        look({
          audited: [
            { audit: anyAudit(audit), seen: seen(present('')) },
            { audit: other, seen: seen(unknown('no disk')) },
          ],
          clocks: [
            { host: 'server1', offsetMs: 0, errorMs: 1 },
            { host: 'server2', offsetMs: 9000, errorMs: 1 },
          ],
        }),
      ),
    ).toEqual([
      'NET001 server1 server3',
      'SET002 server1 x',
      'SET002 server3 x',
      'LOK001 server1 another thing',
      'LOK001 server3 another thing',
      'MNT001 server2 server2',
    ]);
  });

  it('is told with the WAL that is kept for it, and with what it will not find any more', () => {
    const kept = {
      ...{
        recovery: false,
        position: { lsn: '0/9000000', timeline: 1 },
        senders: ['server3'],
        oldest: '0000000000000003',
      },
      ...{ segmentBytes: 16 * 1024 ** 2, keepBytes: 128 * 1024 ** 2, slotted: null, slotBytes: -1 },
    };
    const whenAt = (position: string) => {
      const data = { control: { reached: { position, timeline: 1 } } };
      const hosts = new Map([['server2', { data }]]);
      const maintained = new Map([['server2', entry]]);
      const view = { ...preferredView(three), hosts, maintained } as unknown as View;
      const audited = [{ audit: anyAudit(walKept), seen: new Map([['server1', present(kept)]]) }];
      return look({ roles: { view }, audited });
    };
    expect(whenAt('0/8000100').findings.map(({ found }) => found)).toEqual([
      expect.stringContaining(': new disks; server1 keeps the WAL that it lacks, 16 MB, and 112 MB more'),
    ]);
    expect(brief(whenAt('0/2000100'))).toEqual(['REP010 server2 server2', 'MNT001 server2 server2']);
  });

  it('may be away, and stands there as one that was not reached', () => {
    const report = look({ unreached: new Map([['server2', [away]]]) });
    expect(brief(report)).toEqual(['MNT001 server2 server2']);
    expect(exitOf(report.findings)).toBe(0);
    expect(report.hosts.map(({ name, reached }) => [name, reached])).toEqual([
      ['server1', true],
      ['server2', false],
      ['server3', true],
    ]);
    const both = new Map(['server2', 'server3'].map((name) => [name, [away]] as const));
    expect(brief(look({ unreached: both }))).toEqual(['LOK002 server3 server3', 'MNT001 server2 server2']);
  });

  it('does not hide that nobody leads, where it alone was reached', () => {
    const roles = { primary: undefined } as unknown as Partial<Roles>;
    const unreached = new Map(['server1', 'server3'].map((name) => [name, [away]] as const));
    const report = look({ roles, unreached });
    expect(brief(report)[0]).toBe('SAF004 null roles');
    expect(report.findings[0]).toMatchObject({
      severity: 'danger',
      what: 'no server that can be reached is primary, and server1, server3 cannot be reached',
      consequence: expect.stringContaining('server2, in maintenance, takes no role'),
    });
    // Another one that was reached tells what it sees of the primary.
    const one = new Map([['server1', [away]]]);
    expect(brief(look({ roles, unreached: one }))).not.toContain('SAF004 null roles');
  });

  it('hides neither what is wrong with another one, nor two primaries', () => {
    const plan = makePlan([observation('server1/a', 'wrong'), observation('server3/b', 'refused')]);
    expect(look({ plan }).findings.map(({ host }) => host)).toEqual(['server3', 'server1', 'server2']);
    const refused: Diagnostic = { code: 'SAF003', what: 'two', why: 'w', fix: 'f' };
    expect(brief(look({ roles: { refused } }))).toContain('SAF003 null roles');
  });

  it('is no longer one when it leads', () => {
    const roles = { primary: 'server2' };
    const audited = [{ audit: anyAudit(audit), seen: seen(present('')) }];
    expect(brief(look({ roles, audited }))).toContain('SET002 server2 x');
    expect(brief(look({ roles, audited }))).not.toContain('MNT001 server2 server2');
  });

  it('is neither started nor rebuilt by what others advise', () => {
    const fix =
      'on server2: mc_ctl start -M /mcdir/inst1; if it does not start: pgduet rebuild server2; on server3: mc_ctl start -M /mcdir/inst1';
    const report = look({ unreached: new Map([['server3', [{ ...away, fix }]]]) });
    expect(report.findings[0]?.repair).toBe(
      'when the work is done: pgduet maintenance end server2; on server3: mc_ctl start -M /mcdir/inst1',
    );
    const force = 'only if it is lost for good: on server2: mc_ctl start --force-start -M /mcdir/inst1';
    const last = look({ unreached: new Map([['server3', [{ ...away, fix: force }]]]) });
    expect(last.findings[0]?.repair).toBe(force);
  });
});
