/** A running pair is given up sooner, or speaks elsewhere, and later as before: files are read anew, nothing is restarted, and both servers know of it. */
import { afterAll, beforeAll, expect } from 'vitest';
import { daemonsOf } from '../check/pair.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql } from '../support/instance.ts';
import { expectSwitchable } from '../support/multiplexed.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

describeLab('a running pair', () => {
  let pair: LabCluster;
  beforeAll(async () => {
    pair = await provisionedPair();
  });
  afterAll(() => pair?.close());

  const running = () =>
    Promise.all(
      pair.servers.map(async (server) => {
        const { postmaster, controller } = await daemonsOf(server);
        return { postmaster, controller };
      }),
    );

  /** What the others may count on, as each controller has written down. */
  const untilGranted = (server: Server, ms: number) =>
    until(
      () => `${server.id} does not grant ${ms} ms`,
      20_000,
      async () => {
        const { stdout } = await server.host.sh(`cat ${server.managementDir}/${server.id}.state.json`);
        return stdout.includes(`"grantedMs":${ms}`) || undefined;
      },
      200,
    );

  const becomes = async (file: string, giveUpMs: number): Promise<void> => {
    const before = await running();
    expectExit(await pair.command(['provision', '-i', file, '--yes']), 0);
    expect(await running()).toEqual(before);
    for (const server of pair.servers) {
      await untilGranted(server, giveUpMs);
      const shown = await sql(server, "SELECT setting FROM pg_settings WHERE name = 'wal_receiver_timeout'");
      expect(shown).toBe(String(giveUpMs));
    }
    await expectSwitchable(pair);
    expect(findingsOf((await pair.command(['check', '-i', file, '--json'])).json())).toEqual([]);
  };

  labTest('becomes fast, and normal again, without a restart', async () => {
    await becomes(pair.inventory('fast.yml', { multiplexing: { heartbeat: 'fast' } }), 2100);
    await becomes(pair.file, 5400);
  });

  labTest('goes to other admin ports, and back, without a restart', async () => {
    await becomes(pair.inventory('ports.yml', { multiplexing: { port: 27550 } }), 5400);
    for (const { host } of pair.servers) expect((await host.sh('ss -ltnH')).stdout).toMatch(/:27550\b/);
    await becomes(pair.file, 5400);
    for (const { host } of pair.servers) expect((await host.sh('ss -ltnH')).stdout).not.toMatch(/:27550\b/);
  });
});
