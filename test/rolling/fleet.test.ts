/** The sessions of a rolling update: who may hold its lock. */
import { expect, it } from 'vitest';
import type { RunPorts } from '../../src/apply/request.ts';
import type { Session } from '../../src/transport/port.ts';
import { openFleet } from '../../src/verbs/rolling/fleet.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';

it('another update is refused at once; what is left of an own broken connection is waited for', async () => {
  const waits: number[] = [];
  const session = {
    run: async () => ({ status: 0, stdout: '', stderr: '' }),
    lock: async ({ waitMs }) => {
      waits.push(waitMs);
      return { held: true };
    },
    close: async () => undefined,
  } satisfies Partial<Session>;
  const ports = {
    transport: { open: async () => session },
    emit: () => undefined,
    now: () => 0,
  } as unknown as RunPorts;
  const fleet = openFleet(await clusterOf(pairInventory), ports, { locks: true, owner: 'alice' });
  await fleet.run('server1', ':');
  await fleet.run('server1', ':');
  await fleet.drop('server1');
  await fleet.run('server1', ':');
  expect(waits).toEqual([0, expect.any(Number)]);
  // A shell whose connection is gone ends within two times the silence that it waits for.
  expect(waits[1]).toBeGreaterThanOrEqual(90_000);
});
