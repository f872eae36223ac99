/**
 * One look at each host, whatever is wrong: hosts that are away, an instance that is down, a login that may only read. What
 * could not be looked at is reported as such and never passes for fine; what could be is compared all the same.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { sql, untilSwitchable } from '../support/instance.ts';
import { type InventoryWish, managementDir } from '../support/inventory.ts';
import { type CheckDocument, expectExit, findingsOf, type Pgduet, type Reported } from '../support/pgduet.ts';
import { lines } from './pair.ts';
import { expectNothing } from './round.ts';

describeLab('one look', () => {
  let pair: LabCluster;
  let hosts: [Host, Host];
  let command: Pgduet;
  beforeAll(async () => {
    pair = await provisionedPair();
    hosts = [pair.primary.host, pair.standby.host];
    command = pair.command;
  });
  afterAll(() => pair?.close());

  const look = async (status: number, file = pair.file): Promise<CheckDocument> => {
    const said = await command(['check', '-i', file, '--json']);
    expectExit(said, status);
    return said.json<CheckDocument>();
  };
  const wished = (name: string, wish: InventoryWish): string => pair.inventory(name, wish);
  const on = (told: readonly Reported[], code: string, host: string | null) =>
    told.filter((one) => one.code === code && one.host === host);
  const expectOnce = (told: readonly Reported[], code: string, host: string | null): Reported => {
    const found = on(told, code, host);
    expect(found.length, `${code} of ${host}; told was:\n${lines(told).join('\n')}`).toBe(1);
    return found[0] as Reported;
  };

  labTest('asks each host once', async () => {
    const [cluster] = (await look(0)).clusters;
    expect(cluster?.findings).toEqual([]);
    expect(cluster?.hosts.map(({ server, round_trips }) => [server, round_trips])).toEqual([
      ['server1', 1],
      ['server2', 1],
    ]);
  });

  describe('a host that cannot be reached', () => {
    labTest('because nothing listens where the inventory says: the other one is checked', async () => {
      await hosts[0].sh(`chmod 0755 ${managementDir}`, { check: true });
      const file = wished('port.yml', {
        host: ({ name }) => (name === 'server2' ? { ssh: { port: 2222 } } : {}),
      });
      const document = await look(4, file);
      const told = findingsOf(document);
      expect(expectOnce(told, 'LOK002', 'server2')).toMatchObject({
        severity: 'unknown',
        found: expect.stringMatching(/CON\d+ .*(refused|2222)/),
      });
      expect(expectOnce(told, 'DIR004', 'server1')).toMatchObject({ object: managementDir });
      expect(document.clusters[0]?.hosts).toMatchObject([
        { server: 'server1', role: 'primary', reached: true, round_trips: 1 },
        { server: 'server2', role: 'unknown', reached: false },
      ]);
    });

    labTest('because it has no power: the same, and the text names both', async () => {
      await hosts[1].powerOff();
      const told = findingsOf(await look(4));
      expectOnce(told, 'LOK002', 'server2');
      expectOnce(told, 'DIR004', 'server1');
      const text = await command(['check', '-i', pair.file]);
      expectExit(text, 4);
      expect(text.stdout).toMatch(/^server2 .*not reached/m);
      expect(text.stdout).toContain('DIR004');
      await hosts[1].powerOn();
      await untilSwitchable(pair.standby);
      expectExit(await pair.provision(), 0);
      await expectNothing(pair);
    });

    labTest(
      'because it is the primary: the standby is checked, and nobody is taken for primary',
      async () => {
        const file = wished('primary.yml', {
          host: ({ name }) => (name === 'server1' ? { ssh: { port: 2222 } } : {}),
        });
        await hosts[1].sh(`chmod 0755 ${managementDir}`, { check: true });
        const document = await look(4, file);
        const told = findingsOf(document);
        expectOnce(told, 'LOK002', 'server1');
        expectOnce(told, 'DIR004', 'server2');
        expect(told.filter(({ code }) => code.startsWith('SAF'))).toEqual([]);
        expectExit(await pair.provision(), 0);
      },
    );
  });

  labTest('an instance that is down is unknown with the reason, and never fine', async () => {
    await hosts[1].sh('systemctl stop mcoi_inst1', { check: true });
    const document = await look(2);
    const told = findingsOf(document);
    expect(on(told, 'CTL001', 'server2').length + on(told, 'CTL008', 'server2').length).toBeGreaterThan(0);
    const unseen = on(told, 'LOK001', 'server2');
    expect(unseen.length, lines(told).join('\n')).toBeGreaterThan(0);
    for (const one of unseen) expect(one.found).toMatch(/\S/);
    expectExit(await pair.provision(), 0);
    await expectNothing(pair);
  });

  describe('a login that may only read', () => {
    const places = ['/etc', '/home', '/tmp', '/run/lock', '/var/tmp', '/dev/shm', '/mcdir', '/usr/local'];
    /** Nobody but a superuser can keep what he asks out of the log of a server that logs every statement. */
    const listed = (host: Host) =>
      host.sh(
        `find ${places.join(' ')} -xdev ! -name '*.status.json*' ! -path '*-log/*' -printf '%p %m %s %C@\\n' | grep -v '^/mcdir/inst1 ' | sort`,
      );
    const account = async (name: string): Promise<void> => {
      for (const host of hosts)
        await host.sh(
          `useradd -m -s /bin/sh ${name}; mkdir -p -m 700 ~${name}/.ssh; echo '${pair.lab.keyPub}' > ~${name}/.ssh/authorized_keys; chown -R ${name}: ~${name}/.ssh`,
          { check: true },
        );
    };
    /** It says what it could not see, with reasons, and leaves nothing behind. */
    const looksAs = async (name: string): Promise<readonly Reported[]> => {
      const before = await Promise.all(hosts.map(listed));
      const said = await command(['check', '-i', pair.file, '--login', name, '--json']);
      expect(said.status, said.all).not.toBe(0);
      expect((await Promise.all(hosts.map(listed))).map(({ stdout }) => stdout)).toEqual(
        before.map(({ stdout }) => stdout),
      );
      const document = said.json<CheckDocument>();
      for (const { reached, round_trips } of document.clusters[0]?.hosts ?? [])
        expect([reached, round_trips]).toEqual([true, 1]);
      const told = findingsOf(document);
      for (const { name } of hosts) {
        const unseen = on(told, 'LOK001', name);
        expect(unseen.length, lines(told).join('\n')).toBeGreaterThan(0);
        for (const one of unseen) expect(one.found).toMatch(/\S/);
      }
      return told;
    };

    labTest('with a role in pg_monitor it finds what the server itself shows', async () => {
      await sql(pair.primary, 'CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor');
      await account('monitor');
      expect((await looksAs('monitor')).filter(({ code }) => !/^LOK/.test(code))).toEqual([]);
      await sql(pair.primary, 'ALTER SYSTEM SET synchronous_commit = off');
      await sql(pair.primary, "ALTER SYSTEM SET wal_sender_timeout = '30s'");
      await sql(pair.primary, 'SELECT pg_reload_conf()');
      const told = await looksAs('monitor');
      expect(expectOnce(told, 'SET012', 'server1')).toMatchObject({
        severity: 'danger',
        object: 'synchronous_commit',
        found: expect.stringContaining('off'),
      });
      // A declared one, whose file this login may not read.
      expect(expectOnce(told, 'SET016', 'server1')).toMatchObject({
        object: 'wal_sender_timeout',
        declared: '5400',
        found: '30 s',
        source: expect.stringContaining('postgresql.auto.conf'),
      });
      await sql(pair.primary, 'ALTER SYSTEM RESET ALL');
      await sql(pair.primary, 'SELECT pg_reload_conf()');
      await expectNothing(pair);
    });

    labTest('without any role in PostgreSQL it says what it could not see', async () => {
      await account('guest');
      const told = await looksAs('guest');
      expect(told.filter(({ severity }) => severity !== 'unknown')).toEqual([]);
    });
  });
});
