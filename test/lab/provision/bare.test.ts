/**
 * The same command on hosts that have only sshd: pgduet installs PostgreSQL and Node from the operating system's packages,
 * and the cluster that Debian's packages make by themselves is never created. An arbiter gets Node alone.
 */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { serverOf } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import {
  expectMultiplexed,
  expectRowsTravel,
  expectStreaming,
  expectSwitchable,
} from '../support/multiplexed.ts';
import { built, expectExit, pgduet } from '../support/pgduet.ts';

describeLab('bare hosts', () => {
  labTest('of debian13-bare become a pair with PostgreSQL 17, packages installed by pgduet', async () => {
    await using lab = await opened();
    const image = 'debian13-bare';
    const [a, b] = await lab.hosts(2, { image, names: ['server1', 'server2'] });
    await expectBare(a);
    const command = pgduet(lab);
    const gateway = a.address.replace(/\d+$/, '1');
    const multiplexing = { reference_addresses: [gateway] };
    const file = inventory(lab, [a, b], { version: 17, multiplexing });
    expectExit(await command(['provision', '--check', '-i', file]), 2);
    expect((await a.sh('dpkg -l | grep -c postgresql-')).stdout.trim()).toBe('0');
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    await expectMultiplexed({ primary: serverOf(a), standbys: [serverOf(b)], version: 17 });
    expect(await installed(b, ['postgresql-17', 'nodejs', 'iputils-ping'])).toEqual([true, true, true]);
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('of debian12-bare become a pair with PostgreSQL 15 and its arbiter', async () => {
    await using lab = await opened();
    const image = 'debian12-bare';
    const [a, b, arbiter] = await lab.hosts(3, { image, names: ['server1', 'server2', 'arb1'] });
    await expectBare(arbiter);
    const command = pgduet(lab);
    const file = inventory(lab, [a, b, arbiter], {
      multiplexing: { on_heartbeat_loss: undefined },
      host: ({ name }) => (name === arbiter.name ? { role: 'arbiter' } : {}),
    });
    expectExit(await command(['provision', '--check', '-i', file]), 2);
    await expectBare(arbiter);
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    const cluster = { primary: serverOf(a), standbys: [serverOf(b)], version: 15 };
    await expectStreaming(cluster);
    await expectSwitchable(cluster);
    await expectRowsTravel(cluster);
    expect(await installed(b, ['postgresql-15', 'nodejs'])).toEqual([true, true]);
    expect(await installed(arbiter, ['postgresql-15', 'nodejs'])).toEqual([false, true]);
    const status = await arbiter.sh('mc_arb status -M /mcarb/arbiter --json', { user: 'mcarb', check: true });
    expect(JSON.parse(status.stdout)).toMatchObject({
      clusters: [
        {
          cluster: 'inst1',
          servers: [
            { server_id: 'server1', status: 'online' },
            { server_id: 'server2', status: 'online' },
          ],
        },
      ],
    });
    expectExit(await command(['check', '-i', file]), 0);
  });
});

function opened(): Promise<Lab> {
  built();
  return Lab.open();
}

async function expectBare(host: Host): Promise<void> {
  const found = await host.sh('command -v node psql postgres; ls /usr/lib/postgresql');
  expect(found.stdout).toBe('');
}

const installed = (host: Host, packages: readonly string[]): Promise<boolean[]> =>
  Promise.all(
    packages.map(async (name) => {
      const { stdout } = await host.sh(`dpkg-query -W -f '\${db:Status-Status}' ${name}`);
      return stdout === 'installed';
    }),
  );
