/**
 * An etcd of three members decides for a pair: it comes without a restart, a cut cable loses no row, one member may be gone, and with
 * two gone nothing happens until servers do not hear each other; then they wait as under `message`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { password } from '../../controller/support/etcd.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { certificatesOf, LabEtcd } from '../support/etcd.ts';
import {
  fileText,
  mcCtlStatus,
  postmasterPid,
  type Server,
  sql,
  statOf,
  untilSwitchable,
} from '../support/instance.ts';
import { managementDir, Tagged } from '../support/inventory.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';
import { watchProcesses } from '../support/process-watch.ts';
import { expectNamed, untilArbiterIs } from '../support/register.ts';
import { startWriter, type Writer, writerSetup } from './writer.ts';

const leads = async (server: Server): Promise<true | undefined> =>
  (await sql(server, 'SELECT pg_is_in_recovery()')) === 'f' ? true : undefined;

describeLab('a pair with an etcd of three members', () => {
  let pair: LabCluster;
  let declared: LabCluster;
  let etcd: LabEtcd;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    etcd = await LabEtcd.started(pair.lab, await pair.lab.hosts(3, { names: ['etcd1', 'etcd2', 'etcd3'] }));
    declared = pair.declared('with-etcd.yml', {
      etcd: etcd.declared,
      multiplexing: { on_heartbeat_loss: undefined },
      postgres: {
        hba: [{ type: 'host', database: 'app', user: 'app', address: '0.0.0.0/0', method: 'scram-sha-256' }],
      },
    });
    [one, two] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  /** Rows that were acknowledged and are not there; and whether the others serve. */
  async function expectWhole(acknowledged: readonly number[], primary: Server, other: Server): Promise<void> {
    const rows = new Set((await sql(primary, 'SELECT n FROM written', 'app')).split('\n').map(Number));
    expect(acknowledged.filter((row) => !rows.has(row))).toEqual([]);
    expect(await sql(other, 'SELECT pg_is_in_recovery()').catch(() => 'stopped')).not.toBe('f');
  }

  async function writing(): Promise<Writer> {
    await sql((await leads(one)) ? one : two, 'TRUNCATE written', 'app');
    const writer = startWriter([one, two], 2000);
    await writer.more(100);
    return writer;
  }

  labTest('a password that it does not take: the run says so, and the pair serves as before', async () => {
    const file = join(pair.lab.dir, 'wrong.password');
    writeFileSync(file, 'another word\n', { mode: 0o600 });
    const wrong = pair.declared('wrong.yml', {
      etcd: { ...etcd.declared, password: new Tagged(`!file ${file}`) },
      multiplexing: { on_heartbeat_loss: undefined },
    });
    const ended = await wrong.provision();
    expectExit(ended, 1);
    expect(ended.stderr).toContain("it does not take the password of user 'pgduet'");
    expect(await mcCtlStatus(one)).toContain('switchable');
    expect((await wrong.run('check', '--json')).stdout).toContain('"ARB004"');
  });

  labTest('is named without a restart, and keeps its password to itself', async () => {
    const before = await Promise.all([one, two].map(postmasterPid));
    const watched = await watchProcesses(() => declared.provision());
    expectExit(watched.result, 0);
    expect(watched.seen.length).toBeGreaterThan(20);
    expect(watched.seen.filter(({ text }) => text.includes(password))).toEqual([]);
    await expectNamed([one, two], 'etcd');
    for (const server of [one, two]) {
      expect(
        await statOf(server.host, [`${managementDir}/etcd.password`, `${managementDir}/etcd-ca.pem`]),
      ).toEqual(
        ['etcd.password', 'etcd-ca.pem'].map((name) => `${managementDir}/${name} 600 postgres regular file`),
      );
      expect(fileText(server.host, `${managementDir}/etcd-ca.pem`)).toBe(certificatesOf(pair.lab));
      const told = await server.host.sh(
        `p=/proc/$(head -n 1 ${managementDir}/${server.id}.pid)
grep -rlsF -f - ${managementDir} /etc /run /var/log $p/environ $p/cmdline`,
        { input: `${password}\n` },
      );
      expect(told.stdout.trim()).toBe(`${managementDir}/etcd.password`);
    }
    expect(await Promise.all([one, two].map(postmasterPid))).toEqual(before);
    const again = await declared.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({ exit: 0, plan: [] });
    expectExit(await declared.run('check'), 0);
    const status = await declared.run('status');
    expect(status.stdout).toMatch(/^arbiter etcd, https:.*heard by server1, server2$/m);
    await sql(one, writerSetup);
    await sql(one, 'CREATE DATABASE app OWNER app');
    await sql(one, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
  });

  labTest('keeps the cell of a cluster whose secrets are renewed', async () => {
    const term = async (server: Server): Promise<unknown> => {
      const { stdout } = await server.host.sh(`mc_ctl status --json -M ${managementDir}`, {
        user: 'postgres',
      });
      return (JSON.parse(stdout) as { register: unknown }).register;
    };
    const before = await Promise.all([one, two].map(term));
    const keys = () => [one, two].map(({ host }) => fileText(host, `${managementDir}/cluster.key`));
    const [key] = keys();
    expectExit(await declared.run('secrets', 'renew', '--yes'), 0);
    const [first, second] = keys();
    expect([first === key, first === second]).toEqual([false, true]);
    await expectNamed([one, two], 'etcd');
    expect(await Promise.all([one, two].map(term))).toEqual(before);
    const again = await declared.provision('--json');
    expect(again.json<RunDocument>()).toMatchObject({ exit: 0, plan: [] });
  });

  labTest('a cut cable of the primary: the standby goes on, and no row is lost', async () => {
    const writer = await writing();
    await one.host.cut();
    await until(
      () => 'server2 has not become primary',
      30_000,
      () => leads(two),
      100,
    );
    await writer.more(100);
    await one.host.heal();
    await sleep(3000);
    await writer.more(20);
    await expectWhole(await writer.end(), two, one);
    expectExit(await declared.run('rebuild', 'server1', '--yes'), 0);
    expectExit(await declared.run('switch', '--to', 'server1', '--yes'), 0);
    await Promise.all([one, two].map(untilSwitchable));
  });

  labTest('a cut between the servers alone: the primary goes on, and with one member gone, too', async () => {
    const writer = await writing();
    await etcd.hosts[0]?.powerOff();
    await one.host.cutFrom(two.host);
    await two.host.cutFrom(one.host);
    const alone = async (): Promise<true | undefined> =>
      (await sql(one, 'SHOW synchronous_standby_names')) === '' ? true : undefined;
    await until(() => 'server1 does not go on alone', 30_000, alone, 100);
    await writer.more(100);
    await expectWhole(await writer.end(), one, two);
    await one.host.healTo(two.host);
    await two.host.healTo(one.host);
    await etcd.hosts[0]?.powerOn();
    expectExit(await declared.provision(), 0);
    await Promise.all([one, two].map(untilSwitchable));
  });

  labTest('two members gone: writes go on; a lost primary is waited for until they are back', async () => {
    const writer = await writing();
    for (const host of etcd.hosts.slice(1)) await host.powerOff();
    await untilArbiterIs(two, 'offline');
    await writer.more(200);
    expect(await mcCtlStatus(one)).toContain('switchable');
    const check = await declared.run('check', '--json');
    expect(check.stdout).toContain('"ARB004"');
    await one.host.cut();
    // Three times as long as it takes to give it up.
    await sleep(16_000);
    expect(await leads(two)).toBeUndefined();
    for (const host of etcd.hosts.slice(1)) await host.powerOn();
    await until(
      () => 'server2 has not become primary',
      40_000,
      () => leads(two),
      100,
    );
    await writer.more(100);
    await one.host.heal();
    await sleep(3000);
    await expectWhole(await writer.end(), two, one);
  });
});
