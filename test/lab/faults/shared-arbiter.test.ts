/** Two clusters with one arbiter: the cable of one primary is cut, and its standby takes over; nothing happens to the other cluster. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { postmasterPid, type Server, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { expectStreaming } from '../support/multiplexed.ts';
import { built, expectExit } from '../support/pgduet.ts';
import { expectNothingLost, writing } from './support/late.ts';
import type { FaultPair } from './support/pair.ts';
import { openPair } from './support/variants.ts';

interface Served {
  readonly cluster: string;
  readonly term: number;
  readonly holder: string | null;
  readonly servers: readonly { readonly server_id: string; readonly status: string }[];
}

/** What the arbiter says of each cluster. */
async function served({ arbiter }: FaultPair): Promise<Served[]> {
  const said = await arbiter.sh('mc_arb status -M /mcarb/arbiter --json', { user: 'mcarb', check: true });
  return (JSON.parse(said.stdout) as { clusters: Served[] }).clusters;
}

const of = (clusters: readonly Served[], name: string): Served | undefined =>
  clusters.find(({ cluster }) => cluster === name);

describeLab('two clusters with one arbiter', () => {
  let pair: FaultPair;
  let others: readonly [Server, Server];
  beforeAll(async () => {
    built();
    pair = await openPair('arbiter');
    const hosts = await pair.lab.hosts(2, { names: ['other1', 'other2'] });
    const [a, b] = hosts;
    others = [serverOf(a), serverOf(b)];
    const file = inventory(pair.lab, [...hosts, pair.arbiter], {
      name: 'other.yml',
      cluster: 'other',
      multiplexing: { on_heartbeat_loss: undefined },
      host: ({ name }) => (name === pair.arbiter.name ? { role: 'arbiter' } : {}),
    });
    expectExit(await pair.cluster.command(['provision', '-i', file, '--yes']), 0);
  });
  afterAll(() => pair?.close());

  labTest('one of them is cut and switches, the other one goes on untouched', async () => {
    await pair.untilSwitchable();
    await Promise.all(others.map(untilSwitchable));
    const before = await served(pair);
    expect(before.map(({ cluster }) => cluster).sort()).toEqual(['inst1', 'other']);
    for (const { servers } of before)
      expect(servers.map(({ status }) => status)).toEqual(['online', 'online']);
    const pids = await Promise.all(others.map(postmasterPid));
    const scene = await writing(pair);
    await scene.primary.host.cut();
    await until(
      () => `${scene.standby.id} has not become primary`,
      30_000,
      async () => ((await pair.takesWrites(scene.standby)) ? true : undefined),
      100,
    );
    expect(await scene.client.writesAgain(10_000)).toBe(true);
    const after = await served(pair);
    expect(of(after, 'inst1')?.term).toBeGreaterThan(of(before, 'inst1')?.term ?? 0);
    expect(of(after, 'inst1')?.holder).toBe(scene.standby.id);
    expect(of(after, 'other')).toEqual({ ...of(before, 'other'), servers: expect.anything() });
    await Promise.all(others.map(untilSwitchable));
    await expectStreaming({ primary: others[0], standbys: [others[1]], version: 15 });
    expect(await Promise.all(others.map(postmasterPid))).toEqual(pids);
    await scene.primary.host.heal();
    await pair.makeWhole();
    await expectNothingLost(pair, scene);
  });
});
