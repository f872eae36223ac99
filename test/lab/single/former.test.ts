/**
 * A packaged cluster whose archive_command lives on variables of its environment, first started by a person and then by its unit with
 * a drop-in: archiving goes on through a migration and a switch, nobody is told a value, and each way back ends with one restart.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { run, until } from '../harness/run.ts';
import { type Server, serverOf, sql } from '../support/instance.ts';
import { inventory } from '../support/inventory.ts';
import { built, expectExit, pgduet, type Said } from '../support/pgduet.ts';
import { countRestarts } from './restarts.ts';

const dataDir = '/var/lib/postgresql/15/main';
const configDir = '/etc/postgresql/15/main';
const unit = 'postgresql@15-main.service';
const secret = 'canary-0815-of-the-shop';

describeLab('a single server with an environment of its own', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let path = '';
  const servers = (): [Server, Server] => {
    const about = { port: 5432, dataDir };
    return [serverOf(a, about), serverOf(b, about)];
  };
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [a, b] = (await lab.hosts(2, { names: ['former-a', 'former-b'] })) as [Host, Host];
    path = inventory(lab, [a, b], { postgres: { port: 5432, data_dir: dataDir, settings: {}, hba: [] } });
    for (const host of [a, b])
      await host.sh('install -d -o postgres -g postgres -m 700 /archive /archive2', { check: true });
    await a.sh(
      `pg_createcluster --createclusterconf=/etc/postgresql-common/createcluster.conf.ucf-dist 15 main
cat >${configDir}/conf.d/archive.conf <<'END'
archive_mode = on
archive_command = 'test -n "$SHOP_TOKEN" && cp %p "$ARCHIVE_TO"/%f'
END
printf "ARCHIVE_TO = '/archive'\\nSHOP_TOKEN = '${secret}'\\n" >${configDir}/environment
chown -R postgres: ${configDir}`,
      { check: true },
    );
  });
  afterAll(() => lab?.close());

  const login = (host: Host, command: string) =>
    run(
      'ssh',
      [
        '-F',
        '/dev/null',
        '-o',
        'BatchMode=yes',
        '-o',
        `UserKnownHostsFile=${lab.knownHosts}`,
        '-i',
        lab.key,
      ].concat(`root@${host.address}`, command),
      { check: true },
    );
  const verb = async (exit: number, ...words: string[]): Promise<Said> => {
    const said = await pgduet(lab)([...words, '-i', path]);
    expectExit(said, exit);
    expect(said.all).not.toContain(secret);
    return said;
  };
  /** What the plan says of the server, as one line. */
  const plain = ({ all }: Said): string =>
    all
      .split('\n')
      .filter((line) => /variables|take over/.test(line))
      .join(' ');
  const archives = async (server: Server): Promise<void> => {
    await sql(server, 'SELECT pg_stat_reset_shared($$archiver$$)');
    await sql(
      server,
      'CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1); SELECT pg_switch_wal()',
    );
    let last = '';
    await until(
      () => `${server.id} does not archive: ${last}`,
      20_000,
      async () => {
        last = await sql(server, 'SELECT archived_count > 0, failed_count FROM pg_stat_archiver');
        return last === 't|0' ? true : undefined;
      },
      100,
    );
  };
  const environment = async ({ host }: Server): Promise<string> =>
    (await host.sh(`tr '\\0' '\\n' < /proc/$(head -n 1 ${dataDir}/postmaster.pid)/environ`, { check: true }))
      .stdout;

  const [record, second] = ['/mcdir/inst1/former-a.before.json', `${dataDir}/pgduet.before.former-a.*.json`];
  /** The record and the second one, every byte, with mode and owner. */
  const records = async (): Promise<string> =>
    (await a.sh(`for f in ${record} ${second}; do cat $f; stat -c '%a %U' $f; done`, { check: true })).stdout;
  labTest('started by a person: it archives on either server', async () => {
    const [first, second] = servers();
    await login(a, 'cd / && runuser -u postgres -- pg_ctlcluster --skip-systemctl-redirect 15 main start');
    await archives(first);
    const check = await verb(2, 'migrate', '--check');
    expect(plain(check)).toContain(
      'go on, on every server, by /mcdir/inst1/former-a.environment: ARCHIVE_TO, SHOP_TOKEN (edits of',
    );
    await verb(0, 'migrate', '--yes');
    await archives(first);
    await verb(0, 'check');
    expect((await b.sh('stat -c "%a %U" /mcdir/inst1/former-b.environment')).stdout).toBe('600 postgres\n');
    await verb(0, 'switch', '--yes');
    await archives(second);
    await verb(0, 'switch', '--yes');
  });

  labTest(
    'its management directory is lost, and what it was before comes back from its data directory',
    async () => {
      const before = await records();
      await a.sh('rm -r /mcdir/inst1', { check: true });
      const { all } = await verb(2, 'check');
      for (const code of ['CTL016', 'CTL019']) expect(all).toContain(code);
      expect((await verb(5, 'teardown', '--yes')).all).toContain('SAF086');
      await verb(0, 'provision', '--yes');
      await verb(0, 'check');
      expect(await records()).toBe(before);
    },
  );

  labTest('the way back is one restart', async () => {
    const [first] = servers();
    const count = countRestarts(first);
    await verb(0, 'teardown', '--yes');
    expect(await count.stop(), 'restarts').toBe(1);
    expect(await sql(first, 'SHOW config_file')).toBe(`${configDir}/postgresql.conf`);
    await archives(first);
    expect((await a.sh('ls -d /mcdir')).status).not.toBe(0);
  });

  labTest(
    'started by its unit with a drop-in: what stays elsewhere has a unit that gives the same',
    async () => {
      const [, second] = servers();
      const dropIn = `/etc/systemd/system/${unit}.d`;
      await a.sh(
        `runuser -u postgres -- pg_ctlcluster 15 main stop -- -w || :
mkdir -p ${dropIn}; printf '[Service]\\nLimitMEMLOCK=infinity\\n' >${dropIn}/shop.conf
cat >${configDir}/environment <<'END'
ARCHIVE_TO = '/archive2'
ODD = 'it''s # so'
SHOP_TOKEN = '${secret}'
END
systemctl daemon-reload; systemctl start ${unit}`,
        { check: true },
      );
      const check = await verb(2, 'migrate', '--check');
      expect(plain(check)).toContain('ARCHIVE_TO, ODD, SHOP_TOKEN');
      expect(plain(check)).toContain(`LimitMEMLOCK=infinity (${dropIn}/shop.conf)`);
      await verb(0, 'migrate', '--yes');
      await archives(servers()[0]);
      // The unit that it names is confirmed by root's drop-in.
      const before = await records();
      await a.sh(`rm ${record}`, { check: true });
      await verb(0, 'provision', '--yes');
      expect(await records()).toBe(before);
      await verb(0, 'switch', '--yes');
      await archives(second);
      expect(await environment(second)).toContain("ODD=it's # so\n");
      await verb(0, 'teardown', '--yes');
      await archives(second);
      expect(await environment(second)).toContain("ODD=it's # so\n");
      expect((await b.sh('stat -c "%a %U" /etc/default/postgresql_inst1')).stdout).toBe('600 root\n');
      expect((await b.sh('ls /archive2 | wc -l')).stdout.trim()).not.toBe('0');
    },
  );
});
