/**
 * A pair whose programs, data and administrator are where nobody expects them: a build in /opt beside the packaged one, everything else
 * below /usr, an administrator with the number of a person, and needrestart on the host. Nothing of that is found out by a failed start.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { inventory, managementDir, plainSettings } from '../support/inventory.ts';
import { built, expectExit, type Pgduet, pgduet, type Said } from '../support/pgduet.ts';

const dataDir = '/usr/local/pgsql/data';
const walDir = '/usr/share/pgwal/inst1';
const archiveDir = '/usr/share/pgarchive';
const binDir = '/opt/pg15/bin';

describeLab('a pair in places of its own', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let command: Pgduet;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    hosts = (await lab.hosts(2, { names: ['placed1', 'placed2'] })) as [Host, Host];
    command = pgduet(lab);
    for (const host of hosts)
      await host.sh(
        `useradd -m -u 2001 pgadm
mkdir -p /opt/pg15 /etc/needrestart/conf.d && cp -a /usr/lib/postgresql/15/bin /usr/lib/postgresql/15/lib /opt/pg15/
install -d -o pgadm -g pgadm ${archiveDir}`,
        { check: true },
      );
  });
  afterAll(() => lab?.close());

  const described = (over: Readonly<Record<string, string>>): string =>
    inventory(lab, hosts, {
      postgres: {
        data_dir: dataDir,
        wal_dir: walDir,
        bin_dir: binDir,
        owner: 'pgadm',
        settings: { ...plainSettings, archive_mode: 'on', archive_command: `cp %p ${archiveDir}/%f` },
        hba: [],
        ...over,
      },
    });
  const verb = async (exit: number, ...words: string[]): Promise<Said> => {
    const said = await command(words);
    expectExit(said, exit);
    return said;
  };
  const sql = async (host: Host, text: string): Promise<string> =>
    (
      await host.sh(`runuser -u pgadm -- ${binDir}/psql -XqAt -h ${managementDir} -p 27500 -d postgres`, {
        input: text,
        check: true,
      })
    ).stdout.trim();
  const programs = async (host: Host): Promise<string> =>
    (
      await host.sh(`readlink /proc/$(head -n 1 ${dataDir}/postmaster.pid)/exe`, { check: true })
    ).stdout.trim();

  labTest('sockets that the administrator may not make are refused before anything changes', async () => {
    const said = await verb(5, 'provision', '--yes', '-i', described({}));
    expect(said.all).toContain('SAF042');
    expect(said.all).toContain('Write postgres.socket_dir in the inventory');
    expect((await hosts[0].sh('ls -d /mcdir /usr/local/pgsql')).status).not.toBe(0);
  });

  labTest(
    'it runs from its own build, archives below /usr, and a switch changes nothing of that',
    async () => {
      const path = described({ socket_dir: managementDir });
      const check = await verb(2, 'provision', '--check', '-i', path);
      expect(check.all).toContain('logind removes the shared memory of the running server');
      await verb(0, 'provision', '--yes', '-i', path);
      for (const host of hosts) {
        expect(await programs(host)).toBe(`${binDir}/postgres`);
        // As needrestart reads it.
        const left = `our %nrconf; defined(do "/etc/needrestart/conf.d/pgduet.conf") or die $@ || $!;
my $rc = $nrconf{override_rc}; print join " ", map { my $unit = $_; grep { $unit =~ /$_/ && $rc->{$_} eq "0" } keys %$rc; } @ARGV`;
        const { stdout } = await host.sh(
          `perl -e '${left}' mcoi_inst1.service mcarb_inst1.service cron.service`,
          {
            check: true,
          },
        );
        expect(stdout.split(' ')).toHaveLength(2);
      }
      expect(await sql(hosts[0], 'CREATE TABLE t (n int); SELECT pg_switch_wal() IS NULL')).toBe('f');
      await verb(0, 'switch', '--yes', '-i', path);
      expect(await sql(hosts[1], 'INSERT INTO t VALUES (1); SELECT pg_switch_wal() IS NULL')).toBe('f');
      await hosts[1].sh(
        `n=0; until ls ${archiveDir}/0000* >/dev/null 2>&1 || [ $n -gt 100 ]; do n=$((n + 1)); sleep 0.1; done`,
      );
      expect(await sql(hosts[1], 'SELECT failed_count FROM pg_stat_archiver')).toBe('0');
      for (const host of hosts) expect(await programs(host)).toBe(`${binDir}/postgres`);
      await verb(0, 'check', '-i', path);
      await verb(0, 'provision', '--check', '-i', path);
    },
  );

  labTest('the administrator logs out, and the shared memory of the server stays', async () => {
    const segments = async () => (await hosts[1].sh('ls /dev/shm | grep PostgreSQL', { check: true })).stdout;
    const before = await segments();
    await hosts[1].sh(
      `wait_for() { n=0; until "$@" >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done; }
away() { ! loginctl show-user pgadm; }
loginctl enable-linger pgadm; wait_for loginctl show-user pgadm
loginctl disable-linger pgadm; wait_for away; sleep 1`,
      { check: true },
    );
    expect(await segments()).toBe(before);
    expect(await sql(hosts[1], 'SELECT 1')).toBe('1');
  });

  labTest('a server that was started from another build is found', async () => {
    const path = described({ socket_dir: managementDir });
    await hosts[0].sh(
      `systemctl stop mcoi_inst1 && sed -i '/^postgres_bin_dir/d' ${managementDir}/placed1.conf && systemctl start mcoi_inst1`,
      { check: true },
    );
    const said = await verb(2, 'check', '-i', path);
    expect(said.all).toContain('PKG006');
    expect(said.all).toContain('/usr/lib/postgresql/15/bin');
  });

  labTest('teardown takes its files of the system along', async () => {
    await verb(
      0,
      'teardown',
      '--all-data',
      '--yes',
      '--confirm',
      'inst1',
      '-i',
      described({ socket_dir: managementDir }),
    );
    for (const host of hosts)
      expect(
        (await host.sh('ls /etc/needrestart/conf.d /etc/systemd/logind.conf.d 2>/dev/null')).stdout,
      ).not.toContain('pgduet');
  });
});
