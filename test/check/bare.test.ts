/** `check` on hosts where nothing was provisioned yet: one finding says so, and what stands in the way is told beside it. */
import { describe, expect, it } from 'vitest';
import { clusterReport, type Inspection } from '../../src/check/judge.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import { observation } from '../plan/fakes.ts';

const nothing: HostView = { data: { content: 'absent', files: [], standbySignal: false, running: false } };

const codes = async (
  second: Partial<HostView>,
  more: Partial<Inspection> = {},
  seen: 'wrong' | 'refused' = 'wrong',
): Promise<readonly string[]> => {
  const cluster = await clusterOf(pairInventory);
  const inspection: Inspection = {
    cluster,
    version: '0.1.0',
    nowMs: 0,
    roles: {
      view: {
        primary: 'server1',
        hosts: new Map([
          ['server1', nothing],
          ['server2', { ...nothing, ...second }],
        ]),
      },
      primary: 'server1',
    },
    plan: makePlan([
      observation('server1/x', seen),
      observation('server1/y', 'wrong'),
      observation('server2/z', 'unknown'),
    ]),
    resources: [],
    audited: [],
    clocks: [],
    unreached: new Map(),
    roundTrips: {},
    ...more,
  };
  return clusterReport(inspection).findings.map(({ code }) => code);
};

describe('a cluster of which nothing is there', () => {
  it('is told in one finding', async () => {
    expect(await codes({})).toEqual(['PRV001']);
    expect(
      await codes({ data: { content: 'empty', files: [], standbySignal: false, running: false } }),
    ).toEqual(['PRV001']);
  });

  it('has beside it what stands in the way', async () => {
    expect((await codes({}, {}, 'refused')).toSorted()).toEqual(['PRV001', 'SAF001']);
  });

  it('is none where something was there, or nobody knows', async () => {
    const data = { files: [], standbySignal: false, running: false };
    const traces: readonly Partial<HostView>[] = [
      { data: { ...data, content: 'cluster' } },
      { data: { ...data, content: 'absent', recorded: '7300000000000000001' } },
      { data: { ...data, content: 'empty', making: 'copy' } },
      { unread: [{ about: 'clusterKey', file: '/mcdir/inst1/cluster.key', why: 'Permission denied' }] },
    ];
    for (const trace of traces) expect(await codes(trace)).not.toContain('PRV001');
    const away = new Map([['server2', [{ code: 'CON001', what: 'no answer', why: 'w', fix: 'f' } as const]]]);
    expect(await codes({}, { unreached: away })).not.toContain('PRV001');
  });
});
