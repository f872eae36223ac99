/**
 * Proves that a pair from its prepared layer is what a provisioning of this lab would have made: in order for both
 * controllers, nothing left to do, no address of another lab; and that a reset brings it back from whatever was done.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';
import { type LabCluster, provisionedPair } from './support/cluster.ts';
import { sql } from './support/instance.ts';
import { expectMultiplexed } from './support/multiplexed.ts';
import { expectExit, findingsOf, type RunDocument } from './support/pgduet.ts';

describeLab('a pair from its prepared layer', () => {
  let pair: LabCluster;
  beforeAll(async () => {
    pair = await provisionedPair();
  });
  afterAll(() => pair?.close());

  const expectInOrder = async (): Promise<void> => {
    const said = await pair.provision('--json');
    expectExit(said, 0);
    expect(said.json<RunDocument>()).toMatchObject({
      plan: [],
      changed: [],
      primary: 'server1',
      round_trips: { server1: 1, server2: 1 },
    });
    expect(findingsOf(await pair.check())).toEqual([]);
  };

  labTest('is in order, and nothing is left to do', async () => {
    await expectInOrder();
    await expectMultiplexed(pair);
  });

  labTest('knows no address but those of its own lab', async () => {
    const own = pair.hosts.map(({ address }) => address);
    const subnet = own[0]?.replace(/\d+$/, '');
    for (const host of pair.hosts) {
      const { stdout } = await host.sh(
        `grep -rIhoE '\\b10\\.(7[7-9]|[89][0-9])\\.[0-9]+\\.[0-9]+' /etc /mcdir /database /usr/local /var/lib/postgresql /root`,
      );
      const found = [...new Set(stdout.trim().split('\n'))];
      expect(found).toEqual(expect.arrayContaining(own));
      expect(found.filter((address) => !address.startsWith(subnet ?? '-'))).toEqual([]);
    }
  });

  labTest('has controllers that have forgotten nothing', async () => {
    for (const { host, managementDir } of [pair.primary, pair.standby])
      expect((await host.sh(`ls ${managementDir} | grep torn`)).stdout).toBe('');
  });

  labTest('comes back from whatever was done to it', async () => {
    await sql(pair.primary, 'CREATE TABLE mine (n int)');
    await pair.standby.host.sh('rm -rf /database/inst1/base; systemctl disable mcoi_inst1', { check: true });
    await pair.primary.host.sh('pkill -KILL postgres; pkill -KILL node; echo >/etc/services', {
      check: true,
    });
    await pair.standby.host.cut();
    await pair.reset();
    expect(await sql(pair.primary, "SELECT to_regclass('mine') IS NULL")).toBe('t');
    await expectInOrder();
  });
});
