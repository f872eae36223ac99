/**
 * A pair that does not run one version of the controller: the last released one beside the present one, each way; how
 * `provision` brings a new one; and that nothing goes back to an older one. Data is never lost, and nobody falls silent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';
import { startWriter, writerSetup } from './provision/writer.ts';
import { type LabCluster, provisionedPair } from './support/cluster.ts';
import { fileText, mirroringStatus, type Server, sql, untilSwitchable } from './support/instance.ts';
import { expectExit, findingsOf } from './support/pgduet.ts';
import { speak } from './support/speaker.ts';
import {
  goBack,
  journalsSince,
  lastRelease,
  type Program,
  presentProgram,
  runProgram,
  secondsAt,
  stopController,
  versionsAt,
} from './support/versions.ts';

const [old, present] = [lastRelease, presentProgram];

describeLab('a pair of two versions', () => {
  let pair: LabCluster;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [one, two] = [pair.primary, pair.standby];
    await prepare();
  });
  afterAll(() => pair?.close());

  /** Both run the old program, and the writer has its table. */
  async function prepare(): Promise<void> {
    await sql(one, `${writerSetup}; CREATE DATABASE app OWNER app`);
    await sql(one, 'CREATE TABLE written (n int PRIMARY KEY); ALTER TABLE written OWNER TO app', 'app');
    for (const server of [two, one]) await goBack(server, [one, two]);
    expect(versionsAt(one)).toEqual([old.version, old.version]);
  }

  const run = (program: Program, server: Server): Promise<void> => runProgram(program, server, [one, two]);
  const journals = (since: string): Promise<string> => journalsSince([one, two], since);

  const switchFrom = (server: Server) =>
    server.host.sh(`mc_ctl switch -M ${server.managementDir}`, { user: 'postgres' });

  async function expectAllRows(primary: Server, acknowledged: readonly number[]): Promise<void> {
    const rows = new Set((await sql(primary, 'SELECT n FROM written', 'app')).split('\n').map(Number));
    expect(acknowledged.filter((n) => !rows.has(n))).toEqual([]);
  }

  /** The postmaster of the primary is killed; the standby takes over, and the former primary is rebuilt. */
  async function fails(primary: Server, standby: Server): Promise<void> {
    const writer = startWriter([one, two]);
    await writer.more(50);
    await primary.host.sh(`kill -9 $(head -n 1 ${primary.dataDir}/postmaster.pid)`, { check: true });
    await writer.more(50);
    const acknowledged = await writer.end();
    expect(await sql(standby, 'SELECT pg_is_in_recovery()')).toBe('f');
    await expectAllRows(standby, acknowledged);
    expectExit(await pair.run('rebuild', primary.id, '--yes'), 0);
    await Promise.all([one, two].map(untilSwitchable));
  }

  labTest('is switchable as long as it lasts, with the new one on the standby', async () => {
    await run(present, two);
    expect(versionsAt(one)).toEqual([old.version, present.version]);
    for (let times = 0; times < 20; times += 1) {
      expect(await Promise.all([one, two].map(mirroringStatus))).toEqual(['switchable', 'switchable']);
      await sleep(500);
    }
  });

  labTest('fails over from the old one to the new one', async () => fails(one, two));

  labTest('refuses a planned switch to the old one, and says what to do', async () => {
    const said = await switchFrom(two);
    expect(said.status).not.toBe(0);
    expect(`${said.stdout}${said.stderr}`).toContain(
      'the controller of server1 is of an earlier version; run pgduet provision first',
    );
    expect(await Promise.all([one, two].map(mirroringStatus))).toEqual(['switchable', 'switchable']);
  });

  labTest('fails over from the new one to the old one', async () => fails(two, one));

  labTest(
    'becomes one of the new version: standby first, primary last, nobody is silent, nothing switches',
    async () => {
      await goBack(two, [one, two]);
      const asTwo = { thief: two, called: one, name: two.id, by: 'cluster' } as const;
      expect(await speak(asTwo)).toBe('let in');
      const since = await secondsAt(one);
      const writer = startWriter([one, two]);
      await writer.more(50);
      const said = await pair.provision();
      expectExit(said, 0);
      await writer.more(50);
      const acknowledged = await writer.end();
      expect(said.stderr.match(/server\d: restart the Mirroring Controller/g)).toEqual([
        'server2: restart the Mirroring Controller',
        'server1: restart the Mirroring Controller',
      ]);
      expect(versionsAt(one)).toEqual([present.version, present.version]);
      const lines = await journals(since);
      expect(lines).toContain(`controller ${present.version} of server1`);
      expect(lines).not.toMatch(/MCA01019|MCA00062|MCA01022/);
      expect(lines).toMatch(
        /server1 has proven its own key[\s\S]*server2 has proven its own key|server2 has[\s\S]*server1 has/,
      );
      expect(await speak(asTwo)).toBe('turned away');
      expect(findingsOf(await pair.check())).toEqual([]);
      process.stdout.write(`longest write gap of the provisioning: ${Math.round(writer.longestGapMs)} ms\n`);
      await expectAllRows(one, acknowledged);
      expect(await Promise.all([one, two].map(mirroringStatus))).toEqual(['switchable', 'switchable']);
    },
  );

  labTest('never goes back to an older one', async () => {
    const path = `${two.managementDir}/${two.id}.state.json`;
    await stopController(two);
    const kept = fileText(two.host, path);
    const later = kept.replace(/^\{"format":1,"version":"[^"]*"/, '{"format":2,"version":"9.0.0"');
    const put = (text: string) => two.host.sh(`cat >${path}`, { input: text, check: true });
    await put(later);
    const said = await pair.provision();
    expectExit(said, 5);
    expect(said.all).toMatch(/SAF013 .*9\.0\.0 has run for server2[\s\S]*Use pgduet 9\.0\.0 or newer/);
    const since = await secondsAt(one);
    expect((await two.host.sh(`systemctl start ${two.unit}`)).status).not.toBe(0);
    expect(await journals(since)).toMatch(
      /MCF014[\s\S]*was written by a newer controller \(9\.0\.0, format 2\)/,
    );
    expect(fileText(two.host, path)).toBe(later);
    await put(kept);
    expectExit(await pair.provision(), 0);
    await Promise.all([one, two].map(untilSwitchable));
  });
});
