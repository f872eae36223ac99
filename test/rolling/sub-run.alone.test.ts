/** A verb within a rolling update: which hosts may be away. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { RunRequest } from '../../src/apply/request.ts';
import { run } from '../../src/apply/run.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { shippedPlaybook } from '../../src/shipped.ts';
import { runWithin } from '../../src/verbs/rolling/sub-run.ts';
import type { World } from '../../src/verbs/world.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';

vi.mock('../../src/apply/run.ts', () => ({ run: vi.fn() }));

const world = {
  options: { verbose: false },
  elapsed: () => 0,
  mask: { add: () => undefined },
  say: () => undefined,
  lockOwner: () => 'alice',
} as unknown as World;
const stop = {
  intent: { kind: 'stop', hosts: ['server2'], switchFirst: false, by: 'alice' },
  path: shippedPlaybook('stop'),
} as const;
let asked: RunRequest | undefined;
let left: Plan;
beforeEach(() => {
  left = makePlan([]);
  vi.mocked(run).mockImplementation(async (request) => {
    asked = request;
    const view = { hosts: new Map(), primary: 'server1', absent: new Set(['server2']) };
    return { view, changed: [], left } as never;
  });
});

it('a step is not done where its host went away, though a server in maintenance may be away', async () => {
  const cluster = await clusterOf(threeInventory);
  await expect(runWithin(world, cluster, { ...stop, needs: 'server2' })).rejects.toMatchObject({
    exitCode: exitCode.unreachable,
  });
  await expect(runWithin(world, cluster, { ...stop, needs: 'server3' })).resolves.toBeDefined();
});

it('others may be away only where the primary alone is asked', async () => {
  const cluster = await clusterOf(threeInventory);
  await runWithin(world, cluster, stop);
  expect(asked?.leaveOutUnreachable?.('server3')).toBe(false);
  await runWithin(world, cluster, { ...stop, mayBeAway: true });
  expect(asked?.leaveOutUnreachable?.('server3')).toBe(true);
});

it('that others are out is no failure where that may be, and that the server itself is not followed is one', async () => {
  const cluster = await clusterOf(threeInventory);
  const degraded = (kind: string) => ({
    kind: 'degraded',
    resource: { host: 'server1', kind: { kind } },
    diagnostic: { code: 'HST013', what: 'server3 is out', why: 'lost', fix: 'Rebuild it.' },
  });
  left = { decisions: [degraded('mirroring')] } as unknown as Plan;
  await expect(runWithin(world, cluster, stop)).rejects.toThrow('server3 is out');
  await expect(runWithin(world, cluster, { ...stop, othersMayBeOut: true })).resolves.toBeDefined();
  left = { decisions: [degraded('mirroring'), degraded('replication')] } as unknown as Plan;
  await expect(runWithin(world, cluster, { ...stop, othersMayBeOut: true })).rejects.toThrow(
    'server3 is out',
  );
});
