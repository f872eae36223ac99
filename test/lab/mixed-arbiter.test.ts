/**
 * A pair on the last release whose inventory gets an arbiter together with the new program, and a `provision` that comes to its end
 * only at the second time: in between the standby has the new program and knows the arbiter, the primary has neither. A cable that is
 * cut just then makes no second primary. No instance is restarted, nobody is silent, and no acknowledged row is lost.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';
import { until } from './harness/run.ts';
import { startWriter, writerSetup } from './provision/writer.ts';
import { type LabCluster, provisionedPair } from './support/cluster.ts';
import { fileText, postmasterPid, type Server, sql, untilSwitchable } from './support/instance.ts';
import { expectExit } from './support/pgduet.ts';
import { expectNamed } from './support/register.ts';
import {
  goBack,
  journalsSince,
  lastRelease,
  presentProgram,
  secondsAt,
  versionsAt,
} from './support/versions.ts';

/** The program: meanwhile nothing can take its place, as on a disk that breaks. A file system that is read-only would be told with the plan (SAF049). */
const program = '/usr/local/lib/pgduet/mc.cjs';
const restarts = /server\d: restart the Mirroring Controller/g;

describeLab('a pair on the last release that gets an arbiter', () => {
  let pair: LabCluster;
  let withArbiter: LabCluster;
  let servers: readonly [Server, Server];
  beforeAll(async () => {
    pair = await provisionedPair();
    servers = [pair.primary, pair.standby];
    const [one, two] = servers;
    await sql(one, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(one, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
    const more = await pair.lab.hosts(1, { names: ['arb1'] });
    withArbiter = pair.declared(
      'arbiter.yml',
      {
        multiplexing: { on_heartbeat_loss: undefined },
        host: ({ name }) => (name === 'arb1' ? { role: 'arbiter' } : {}),
      },
      more,
    );
    for (const server of [two, one]) await goBack(server, servers);
    expect(versionsAt(one)).toEqual([lastRelease.version, lastRelease.version]);
  });
  afterAll(() => pair?.close());

  const leads = (server: Server): Promise<string> =>
    sql(server, 'SELECT NOT pg_is_in_recovery()').catch(() => 'stopped');

  labTest('is cut between the two halves of its provisioning, and comes whole out of it', async () => {
    const [one, two] = servers;
    const pids = await Promise.all(servers.map(postmasterPid));
    const since = await secondsAt(one);
    const writer = startWriter(servers, 2000);
    await writer.more(50);

    await one.host.sh(`mount --bind ${program} ${program}`, { check: true });
    const half = await withArbiter.provision();
    expect(half.status, half.all).not.toBe(0);
    expect(half.stderr.match(restarts)).toEqual(['server2: restart the Mirroring Controller']);
    await untilSwitchable(one);
    expect(versionsAt(one)).toEqual([lastRelease.version, presentProgram.version]);
    expect(fileText(two.host, `${two.managementDir}/network.conf`)).toContain(' arbiter');
    expect(fileText(one.host, `${one.managementDir}/network.conf`)).not.toContain(' arbiter');
    await writer.more(50);
    expect(await journalsSince(servers, since)).not.toMatch(/MCA01019|MCA00062/);

    await one.host.cut();
    // The last release goes on alone, as its configuration says; the present one waits for the word of a register that is not named.
    const goesOn = async (): Promise<true | undefined> => {
      expect(await leads(two)).toBe('f');
      const names = await sql(one, 'SHOW synchronous_standby_names');
      return names === '' ? true : undefined;
    };
    await until(() => 'server1 does not go on alone', 30_000, goesOn, 200);
    await sql(one, 'INSERT INTO written VALUES (-1)', 'app');
    expect(await leads(two)).toBe('f');
    await one.host.heal();
    await Promise.all(servers.map(untilSwitchable));
    await writer.more(50);

    await one.host.sh(`umount ${program}`, { check: true });
    const whole = await secondsAt(one);
    const said = await withArbiter.provision();
    expectExit(said, 0);
    expect(said.stderr.match(restarts)).toEqual(['server1: restart the Mirroring Controller']);
    expect(versionsAt(one)).toEqual([presentProgram.version, presentProgram.version]);
    await expectNamed(servers, 'arb1');
    await Promise.all(servers.map(untilSwitchable));
    await writer.more(50);
    const acknowledged = [...(await writer.end()), -1];
    const rows = new Set((await sql(one, 'SELECT n FROM written', 'app')).split('\n').map(Number));
    expect(acknowledged.filter((n) => !rows.has(n))).toEqual([]);
    expect(await journalsSince(servers, whole)).not.toMatch(/MCA01019|MCA00062/);
    expect(await Promise.all(servers.map(postmasterPid))).toEqual(pids);
    expectExit(await withArbiter.run('check'), 0);
  });
});
