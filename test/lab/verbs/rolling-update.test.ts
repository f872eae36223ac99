/** `pgduet rolling-update` of three servers, and of a pair on Debian 13: newer packages and a reboot of every host, while a client writes; nothing is lost, and the sheet is what was shown. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { startWriter, writerSetup } from '../provision/writer.ts';
import { type LabCluster, provisionedPair, provisionedTrio } from '../support/cluster.ts';
import { sql } from '../support/instance.ts';
import { installedVersion, offerNewer } from '../support/newer-packages.ts';
import { expectExit, type Pgduet, pgduet } from '../support/pgduet.ts';

interface Sheet {
  readonly state: string;
  readonly rows: readonly {
    readonly step: string;
    readonly server: string;
    readonly command: string;
    readonly states: object;
    readonly state: string;
  }[];
  readonly points: readonly { readonly name: string; readonly host: string | null }[];
  readonly left_out: readonly string[];
}

const clusters = [
  { who: 'three servers', make: provisionedTrio, version: 15, alone: [] },
  { who: 'a pair on Debian 13', make: provisionedPair, version: 17, alone: ['--alone'] },
] as const;

for (const { who, make, version, alone } of clusters)
  describeLab(`a rolling update of ${who}`, () => {
    let trio: LabCluster;
    let offered: string;
    let patient: Pgduet;
    beforeAll(async () => {
      trio = await make({
        version,
        sql: [
          ['postgres', writerSetup],
          ['postgres', 'CREATE DATABASE app OWNER app'],
          ['app', 'CREATE TABLE written (n int PRIMARY KEY)'],
          ['app', 'GRANT ALL ON written TO app'],
        ],
      });
      patient = pgduet(trio.lab, 540_000);
      offered = await offerNewer(trio.hosts, `postgresql-${version}`);
    });
    afterAll(() => trio?.close());

    labTest(
      'of packages with a reboot: the sheet comes true, and every acknowledged row is there',
      async () => {
        const words = [...alone, '--packages', '--reboot', '--validate', 'test "$(id -u)" = 0'];
        const shown = await trio.run('rolling-update', ...words, '--check', '--json');
        expectExit(shown, 2);
        const planned = shown.json<Sheet>();
        const asked = () =>
          Promise.all(trio.hosts.map(async (host) => (await host.sh('apt-mark showmanual')).stdout));
        const before = await asked();
        const boots = trio.hosts.map(({ boots: count }) => count);
        const writer = startWriter(trio.servers, undefined, 10);
        await writer.more(50);
        const done = await patient(['rolling-update', '-i', trio.file, ...words, '--yes', '--json']);
        await writer.more(50);
        const acknowledged = await writer.end();
        expectExit(done, 0);
        const sheet = done.json<Sheet>();
        expect(
          sheet.rows.map(({ step, server, command, states }) => ({ step, server, command, states })),
        ).toEqual(
          planned.rows.map(({ step, server, command, states }) => ({ step, server, command, states })),
        );
        expect(new Set(sheet.rows.map(({ state }) => state))).toEqual(new Set(['done']));
        expect(sheet.left_out).toEqual([]);
        expect(trio.hosts.map(({ boots: count }) => count)).toEqual(boots.map((count) => count + 1));
        for (const host of trio.hosts)
          expect(await installedVersion(host, `postgresql-${version}`)).toBe(offered);
        expect(await asked()).toEqual(before);
        const rows = (await sql(trio.primary, 'select n from written', 'app')).split('\n').map(Number);
        expect(acknowledged.filter((row) => !rows.includes(row))).toEqual([]);
        expectExit(await trio.run('check'), 0);
      },
      // A reboot of every host takes long where much else runs.
      600_000,
    );
  });
