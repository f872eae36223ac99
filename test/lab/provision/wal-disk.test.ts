/**
 * WAL on a disk of its own: pg_wal is a link to it on the primary, and on the standby too, although a base backup does not
 * copy such links.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { serverOf, sql, statOf } from '../support/instance.ts';
import { dataDir, inventory } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { built, type CheckDocument, expectExit, findingsOf, type Pgduet, pgduet } from '../support/pgduet.ts';

describeLab('WAL on its own disk', () => {
  let lab: Lab;
  let hosts: Host[];
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    hosts = await lab.hosts(2, { names: ['server1', 'server2'] });
    await Promise.all(hosts.map((host) => host.smallDisk('/wal', 300)));
    command = pgduet(lab);
  });
  afterAll(() => lab?.close());

  labTest('is there on both servers, and a second run finds nothing to do', async () => {
    const file = inventory(lab, hosts, { postgres: { wal_dir: '/wal/inst1' } });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    const [primary, ...standbys] = hosts.map((host) => serverOf(host));
    if (!primary) throw new Error('no hosts');
    await expectMultiplexed({ primary, standbys, version: 15 });
    const segment = await sql(primary, 'SELECT pg_walfile_name(pg_current_wal_lsn())');
    for (const host of hosts) {
      expect((await host.sh(`readlink ${dataDir}/pg_wal`)).stdout).toBe('/wal/inst1\n');
      expect(await statOf(host, ['/wal/inst1'])).toEqual(['/wal/inst1 700 postgres directory']);
      const there = await host.sh(`df --output=target /wal/inst1 | tail -n 1; ls /wal/inst1/${segment}`);
      expect(there.stdout).toBe(`/wal\n/wal/inst1/${segment}\n`);
    }
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('a link that somebody has removed is told, and made again', async () => {
    const file = join(lab.dir, 'inventory.yml');
    const [primary, standby] = hosts.map((host) => serverOf(host));
    if (!primary || !standby) throw new Error('no hosts');
    // Without its WAL a running server falls; it is stopped first, as who moves a disk would do it.
    await standby.host.sh(`systemctl stop mcoi_inst1; rm ${dataDir}/pg_wal`, { check: true });
    const check = await command(['check', '-i', file, '--json']);
    expectExit(check, 2);
    expect(findingsOf(check.json<CheckDocument>())).toContainEqual(
      expect.objectContaining({
        code: 'LNK001',
        severity: 'danger',
        host: 'server2',
        object: `${dataDir}/pg_wal`,
        declared: expect.stringContaining('/wal/inst1'),
        found: 'missing',
        mended_by: 'provision',
      }),
    );
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    await expectMultiplexed({ primary, standbys: [standby], version: 15 });
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('a directory in place of the link is told as a danger, and left to a person', async () => {
    const file = join(lab.dir, 'inventory.yml');
    const { host } = serverOf(hosts[1] as Host);
    const move = `systemctl stop mcoi_inst1; rm ${dataDir}/pg_wal; cp -a /wal/inst1 ${dataDir}/pg_wal`;
    await host.sh(move, { check: true });
    const check = await command(['check', '-i', file, '--json']);
    const told = findingsOf(check.json<CheckDocument>()).filter(({ object }) => object.includes('pg_wal'));
    expect(told).toMatchObject([{ severity: 'danger', host: 'server2', mended_by: 'person' }]);
    await host.sh(`rm -rf ${dataDir}/pg_wal; ln -s /wal/inst1 ${dataDir}/pg_wal`, { check: true });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    expectExit(await command(['check', '-i', file]), 0);
  });
});
