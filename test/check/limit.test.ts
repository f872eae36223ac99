/** `--limit`: what is told of one host says nothing of the others, not even that there is nothing. */
import { expect, it } from 'vitest';
import { clusterReport, type Inspection } from '../../src/check/judge.ts';
import { preferredView } from '../../src/observe/survey.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

it('a report of one host has neither rows nor findings of the others', async () => {
  const cluster = await clusterOf(threeInventory);
  const problem = { code: 'CON001', what: 'no answer', why: 'w', fix: 'f' } as const;
  const inspection: Inspection = {
    cluster,
    version: '0.1.0',
    nowMs: 0,
    roles: { view: preferredView(cluster), primary: 'server1' },
    resources: [],
    audited: [],
    clocks: [],
    unreached: new Map([['server2', [problem]]]),
    roundTrips: {},
  };
  const names = (limit?: string) => clusterReport(inspection, limit).hosts.map(({ name }) => name);
  expect(names()).toEqual(['server1', 'server2', 'server3']);
  expect(names('server3')).toEqual(['server3']);
  expect(clusterReport(inspection, 'server3').findings).toEqual([]);
  expect(clusterReport(inspection, 'server2').findings.map(({ code }) => code)).toEqual(['LOK002']);
});
