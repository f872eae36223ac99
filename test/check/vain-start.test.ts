/** A controller advises to start a server; where there is nothing that could be started, `check` says what makes it. */
import { expect, it } from 'vitest';
import { clusterReport, type Inspection } from '../../src/check/judge.ts';
import { type HostView, preferredView } from '../../src/observe/survey.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

it.each([
  [
    'empty',
    'server2 has no data (its directory is empty), so that it cannot be started: run the same command again',
  ],
  ['cluster', 'on server2: mc_ctl start -M /mcdir/inst1'],
] as const)('with a data directory that is %s: %s', async (content, repair) => {
  const cluster = await clusterOf(pairInventory);
  const data = { content, files: [], standbySignal: true, running: false };
  const hosts = new Map<string, HostView>([['server2', { data }]]);
  const problem = {
    code: 'HST013',
    what: 'no controller runs on server2',
    why: 'w',
    fix: 'on server2: mc_ctl start -M /mcdir/inst1',
  } as const;
  const inspection: Inspection = {
    cluster,
    version: '0.1.0',
    nowMs: 0,
    roles: { view: { ...preferredView(cluster), hosts }, primary: 'server1' },
    resources: [],
    audited: [],
    clocks: [],
    unreached: new Map([['server2', [problem]]]),
    roundTrips: {},
  };
  expect(clusterReport(inspection).findings.map((one) => one.repair)).toEqual([
    expect.stringContaining(repair),
  ]);
});
