/** How a management directory is lost, and what nobody may say meanwhile. In: a provisioned pair. It must never bring anything back. */
import { expect } from 'vitest';
import type { FaultPair } from '../faults/support/pair.ts';
import { until } from '../harness/run.ts';
import type { Server } from '../support/instance.ts';

/** What becomes of the controller. */
export type Fate = 'runs' | 'killed';

/** It is deleted with all that stands in it; systemd tries in vain to start a killed controller. */
export async function lose({ host, managementDir, unit, id }: Server, fate: Fate): Promise<void> {
  await host.sh(`rm -r ${managementDir}`, { check: true });
  if (fate === 'runs') return;
  await host.sh(`systemctl kill --kill-who=main -s KILL ${unit}`, { check: true });
  await until(
    () => `the controller of ${id} was not started in vain`,
    20_000,
    async () =>
      (await host.sh(`systemctl show -p Result ${unit} | grep -q exit-code`)).status === 0 ? true : undefined,
  );
}

const promotion = /switch --force|promote|force-start/;

/** No output names a promotion: a server runs. */
export async function quiet(pair: FaultPair): Promise<void> {
  const said = await Promise.all([
    pair.cluster.run('status'),
    pair.cluster.run('check', '--json'),
    pair.cluster.run('provision', '--check'),
    ...pair.servers.map((server) => pair.mcCtl(server, 'status')),
  ]);
  for (const { stdout, stderr } of said) expect(`${stdout}${stderr}`).not.toMatch(promotion);
}
