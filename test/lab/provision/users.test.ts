/**
 * Provisioning as users have their ssh: everything from a client configuration of their own, through a jump host, with
 * hashed host keys and sudo without a password; a whole cluster on IPv6 addresses. A user whose sudo asks for a password
 * is in secrets.test.ts.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { text } from '../harness/run.ts';
import { fileText, serverOf, sql } from '../support/instance.ts';
import { inventory, managementDir } from '../support/inventory.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { built, expectExit, type Pgduet, pgduet } from '../support/pgduet.ts';

describeLab('provisioning as users log in', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let c: Host;
  let d: Host;
  let jump: Host;
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [a, b, c, d, jump] = await lab.hosts(5, { names: ['server1', 'server2', 'six1', 'six2', 'gate'] });
    command = pgduet(lab);
  });
  afterAll(() => lab?.close());

  /** Known hosts with hashed names, as Debian's ssh writes them. */
  async function hashedHosts(): Promise<string> {
    const path = join(lab.dir, 'hashed');
    copyFileSync(lab.knownHosts, path);
    await text('ssh-keygen', '-q', '-H', '-f', path);
    expect(readFileSync(path, 'utf8')).not.toContain(a.address);
    return path;
  }

  async function clientConfig(): Promise<string> {
    const path = join(lab.dir, 'ssh_config');
    const lines = [
      ...[a, b].flatMap(({ name, address }) => [`Host ${name}-by-name`, `  HostName ${address}`, '']),
      'Host gate',
      `  HostName ${jump.address}`,
      '  User deploy',
      '',
      'Host *-by-name',
      '  User ops',
      '  ProxyJump gate',
      '',
      'Host *',
      `  IdentityFile ${lab.key}`,
      `  UserKnownHostsFile ${await hashedHosts()}`,
      '  IdentitiesOnly yes',
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  labTest('everything from an ssh configuration, through a jump host, with sudo', async () => {
    const file = inventory(lab, [a, b], {
      ssh: { config_file: await clientConfig(), become: 'sudo' },
      host: ({ name, address }) => ({
        address: `${name}-by-name`,
        admin_address: address,
        log_transfer_address: address,
      }),
    });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    await expectMultiplexed({ primary: serverOf(a), standbys: [serverOf(b)], version: 15 });
    expectExit(await command(['check', '-i', file]), 0);
    expectExit(await command(['status', '-i', file]), 0);
    const accepted = (await a.journal('ssh'))
      .split('\n')
      .filter((line) => line.includes('Accepted publickey'));
    expect(accepted.length).toBeGreaterThan(0);
    // The harness itself never logs in over the network, so that each login is one of pgduet.
    for (const line of accepted) expect(line).toContain(`for ops from ${jump.address} `);
    expect(await jump.journal('ssh')).toContain('Accepted publickey for deploy');
  });

  labTest('a run has one ssh connection per host', async () => {
    const logins = async () => (await b.journal('ssh')).split('Accepted publickey').length;
    const before = await logins();
    expectExit(await command(['check', '-i', join(lab.dir, 'inventory.yml')]), 0);
    expect((await logins()) - before).toBe(1);
  });

  labTest('a cluster on IPv6 addresses, replication and controllers included', async () => {
    const file = inventory(lab, [c, d], { name: 'six.yml', host: ({ address6 }) => ({ address: address6 }) });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    const [primary, standby] = [c, d].map((host) => serverOf(host, { address: host.address6 }));
    if (!primary || !standby) throw new Error('no hosts');
    await expectMultiplexed({ primary, standbys: [standby], version: 15 });
    expect(await sql(primary, 'SELECT family(client_addr) FROM pg_stat_replication')).toBe('6');
    expect(fileText(c, `${managementDir}/network.conf`)).not.toContain(c.address);
    const status = await command(['status', '-i', file]);
    expect(status.stdout).toContain(`[${c.address6}]:27500,[${d.address6}]:27500/postgres`);
    expectExit(await command(['check', '-i', file]), 0);
  });

  labTest('the instance administrator alone, without root on the hosts', async () => {
    const [one, two] = await lab.hosts(2, { names: ['plain1', 'plain2'] });
    for (const host of [one, two]) {
      // What an administrator of such hosts prepares once: a login for the owner, and room for the data.
      await host.sh(
        `install -d -m 700 -o postgres /var/lib/postgresql/.ssh
install -m 600 -o postgres /root/.ssh/authorized_keys /var/lib/postgresql/.ssh/
install -d -o postgres /database /mcdir`,
        { check: true },
      );
    }
    const file = inventory(lab, [one, two], {
      name: 'plain.yml',
      ssh: { user: 'postgres', identity_file: lab.key, known_hosts: lab.knownHosts },
    });
    expectExit(await command(['provision', '-i', file, '--yes']), 0);
    for (const host of [one, two]) {
      const mcCtl = `${managementDir}/mc_ctl status -M ${managementDir}`;
      expect((await host.sh(mcCtl, { user: 'postgres' })).stdout.split('\n')[2]).toBe('switchable');
      expect((await host.sh('ls /etc/systemd/system/mcoi* /usr/local/bin/mc_ctl')).stdout).toBe('');
    }
    const psql = `psql -h ${managementDir} -p 27500 -XAtc 'SELECT application_name, state, sync_state FROM pg_stat_replication'`;
    expect((await one.sh(psql, { user: 'postgres' })).stdout).toBe('plain2|streaming|sync\n');
    expectExit(await command(['check', '-i', file]), 0);
    expectExit(await command(['status', '-i', file]), 0);
  });
});
