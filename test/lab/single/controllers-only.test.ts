/**
 * Debian's cluster, migrated, and only its controllers go again: the original runs under its own unit and reads its own files, with what
 * replication needs in them; its copy has a unit of its own. Also behind a switch, and behind a boot of both hosts.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, sql } from '../support/instance.ts';
import { built } from '../support/pgduet.ts';
import { clusterName, managementDir } from './forms.ts';
import { Trip } from './trip.ts';
import { doubled } from './writer.ts';

describeLab('a single server was migrated, and only the controllers go', () => {
  let lab: Lab;
  let trip: Trip;
  const was: string[] = [];
  const configuration = async (): Promise<string> =>
    (
      await trip.single.host.sh(
        `cat ${trip.single.configDir}/postgresql.conf ${trip.single.configDir}/pg_hba.conf`,
      )
    ).stdout;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    trip = await Trip.begin(lab, 'packaged', 'only');
    was.push(await configuration());
  });
  afterAll(() => lab?.close());

  /** Each under its unit, without controllers, and commits wait for the standby. */
  async function expectReplicating(primary: Server, standby: Server): Promise<void> {
    let row = '';
    await until(
      () => `${standby.id} does not follow ${primary.id}: ${row}`,
      60_000,
      async () => {
        row = await sql(
          primary,
          "SELECT application_name || ' ' || state || ' ' || sync_state FROM pg_stat_replication",
        ).catch(String);
        return row === `${standby.id} streaming sync` ? true : undefined;
      },
    );
    for (const { host, id } of [primary, standby]) {
      const unit = id === trip.original.id ? trip.single.unit : `postgresql_${clusterName}.service`;
      const shown = await host.sh(`systemctl is-active ${unit}; ls -d ${managementDir}; pgrep -f '[m]c.cjs'`);
      expect(shown.stdout, id).toBe('active\n');
    }
    expect(await sql(trip.original, 'SHOW config_file')).toBe(`${trip.single.configDir}/postgresql.conf`);
    await trip.expectReported(primary);
  }

  labTest('while a client writes: the former unit is back, and its copy follows', async () => {
    const [a, b] = [trip.original, trip.second];
    await trip.run(0, 'migrate', '--yes');
    const [document] = await trip.writing(trip.clientOfPair, () =>
      trip.run(0, 'teardown', '--controllers-only', '--yes'),
    );
    expect(document.changed.map(({ host, summary }) => `${host} ${summary}`)).toContainEqual(
      expect.stringContaining(`make ${a.id} a plain server again, with one restart`),
    );
    await expectReplicating(a, b);
    expect(await doubled(a)).toBe('');
    const now = await configuration();
    expect(now).toContain('\nwal_sender_timeout = 5400\n');
    expect(now).toContain('replication  pgduet_repl');
    expect((await trip.single.host.sh(`ls ${a.dataDir}/*.edited ${a.dataDir}/postgresql.conf`)).stdout).toBe(
      '',
    );
    expect((await trip.run(0, 'teardown', '--controllers-only', '--yes')).changed).toEqual([]);
  });

  labTest('both hosts are booted: the same', async () => {
    await Promise.all([trip.single.host.reboot(), trip.other.reboot()]);
    await Promise.all(
      [trip.single.host, trip.other].map((host) => host.sh('systemctl is-system-running --wait')),
    );
    await expectReplicating(trip.original, trip.second);
  });
});
