/**
 * `provision` on two hosts whose packages are present, then `check`, drift, and a reboot of both: what the hosts
 * themselves show, in the order in which a person would do it. Later tests stand on the cluster that earlier ones made.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import {
  changedPaths,
  listing,
  mcCtlStatus,
  postmasterPid,
  type Server,
  serverOf,
  sql,
  untilSwitchable,
} from '../support/instance.ts';
import { dataDir, inventory, managementDir } from '../support/inventory.ts';
import {
  type Cluster,
  expectMultiplexed,
  expectStreaming,
  expectSwitchable,
} from '../support/multiplexed.ts';
import {
  built,
  type CheckDocument,
  expectExit,
  findingsOf,
  type Pgduet,
  pgduet,
  type Reported,
  type RunDocument,
  type Said,
  type StatusDocument,
} from '../support/pgduet.ts';

describeLab('a pair whose packages are present', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let command: Pgduet;
  let file: string;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    [a, b] = await lab.hosts(2, { names: ['server1', 'server2'] });
    command = pgduet(lab);
    file = inventory(lab, [a, b]);
  });
  afterAll(() => lab?.close());

  const primary = (): Server => serverOf(a);
  const standby = (): Server => serverOf(b);
  const cluster = (): Cluster => ({ primary: primary(), standbys: [standby()], version: 15 });
  const provision = (...more: string[]): Promise<Said> =>
    command(['provision', '-i', file, '--yes', ...more]);

  /** Everything that pgduet might write to, and more. */
  const places = ['/etc', '/var/lib', '/usr', '/home', '/root', '/opt', '/srv', '/tmp', '/var/tmp'];
  const outside = async (host: Host): Promise<Map<string, string>> => {
    const all = await listing(host, places);
    // Who logs in leaves a line there; that is sshd and systemd, not pgduet.
    return new Map([...all].filter(([path]) => !/^\/var\/lib\/systemd\b|^\/tmp\/systemd-private/.test(path)));
  };

  describe('before anything is there', () => {
    labTest('check and provision --check say what would be done and touch nothing', async () => {
      const before = await Promise.all([outside(a), outside(b)]);
      const checked = await command(['check', '-i', file]);
      expectExit(checked, 2);
      expect(checked.stdout).toContain('PRV001');
      for (const args of [
        ['provision', '--check'],
        ['provision', '--check', '--diff', '--verbose'],
      ]) {
        const said = await command([...args, '-i', file]);
        expectExit(said, 2);
        expect(said.stdout).toContain(`make instance in ${dataDir}`);
        expect(said.stdout).toMatch(/server2[\s\S]*copy( of)? the primary/);
      }
      const after = await Promise.all([outside(a), outside(b)]);
      expect(before.map((list, index) => changedPaths(list, after[index] ?? new Map()))).toEqual([[], []]);
      for (const host of [a, b]) {
        const made = await host.sh(
          `ls -d /database /mcdir; pgrep -x postgres; getent passwd | grep -c pgduet`,
        );
        expect(made.stdout.trim()).toBe('0');
      }
    });

    labTest('status says that nothing is there', async () => {
      const said = await command(['status', '--json', '-i', file]);
      expectExit(said, 1);
      const status = said.json<StatusDocument>();
      expect(status).toMatchObject({ primary: null, preferred_primary: 'server1' });
      expect(status.servers.map(({ role }) => role)).toEqual(['none', 'none']);
    });

    labTest('without --yes and without a terminal nothing is done', async () => {
      const said = await command(['provision', '-i', file]);
      expectExit(said, 3);
      expect(said.stderr).toContain('--yes');
      expect((await a.sh('ls -d /database /mcdir')).stdout).toBe('');
    });
  });

  describe('provision', () => {
    labTest('ends with 0 and makes a synchronous pair with all that belongs to it', async () => {
      expectExit(await provision(), 0);
      await expectMultiplexed(cluster());
    });

    labTest('puts settings and client rules of the inventory into force', async () => {
      for (const server of [primary(), standby()]) {
        expect(await sql(server, 'SHOW max_connections; SHOW shared_buffers; SHOW log_statement')).toBe(
          '50\n16MB\nall',
        );
        const rule = `SELECT count(*) FROM pg_hba_file_rules WHERE database = '{app}' AND address = '10.0.0.0'`;
        expect(await sql(server, rule)).toBe('1');
      }
    });

    labTest('lets the administrator alone ask the controller', async () => {
      const asRoot = await a.sh(`mc_ctl status -M ${managementDir}`);
      const asOther = await a.sh(`mc_ctl status -M ${managementDir}`, { user: 'ops' });
      expect([asRoot.status, asOther.status].every((status) => status !== 0)).toBe(true);
      expect(await mcCtlStatus(primary())).toContain('switchable');
    });

    labTest('the second time changes nothing, in one round trip per host', async () => {
      const watched = [dataDir, managementDir, '/etc', '/usr/local', '/var/lib/postgresql'];
      const before = await Promise.all([a, b].map((host) => listing(host, watched)));
      const pids = await Promise.all([primary(), standby()].map(postmasterPid));
      const said = await provision('--json');
      expectExit(said, 0);
      const document = said.json<RunDocument>();
      expect(document).toMatchObject({ plan: [], changed: [], primary: 'server1' });
      expect(document.round_trips).toEqual({ server1: 1, server2: 1 });
      expect(await Promise.all([primary(), standby()].map(postmasterPid))).toEqual(pids);
      const after = await Promise.all([a, b].map((host) => listing(host, watched)));
      const changed = before.map((list, index) =>
        changedPaths(list, after[index] ?? new Map()).filter(notWrittenByItself),
      );
      expect(changed).toEqual([[], []]);
    });

    labTest('--yes shows a plan that is empty as such', async () => {
      const said = await provision();
      expectExit(said, 0);
      expect(said.all).toContain('nothing to change');
    });
  });

  describe('check and status', () => {
    labTest('check ends with 0 and says that there is nothing to change', async () => {
      const said = await command(['check', '-i', file]);
      expectExit(said, 0);
      expect(said.stdout).toMatch(/^inst1: 2 servers are as declared \(\d+ ms, one look\)\n$/);
      const json = await command(['check', '-i', file, '--json']);
      const hosts = ['server1', 'server2'].map((server) =>
        expect.objectContaining({ server, reached: true, round_trips: 1 }),
      );
      expect(json.json<CheckDocument>()).toMatchObject({ exit: 0, clusters: [{ hosts, findings: [] }] });
    });

    labTest(
      'a copy of the shipped playbook, run as a playbook of the user, finds nothing to do',
      async () => {
        const copy = join(lab.dir, 'my-provision.yml');
        copyFileSync(new URL('../../../playbooks/provision.yml', import.meta.url), copy);
        const said = await command(['run', copy, '-i', file, '--yes', '--json']);
        expectExit(said, 0);
        expect(said.json<RunDocument>()).toMatchObject({ plan: [], changed: [] });
      },
    );

    labTest('status --json tells role, timeline, position, lag and sync state truly', async () => {
      const said = await command(['status', '-i', file, '--json']);
      expectExit(said, 0);
      const status = said.json<StatusDocument>();
      expect(status).toMatchObject({ primary: 'server1', preferred_primary: 'server1', problem: null });
      const [one, two] = status.servers;
      const timeline = Number(await sql(primary(), 'SELECT timeline_id FROM pg_control_checkpoint()'));
      const running = { state: 'running', controller: 'switchable', timeline };
      expect(one).toMatchObject({
        server: 'server1',
        role: 'primary',
        preferred_role: 'primary',
        ...running,
      });
      expect(two).toMatchObject({
        server: 'server2',
        role: 'standby',
        preferred_role: 'standby',
        ...running,
      });
      expect(two).toMatchObject({
        sync_state: 'sync',
        lag_bytes: expect.any(Number),
        lag_seconds: expect.any(Number),
      });
      const ahead = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '${one?.lsn}') >= 0, pg_wal_lsn_diff(pg_current_wal_lsn(), '${two?.lsn}') >= 0`;
      expect(await sql(primary(), ahead)).toBe('t|t');
      const both = `${a.address}:27500,${b.address}:27500`;
      expect(status.clients.read_write).toBe(`postgresql://${both}/postgres?target_session_attrs=read-write`);
    });

    labTest('status as a table has a row for each server', async () => {
      const said = await command(['status', '-i', file]);
      expectExit(said, 0);
      expect(said.stdout).toMatch(/^server1 +primary +primary .*running +switchable/m);
      expect(said.stdout).toMatch(/^server2 +standby +standby .*running +switchable .* sync$/m);
    });
  });

  describe('drift', () => {
    const on = (host: Host, script: string) => host.sh(script, { check: true });
    const unit = '/etc/systemd/system/mcoi_inst1.service';
    const conf = `${dataDir}/postgresql.conf`;

    labTest(
      'ALTER SYSTEM of a declared setting is seen before a reload has brought it into force',
      async () => {
        await sql(primary(), "ALTER SYSTEM SET wal_sender_timeout = '1h'");
        const said = await command(['check', '-i', file, '--json']);
        expectExit(said, 2);
        const entry = { host: 'server1', code: 'SET002', object: 'wal_sender_timeout' };
        expect(findingsOf(said.json<CheckDocument>())).toContainEqual(expect.objectContaining(entry));
      },
    );

    labTest('check names each of many differences, those of files as a diff', async () => {
      await on(
        a,
        `sed -i "s/^wal_log_hints.*/wal_log_hints = off/; s/^log_statement.*/log_statement = none/" ${conf}`,
      );
      await sql(primary(), "ALTER SYSTEM SET log_line_prefix = 'mine '");
      await sql(primary(), "ALTER ROLE pgduet_repl PASSWORD 'another' SUPERUSER; SELECT pg_reload_conf()");
      await on(a, `sed -i 's/^WatchdogSec=.*/WatchdogSec=7/' ${unit}`);
      await on(a, `chmod 0644 ${managementDir}/cluster.key; chmod 0755 ${managementDir}`);
      await on(a, `sed -i '/^mcoi_inst1/d' /etc/services`);
      await on(b, `systemctl disable mcoi_inst1.service; chmod 0640 /var/lib/postgresql/.pgpass`);
      await on(b, `sed -i '/replication/d' ${dataDir}/pg_hba.conf`);
      const said = await command(['check', '--diff', '-i', file]);
      expectExit(said, 2);
      for (const line of [
        '-log_statement = none',
        '+log_statement = all',
        '+wal_log_hints = on',
        '-WatchdogSec=7',
      ])
        expect(said.stdout.split('\n').map((shown) => shown.trim())).toContain(line);
      const found = findingsOf((await command(['check', '-i', file, '--json'])).json<CheckDocument>());
      const key = `${managementDir}/cluster.key`;
      const passfile = '/var/lib/postgresql/.pgpass';
      const expected: Partial<Reported>[] = [
        { host: 'server1', code: 'SET001', object: 'wal_log_hints', declared: 'on', found: 'off' },
        { host: 'server1', code: 'SET001', object: 'log_statement', declared: 'all', found: 'none' },
        { host: 'server1', code: 'SET002', object: 'log_line_prefix' },
        { host: 'server1', code: 'UNT002', object: 'mcoi_inst1.service' },
        { host: 'server1', code: 'FIL005', object: key, severity: 'danger' },
        { host: 'server1', code: 'DIR004', object: managementDir, severity: 'danger' },
        { host: 'server1', code: 'FIL007' },
        { host: 'server1', code: 'ROL003', object: 'pgduet_repl', severity: 'danger' },
        { host: 'server1', code: 'ROL004', object: 'pgduet_repl', severity: 'danger' },
        { host: 'server2', code: 'UNT003', object: 'mcoi_inst1.service' },
        { host: 'server2', code: 'PWD003', object: passfile, severity: 'danger' },
        { host: 'server2', code: 'HBA001', object: expect.stringContaining('replication pgduet_repl') },
      ];
      for (const entry of expected) expect(found).toContainEqual(expect.objectContaining(entry));
    });

    labTest('a standby whose unit was stopped is named as well', async () => {
      await on(b, 'systemctl stop mcoi_inst1.service');
      const said = await command(['check', '-i', file, '--json']);
      expectExit(said, 2);
      const stopped = { host: 'server2', code: 'CTL001', mended_by: 'provision' };
      expect(findingsOf(said.json<CheckDocument>())).toContainEqual(expect.objectContaining(stopped));
      const planned = await command(['provision', '--check', '-i', file, '--json']);
      const start = { host: 'server2', summary: expect.stringMatching(/^start the Mirroring Controller/) };
      expect(planned.json<RunDocument>().plan).toContainEqual(expect.objectContaining(start));
      const status = await command(['status', '-i', file, '--json']);
      expect(status.json<StatusDocument>().servers[1]).toMatchObject({
        role: 'none',
        controller: 'not running',
      });
    });

    labTest('provision puts all of it right', async () => {
      expectExit(await provision(), 0);
      await expectMultiplexed(cluster());
      expect(await sql(primary(), 'SHOW log_statement; SHOW wal_sender_timeout')).toBe('all\n5400ms');
      expectExit(await command(['check', '-i', file]), 0);
    });

    labTest('a directory or file that is missing is made again', async () => {
      await on(b, 'rm -rf /usr/local/lib/pgduet /usr/local/bin/mc_ctl');
      expectExit(await command(['check', '-i', file]), 2);
      expectExit(await provision(), 0);
      await expectSwitchable(cluster());
    });

    labTest(
      'a changed setting of the inventory reaches both servers, with a restart where it needs one',
      async () => {
        const before = await Promise.all([primary(), standby()].map(postmasterPid));
        file = inventory(lab, [a, b], {
          postgres: {
            settings: { max_connections: 60, shared_buffers: '16MB', log_statement: 'all', work_mem: '5MB' },
          },
        });
        expectExit(await command(['check', '-i', file]), 2);
        const planned = await command(['provision', '--check', '-i', file]);
        expectExit(planned, 2);
        expect(planned.stdout).toContain('PostgreSQL is restarted on: server1, server2');
        expectExit(await provision(), 0);
        for (const server of [primary(), standby()])
          expect(await sql(server, 'SHOW max_connections; SHOW work_mem')).toBe('60\n5MB');
        const after = await Promise.all([primary(), standby()].map(postmasterPid));
        expect(after.some((pid, index) => pid === before[index])).toBe(false);
        await expectStreaming(cluster());
        await expectSwitchable(cluster());
        expectExit(await command(['check', '-i', file]), 0);
      },
    );

    labTest('--limit changes one host, leaves the other, and says so', async () => {
      await on(a, 'chmod 0755 /mcdir/inst1');
      await on(b, 'chmod 0755 /mcdir/inst1');
      const limited = await provision('--limit', 'server2');
      expectExit(limited, 2);
      expect(limited.stderr).toContain('1 are left because of --limit');
      expect((await a.sh('stat -c %a /mcdir/inst1')).stdout).toBe('755\n');
      expect((await b.sh('stat -c %a /mcdir/inst1')).stdout).toBe('700\n');
      expectExit(await provision(), 0);
      expect((await a.sh('stat -c %a /mcdir/inst1')).stdout).toBe('700\n');
    });
  });

  describe('a reboot of both hosts', () => {
    labTest('brings back controllers and instances by themselves', async () => {
      await Promise.all([a.reboot(), b.reboot()]);
      await Promise.all([primary(), standby()].map(untilSwitchable));
      await expectMultiplexed(cluster());
      expectExit(await command(['check', '-i', file]), 0);
    });
  });

  describe('hosts that are off', () => {
    labTest('validate contacts nobody', async () => {
      await Promise.all([a.powerOff(), b.powerOff()]);
      const said = await command(['validate', '-i', file]);
      expectExit(said, 0);
    });

    labTest('status still has a row for each server and ends with 4', async () => {
      const quick = inventory(lab, [a, b], {
        name: 'quick.yml',
        ssh: { user: 'root', identity_file: lab.key, known_hosts: lab.knownHosts, connect_timeout: '1s' },
      });
      const said = await command(['status', '-i', quick, '--json']);
      expectExit(said, 4);
      expect(said.json<StatusDocument>().servers.map(({ state }) => state)).toEqual([
        'host not reached',
        'host not reached',
      ]);
    });
  });
});

/** What the running instance and the controller write all the time. */
function notWrittenByItself(path: string): boolean {
  // The controller renews its status there at every heartbeat.
  if (path === managementDir) return false;
  const files = path.slice(path.indexOf('/inst1'));
  const byPostgres = /^\/inst1\/(base|global|pg_\w+|postmaster\.pid|current_logfiles)(\/|$)/.test(files);
  const byController = /pgsql_tmp_mc_disk_check|\.(state|log|status\.json(\.tmp)?)$|-log\//.test(path);
  const configuration = /\/(pg_hba|pg_ident|postgresql(\.auto)?)\.conf$/.test(path);
  return configuration || !(byPostgres || byController);
}
