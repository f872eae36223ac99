/**
 * What belongs to somebody else stays: files beside the WAL, files in a data directory, a disk that is not mounted; and a data
 * directory that is a link is rebuilt behind it, with a real copy of what it alone had.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { freshPair, type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilMirroring } from '../support/instance.ts';
import { dataDir, managementDir } from '../support/inventory.ts';
import { expectStreaming } from '../support/multiplexed.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';

interface Refused extends RunDocument {
  readonly diagnostics: readonly { readonly code: string; readonly what: string; readonly fix: string }[];
}

/** A run that has to be refused, and what it says. */
async function refused(pair: LabCluster, verb: string, ...args: string[]): Promise<Refused['diagnostics']> {
  const said = await pair.run(verb, ...args, '--json');
  expectExit(said, 5);
  expect(said.json<Refused>().changed ?? []).toEqual([]);
  return said.json<Refused>().diagnostics;
}

describeLab("somebody's files beside the WAL", () => {
  let pair: LabCluster;
  beforeAll(async () => {
    pair = await freshPair({ disks: { '/wal': 300 }, postgres: { wal_dir: '/wal' } });
  });
  afterAll(() => pair?.close());

  labTest('are refused in the first run and in every further one, and nothing of them changes', async () => {
    const { host } = pair.primary;
    await host.sh('mkdir /wal/other; echo precious > /wal/other/f', { check: true });
    const look = async () => (await host.sh('stat -c "%n %U %a" /wal /wal/*; cat /wal/other/f')).stdout;
    const before = await look();
    for (const how of ['--check', '--yes', '--yes', '--yes']) {
      const told = await refused(pair, 'provision', how);
      expect(told.map(({ code }) => code)).toContain('SAF002');
      expect(JSON.stringify(told)).toContain('/wal/other');
      expect(JSON.stringify(told)).toContain('name a directory below it');
      expect(await look()).toBe(before);
    }
    expect((await host.sh(`ls ${managementDir} ${dataDir} 2>/dev/null`)).stdout).toBe('');
  });
});

describeLab("somebody's files in a data directory, and links", () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  labTest('a teardown and a rebuild are refused, with the names', async () => {
    const file = `${dataDir}/dumps/a.sql`;
    await b.host.sh(`mkdir ${dataDir}/dumps; echo precious > ${file}`, { check: true });
    for (const words of [
      ['teardown', '--check'],
      ['teardown', '--yes'],
      ['rebuild', b.id, '--copy', '--yes'],
    ]) {
      const told = await refused(pair, ...(words as [string, ...string[]]));
      expect(told.map(({ code }) => code)).toEqual(['SAF002']);
      expect(told[0]?.what).toContain(`${dataDir}/dumps`);
      expect((await b.host.sh(`cat ${file}`)).stdout).toBe('precious\n');
    }
    await b.host.sh(`rm -r ${dataDir}/dumps`, { check: true });
    await pair.untilSwitchable();
  });

  labTest('a data directory whose disk is not mounted is not made anew', async () => {
    await b.host.sh(
      `systemctl stop mcoi_inst1; mv ${dataDir} /elsewhere; install -d -o postgres -m 700 ${dataDir}`,
      {
        check: true,
      },
    );
    for (const words of [
      ['provision', '--yes'],
      ['rebuild', b.id, '--copy', '--yes'],
      ['teardown', '--yes'],
    ]) {
      const told = await refused(pair, ...(words as [string, ...string[]]));
      expect(told.map(({ code }) => code)).toEqual(['SAF008']);
      expect(told[0]?.what).toContain('is a disk not mounted?');
    }
    expect(
      (await b.host.sh(`ls -A ${dataDir} | grep -v disk_check; cat ${managementDir}/${b.id}.system`)).stdout,
    ).toMatch(/^\d+\n?$/);
    await b.host.sh(`rm -r ${dataDir}; mv /elsewhere ${dataDir}; systemctl start mcoi_inst1`, {
      check: true,
    });
    await pair.untilSwitchable();
  });

  labTest('a standby whose WAL is gone for good is rebuilt once a person has removed the link', async () => {
    const asHim = (script: string) => b.host.sh(`runuser -u postgres -- sh -ec '${script}'`, { check: true });
    await b.host.sh('systemctl stop mcoi_inst1', { check: true });
    await asHim(`rm -r ${dataDir}/pg_wal; ln -s /gone ${dataDir}/pg_wal`);
    for (const words of [
      ['rebuild', b.id, '--yes'],
      ['teardown', '--yes'],
    ]) {
      const told = await refused(pair, ...(words as [string, ...string[]]));
      expect(told.map(({ code, what }) => [code, what])).toEqual([
        ['SAF008', `the WAL of '${b.id}' is not in '/gone': is a disk not mounted?`],
      ]);
      expect(told[0]?.fix).toContain(`rm ${dataDir}/pg_wal`);
    }
    await asHim(`rm ${dataDir}/pg_wal`);
    expectExit(await pair.run('rebuild', b.id, '--yes'), 0);
    await expectStreaming({ primary: a, standbys: [b], version: pair.version });
    await b.host.sh(
      `test -e ${dataDir}.before-rebuild-*/global/pg_control && rm -r ${dataDir}.before-rebuild-*`,
      {
        check: true,
      },
    );
    await pair.untilSwitchable();
  });

  labTest('a former primary behind links is rebuilt, and what it alone had is in a real copy', async () => {
    const pg = '/usr/lib/postgresql/15/bin';
    await a.host.sh(
      `systemctl stop mcoi_inst1; mkdir /disk; mv ${dataDir} /disk/main; ln -s /disk/main ${dataDir}
mv /disk/main/pg_wal /disk/wal; ln -s /disk/wal /disk/main/pg_wal; chown -h postgres: ${dataDir} /disk/main/pg_wal; systemctl start mcoi_inst1`,
      { check: true },
    );
    await untilMirroring(a, 'switchable');
    await sql(b, "alter system set primary_conninfo = ''");
    await sql(b, 'select pg_reload_conf()');
    await until(
      () => 'the standby still receives',
      5000,
      async () => ((await sql(b, 'select count(*) from pg_stat_wal_receiver')) === '0' ? true : undefined),
      10,
    );
    await sql(a, 'set synchronous_commit = local; create table alone as select 42 as answer');
    await a.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(b, 'switched');
    await sql(b, 'alter system reset primary_conninfo');

    expectExit(await pair.run('rebuild', a.id, '--yes'), 0);
    await expectStreaming({ primary: b, standbys: [a], version: pair.version });
    const look = await a.host.sh(
      `readlink ${dataDir} ${dataDir}/pg_wal; k=$(ls -d ${dataDir}.before-rebuild-*)
stat -c %F "$k" "$k/pg_wal"; [ $(du -sm "$k" | cut -f1) -gt 20 ] && echo large
${pg}/pg_controldata -D "$k" | sed -n "s/^Latest checkpoint's TimeLineID: */timeline /p"
cd /; runuser -u postgres -- ${pg}/postgres --single -D "$k" -c synchronous_standby_names= -c logging_collector=off postgres <<'SQL' 2>/dev/null | grep -o 'answer = "42"'
select answer from alone
SQL`,
    );
    expect(look.stdout).toBe(
      '/disk/main\n/disk/wal\ndirectory\ndirectory\nlarge\ntimeline 1\nanswer = "42"\n',
    );
    expectExit(await pair.run('rebuild', a.id, '--copy', '--yes'), 0);
    await expectStreaming({ primary: b, standbys: [a], version: pair.version });
    expect((await a.host.sh(`readlink ${dataDir}`)).stdout).toBe('/disk/main\n');
  });
});
