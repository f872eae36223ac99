/**
 * The same command on hosts that have only sshd: pgduet installs PostgreSQL and Node from the operating system's packages,
 * and the cluster that Debian's packages make by themselves is never created.
 */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type ImageName, Lab } from '../harness/lab.ts';
import { serverOf } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { built, expectExit, pgduet } from '../support/pgduet.ts';

const images: readonly { readonly image: ImageName; readonly version: number }[] = [
  { image: 'debian12-bare', version: 15 },
  { image: 'debian13-bare', version: 17 },
];

describeLab('bare hosts', () => {
  for (const { image, version } of images) {
    labTest(
      `of ${image} become a pair with PostgreSQL ${version}, packages installed by pgduet`,
      async () => {
        built();
        await using lab = await Lab.open();
        const [a, b] = await lab.hosts(2, { image, names: ['server1', 'server2'] });
        const without = await a.sh('command -v node psql postgres; ls /usr/lib/postgresql');
        expect(without.stdout).toBe('');
        const command = pgduet(lab);
        const gateway = a.address.replace(/\d+$/, '1');
        const file = inventory(lab, [a, b], { version, multiplexing: { reference_addresses: [gateway] } });
        expectExit(await command(['provision', '--check', '-i', file]), 2);
        expect((await a.sh('dpkg -l | grep -c postgresql-')).stdout.trim()).toBe('0');
        expectExit(await command(['provision', '-i', file, '--yes']), 0);
        await expectMultiplexed({ primary: serverOf(a), standbys: [serverOf(b)], version });
        const installed = await b.sh(
          `dpkg-query -W -f '\${db:Status-Status}\\n' postgresql-${version} nodejs iputils-ping`,
        );
        expect(installed.stdout).toBe('installed\ninstalled\ninstalled\n');
        expectExit(await command(['check', '-i', file]), 0);
      },
    );
  }
});
