/**
 * A pair with an arbiter on real hosts: made from hosts that have nothing of it, cut, rebooted, moved and taken away; and an
 * arbiter that comes to a pair which runs. No acknowledged row is lost, and no instance is restarted for it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { arbiterKeyOf } from '../../../src/controller/config-arbiter-key.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { provisionedPair } from '../support/cluster.ts';
import {
  fileText,
  postmasterPid,
  type Server,
  serverOf,
  sql,
  statOf,
  untilSwitchable,
} from '../support/instance.ts';
import { inventory, managementDir, type YamlMap } from '../support/inventory.ts';
import { expectRowsTravel, expectStreaming, expectSwitchable } from '../support/multiplexed.ts';
import { built, expectExit, type Pgduet, pgduet, type RunDocument } from '../support/pgduet.ts';
import { expectNamed, registerReport, untilArbiterIs } from '../support/register.ts';
import { startWriter, writerSetup } from './writer.ts';

const directory = '/mcarb/arbiter';

/** No policy of its own: the arbiter decides. */
const arbitrated = { multiplexing: { on_heartbeat_loss: undefined } };
const entries = (servers: readonly Host[], arbiter: Host | undefined): YamlMap => ({
  ...Object.fromEntries(
    servers.map(({ name, address }, at) => [name, { address, role: at === 0 ? 'primary' : 'standby' }]),
  ),
  ...(arbiter ? { [arbiter.name]: { address: arbiter.address, role: 'arbiter' } } : {}),
});

const networkLines = (server: Server): readonly string[] =>
  fileText(server.host, `${managementDir}/network.conf`)
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line));

describeLab('a pair with an arbiter, from hosts that have nothing of it', () => {
  let lab: Lab;
  let command: Pgduet;
  let file: string;
  let hosts: readonly Host[];
  let arbiter: Host;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    const [a, b, c] = await lab.hosts(3, { names: ['server1', 'server2', 'arb1'] });
    hosts = [a, b];
    arbiter = c;
    [one, two] = [serverOf(a), serverOf(b)];
    command = pgduet(lab);
    file = inventory(lab, [a, b], {
      ...arbitrated,
      hosts: entries([a, b], c),
      postgres: {
        hba: [{ type: 'host', database: 'app', user: 'app', address: '0.0.0.0/0', method: 'scram-sha-256' }],
      },
    });
  });
  afterAll(() => lab?.close());
  const run = (verb: string, ...more: string[]) => command([verb, '-i', file, ...more]);

  labTest('provision makes it, names the arbiter, and finds nothing to do afterwards', async () => {
    expectExit(await run('provision', '--yes'), 0);
    const cluster = { primary: one, standbys: [two], version: 15 };
    await expectStreaming(cluster);
    await expectSwitchable(cluster);
    await expectRowsTravel(cluster);
    await expectNamed([one, two], 'arb1');
    expect(networkLines(two)).toEqual([
      `server1 ${one.address} 27540`,
      `server2 ${two.address} 27540`,
      `arb1 ${arbiter.address} 27541 arbiter`,
    ]);
    const again = await run('provision', '--yes', '--json');
    expect(again.json<RunDocument>()).toMatchObject({
      exit: 0,
      plan: [],
      round_trips: { server1: 1, server2: 1, arb1: 1 },
    });
    const check = await run('check');
    expectExit(check, 0);
  });

  labTest('the arbiter runs as a user of its own, and nobody else reads its files', async () => {
    const ofCluster = [
      'network.conf',
      'arbiter.key',
      'identity.key',
      'identities.json',
      'arbiter.proven.json',
    ];
    const files = ['arbitration.conf', ...ofCluster.map((name) => `clusters/inst1/${name}`)];
    expect(await statOf(arbiter, [directory, ...files.map((name) => `${directory}/${name}`)])).toEqual([
      `${directory} 700 mcarb directory`,
      ...files.map((name) => `${directory}/${name} 600 mcarb regular file`),
    ]);
    const state = await arbiter.sh(`systemctl show -p UnitFileState,ActiveState,User mcarb_arbiter
systemctl list-units --state=failed --no-legend --plain`);
    expect(state.stdout.trim().split('\n').sort()).toEqual([
      'ActiveState=active',
      'UnitFileState=enabled',
      'User=mcarb',
    ]);
    expect(fileText(arbiter, `${directory}/clusters/inst1/arbiter.key`)).toBe(
      `${arbiterKeyOf(new Secret(fileText(one.host, `${managementDir}/cluster.key`))).reveal()}\n`,
    );
    const listening = await arbiter.sh("ss -Hltn 'sport = :27541'");
    expect(listening.stdout).toContain(':27541');
  });

  labTest('it and the servers prove who they are, each by a key that stays on its host', async () => {
    const keys = await Promise.all(
      [one, two].map(({ host }) => host.sh(`cat ${managementDir}/identity.key`, { check: true })),
    );
    const own = fileText(arbiter, `${directory}/clusters/inst1/identity.key`);
    const all = [own, ...keys.map(({ stdout }) => stdout)];
    expect(new Set(all).size).toBe(3);
    const said = await arbiter.sh(`mc_arb status -M ${directory} --json`, { user: 'mcarb', check: true });
    expect(JSON.parse(said.stdout)).toMatchObject({
      clusters: [{ servers: [{ identity: 'proven' }, { identity: 'proven' }] }],
    });
    for (const server of [one, two])
      expect(JSON.parse(fileText(server.host, `${managementDir}/${server.id}.status.json`))).toMatchObject({
        identities: { arb1: 'proven' },
      });
  });

  labTest('what differs on its host is told, and provision repairs it', async () => {
    await arbiter.sh(
      `systemctl stop mcarb_arbiter; chmod 0644 ${directory}/clusters/inst1/arbiter.key; echo '# x' >> ${directory}/arbitration.conf`,
      { check: true },
    );
    await untilArbiterIs(one, 'offline');
    const said = await run('check', '--json');
    for (const code of ['ARB001', 'ARB004', 'FIL002', 'FIL005']) expect(said.stdout).toContain(`"${code}"`);
    expectExit(await run('provision', '--yes'), 0);
    expectExit(await run('check'), 0);
  });

  labTest('its reboot stops no commit and no instance', async () => {
    await sql(one, writerSetup);
    await sql(one, 'CREATE DATABASE app OWNER app');
    await sql(one, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
    const before = await Promise.all([one, two].map(postmasterPid));
    const writer = startWriter([one, two]);
    await writer.more(100);
    await arbiter.powerOff();
    await writer.more(500);
    await arbiter.powerOn();
    await writer.more(100);
    await writer.end();
    await Promise.all([one, two].map(untilSwitchable));
    await Promise.all([one, two].map((server) => untilArbiterIs(server, 'online')));
    expect(await Promise.all([one, two].map(postmasterPid))).toEqual(before);
    expectExit(await run('check'), 0);
  });

  labTest(
    'a cut cable of the primary: the standby goes on, the primary acknowledges nothing, and no row is lost',
    async () => {
      await sql(one, 'TRUNCATE written', 'app');
      const writer = startWriter([one, two], 2000);
      await writer.more(200);
      await one.host.cut();
      const promoted = async (): Promise<true | undefined> =>
        (await sql(two, 'SELECT pg_is_in_recovery()')) === 'f' ? true : undefined;
      await until(() => 'server2 has not become primary', 30_000, promoted, 100);
      await writer.more(200);
      // Behind the cable its administrator still gets in; nothing that it says counts.
      const alone = await one.host.sh(
        `timeout 5 runuser -u postgres -- psql -XqAtp 27500 -d app -c 'INSERT INTO written VALUES (-1)'`,
      );
      expect(alone.status).not.toBe(0);
      await one.host.heal();
      await sleep(3000);
      await writer.more(50);
      const acknowledged = await writer.end();
      const rows = new Set((await sql(two, 'SELECT n FROM written', 'app')).split('\n').map(Number));
      expect(acknowledged.filter((row) => !rows.has(row))).toEqual([]);
      expect(rows.has(-1)).toBe(false);
      const leads = await Promise.all(
        [one, two].map((server) => sql(server, 'SELECT pg_is_in_recovery()').catch(() => 'stopped')),
      );
      expect(leads[1]).toBe('f');
      expect(leads[0]).not.toBe('f');
    },
  );

  labTest(
    'the former primary is rebuilt and takes its role back, also while the arbiter is away',
    async () => {
      expectExit(await run('rebuild', 'server1', '--yes'), 0);
      await expectNamed([one, two], 'arb1');
      await arbiter.powerOff();
      expectExit(await run('switch', '--to', 'server1', '--yes'), 0);
      await arbiter.powerOn();
      await Promise.all([one, two].map(untilSwitchable));
      expectExit(await run('provision', '--yes'), 0);
      await expectNamed([one, two], 'arb1');
    },
  );

  labTest('it is taken away without a restart: the promise names nobody, and a person decides', async () => {
    const before = await Promise.all([one, two].map(postmasterPid));
    file = inventory(lab, hosts, { name: 'without.yml', multiplexing: { on_heartbeat_loss: 'message' } });
    expectExit(await run('provision', '--yes'), 0);
    for (const server of [one, two]) {
      const { arbiters, register } = await registerReport(server);
      expect({ arbiters, register }).toEqual({ arbiters: [], register: null });
    }
    expect(await Promise.all([one, two].map(postmasterPid))).toEqual(before);
    expectExit(await run('check'), 0);
  });
});

describeLab('an arbiter that comes to a pair which runs', () => {
  labTest(
    'is named without a restart of any instance, moves, and leaves nothing behind at the teardown',
    async () => {
      await using pair = await provisionedPair();
      const [first, second] = await pair.lab.hosts(2, { names: ['arb1', 'arb2'] });
      const { primary, standby } = pair;
      const before = await Promise.all([primary, standby].map(postmasterPid));
      const withArbiter = (arbiter: Host): string =>
        inventory(pair.lab, pair.hosts, {
          ...arbitrated,
          name: `${arbiter.name}.yml`,
          hosts: entries(pair.hosts, arbiter),
        });
      const planned = await pair.command(['provision', '-i', withArbiter(first), '--check']);
      expectExit(planned, 2);
      expect(planned.stdout).not.toContain('PostgreSQL is restarted on');
      for (const arbiter of [first, second]) {
        expectExit(await pair.command(['provision', '-i', withArbiter(arbiter), '--yes']), 0);
        await expectNamed([primary, standby], arbiter.name);
        expect(await Promise.all([primary, standby].map(postmasterPid))).toEqual(before);
      }
      // Another cluster that shares it stays.
      await second.sh(
        `cp -rp ${directory}/clusters/inst1 ${directory}/clusters/other && rm -f ${directory}/clusters/other/cell.json &&
od -An -tx1 -N32 /dev/urandom | tr -d ' \\n' > ${directory}/clusters/other/arbiter.key && systemctl reload mcarb_arbiter`,
        { check: true },
      );
      expectExit(await pair.command(['teardown', '-i', withArbiter(second), '--yes']), 0);
      expect((await second.sh(`ls ${directory}/clusters`)).stdout.trim()).toBe('other');
      expect((await second.sh('systemctl is-active mcarb_arbiter')).stdout.trim()).toBe('active');
      await second.sh(`rm -r ${directory}/clusters/other`, { check: true });
      expectExit(await pair.command(['teardown', '-i', withArbiter(second), '--yes']), 0);
      const left = await second.sh(
        'ls -d /mcarb /etc/systemd/system/mcarb_* /usr/local/bin/mc_arb /usr/local/lib/pgduet',
      );
      expect(left.stdout).toBe('');
    },
  );
});
