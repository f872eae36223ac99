/** A controller advises to start a server; where there is nothing that could be started, `check` says what makes it. */
import { expect, it } from 'vitest';
import { anyAudit } from '../../src/check/audit.ts';
import { lostDirectory } from '../../src/check/audits/lost-directory.ts';
import { clusterReport, type Inspection } from '../../src/check/judge.ts';
import { type HostView, preferredView } from '../../src/observe/survey.ts';
import type { Decision } from '../../src/plan/plan.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

it.each([
  [
    'empty',
    'server2 has no data (its directory is empty), so that it cannot be started: run the same command again',
  ],
  ['cluster', 'on server2: mc_ctl start -M /mcdir/inst1'],
  ['lost', 'pgduet check says how the management directory of server2 comes back'],
] as const)('with a data directory that is %s: %s', async (state, repair) => {
  const cluster = await clusterOf(pairInventory);
  const isLost = state === 'lost';
  const data = {
    ...{ content: isLost ? 'cluster' : state, files: [], standbySignal: true, running: false },
    ...(isLost ? { directoryLost: true } : {}),
  } as const;
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

const noController = (host: string): Decision =>
  ({
    kind: 'change',
    resource: { host, kind: { describe: () => host }, desired: {} },
    change: {
      summary: 's',
      reason: 'r',
      differences: [{ code: 'CTL001', object: host, declared: 'running', found: 'not running' }],
    },
  }) as unknown as Decision;

it('of a former primary whose management directory is lost: what comes before its rebuild stays', async () => {
  const cluster = await clusterOf(pairInventory);
  const control = {
    ...{ systemIdentifier: '77', state: 'in production', timeline: 1, checkpoint: '0/1', checksums: true },
    reached: { position: '0/1', timeline: 1 },
  };
  const leads = { content: 'cluster', files: [], standbySignal: false, control } as const;
  const hosts = new Map<string, HostView>([
    ['server1', { data: { ...leads, running: false, directoryLost: true } }],
    ['server2', { data: { ...leads, running: true, recorded: '77' } }],
  ]);
  const inspection: Inspection = {
    ...{
      cluster,
      version: '0.1.0',
      nowMs: 0,
      resources: [],
      clocks: [],
      unreached: new Map(),
      roundTrips: {},
    },
    roles: { view: { ...preferredView(cluster), hosts }, primary: 'server2' },
    plan: { decisions: [noController('server1'), noController('server2')] },
    audited: [{ audit: anyAudit(lostDirectory), seen: new Map() }],
  };
  const { findings } = clusterReport(inspection);
  const told = findings.find(({ code }) => code === 'CTL016');
  // Nobody can know that of a controller that cannot be asked.
  expect(findings.filter(({ code }) => code === 'CTL001').map(({ host }) => host)).toEqual(['server2']);
  expect(told?.commands.map(({ run }) => run).at(-1)).toBe('pgduet rebuild server1');
  expect(told?.repair).toContain('then `pgduet rebuild server1`');
});
