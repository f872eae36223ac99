/**
 * `pgduet teardown` on real hosts, as a person uses it: what it says before, a client that writes meanwhile, either server
 * kept, data that stays, a dead server, data that must not be deleted, and the whole cluster. What is left on a host is found
 * by a list of all its files before and after.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import {
  dataDir,
  documentOf,
  lockIsFree,
  mcDir,
  mirroringStatus,
  pgPort,
  sql,
  Trouble,
  wipe,
} from '../trouble/trouble.ts';

/** Everything on the disk that is no log and no cache; packages and their databases do not change here. */
const inventoryOf = async (host: Host): Promise<readonly string[]> => {
  const found = await host.sh(
    `find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /var/tmp -o -path /var/lib/systemd -o -path /var/cache -o -path /root \\) -prune -o -printf '%p %y %m %u:%g\\n' | LC_ALL=C sort`,
    { check: true },
  );
  return found.stdout.split('\n');
};

/** Lines in any file below /etc, /usr/local and the home of the administrator that speak of the cluster. */
const traces = async (host: Host): Promise<string> =>
  (
    await host.sh(
      `grep -rlE 'mcoi_|pgduet|mcdir|27540|server[0-9]_copy' /etc /usr/local /var/lib/postgresql 2>/dev/null; find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log \\) -prune -o \\( -iname '*pgduet*' -o -iname '*mcoi*' -o -iname 'mc_ctl*' \\) -print; systemctl list-units --all --plain --no-legend | grep -E 'mcoi|pgduet'; pgrep -f '[m]c.cjs'`,
    )
  ).stdout;

interface Written {
  readonly rows: readonly number[];
  readonly longestGapMs: number;
}

/** A client that writes all the time with one connection after the other. */
function startClient(host: Host) {
  const rows: number[] = [];
  let [last, longest, ending, next] = [0, 0, false, 0];
  const one = async (): Promise<void> => {
    const client = new pg.Client({
      host: host.address,
      port: pgPort,
      user: 'app',
      password: 'app-Secret-1',
      database: 'postgres',
      connectionTimeoutMillis: 500,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!ending) {
        next += 1;
        await client.query('insert into written values ($1)', [next]);
        const now = performance.now();
        if (last > 0) longest = Math.max(longest, now - last);
        last = now;
        rows.push(next);
      }
    } finally {
      client.end().catch(() => undefined);
    }
  };
  const all = (async () => {
    while (!ending) await one().catch(() => new Promise((resolve) => setTimeout(resolve, 5)));
  })();
  return {
    count: () => rows.length,
    async end(): Promise<Written> {
      ending = true;
      await all;
      return { rows, longestGapMs: longest };
    },
  };
}

const clientRule = [
  { type: 'host', database: 'postgres', user: 'app', address: '10.0.0.0/8', method: 'scram-sha-256' },
];

const untilStatus = (host: Host, wanted: string) =>
  until(
    () => `${host.name} does not say '${wanted}'`,
    30_000,
    async () => ((await mirroringStatus(host)) === wanted ? true : undefined),
    100,
  );

describeLab('teardown', () => {
  let pair: Trouble;
  let a: Host;
  let b: Host;
  let inventory: string;
  let before: ReadonlyMap<Host, readonly string[]>;

  const teardown = (...args: readonly string[]) => pair.run('teardown', args, inventory);

  async function expectRun(status: number, ...args: readonly string[]) {
    const ended = await teardown(...args, '--json');
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(status);
    return { ...documentOf(ended), text: ended.stdout } as ReturnType<typeof documentOf> & {
      readonly kept: string | null;
      readonly seen: readonly string[];
      readonly left_behind: readonly string[];
      readonly text: string;
    };
  }

  /** A fresh pair with a table, a tablespace and a client's role. */
  async function provision(): Promise<void> {
    const ended = await pair.provision(inventory);
    expect(ended.status, ended.stderr).toBe(0);
    await Promise.all([a, b].map((host) => host.sh('install -d -o postgres -m 700 /space')));
    await sql(
      a,
      "create role app login password 'app-Secret-1'; create table written (n int primary key); grant insert on written to app",
    );
    await sql(a, "create tablespace space location '/space'");
    await sql(a, 'create table kept tablespace space as select generate_series(1, 1000) as n');
  }

  async function bare(): Promise<void> {
    for (const host of [a, b])
      await host.sh(
        'systemctl disable -q --now postgresql_inst1; rm -rf /etc/systemd/system/postgresql_inst1* /space',
      );
    await wipe(a, b);
    await Promise.all([a, b].map((host) => host.sh('rm -rf /database /mcdir')));
  }

  /** Nothing is there that was not there before, but for these paths. */
  async function expectNothingLeft(host: Host, ...but: readonly string[]): Promise<void> {
    const had = new Set(before.get(host));
    const come = (await inventoryOf(host)).filter((line) => !had.has(line));
    const strange = come.filter((line) => !but.some((path) => line.startsWith(path)));
    expect(strange, `${host.name} holds more than before`).toEqual([]);
    const has = new Set(await inventoryOf(host));
    expect((before.get(host) ?? []).filter((line) => !has.has(line))).toEqual([]);
    expect(await traces(host)).toBe('');
  }

  async function expectSingle(host: Host): Promise<void> {
    await until(
      () => `${host.name} does not start by itself`,
      20_000,
      async () => ((await host.sh('systemctl is-active postgresql_inst1')).status === 0 ? true : undefined),
    );
    const unit = await host.sh('systemctl show -p ActiveState,UnitFileState,NRestarts postgresql_inst1');
    expect(unit.stdout.trim().split('\n').sort()).toEqual([
      'ActiveState=active',
      'NRestarts=0',
      'UnitFileState=enabled',
    ]);
    expect(await sql(host, 'select pg_is_in_recovery()')).toBe('f');
    expect(await sql(host, 'select count(*) from pg_replication_slots')).toBe('0');
    expect(await sql(host, "select count(*) from pg_roles where rolname like 'pgduet%'")).toBe('0');
    expect(
      await sql(
        host,
        "select count(*) from pg_file_settings where name ~ 'standby|primary_conninfo|wal_sender|wal_receiver|log_directory'",
      ),
    ).toBe('0');
    expect(
      await sql(host, "select count(*) from pg_hba_file_rules where 'replication' = any (database)"),
    ).toBe('0');
    expect(await sql(host, 'select count(*) from kept')).toBe('1000');
  }

  const kept = [
    dataDir,
    '/database',
    '/space',
    '/etc/systemd/system/postgresql_inst1',
    '/etc/systemd/system/multi-user.target.wants/postgresql_inst1',
  ];

  beforeAll(async () => {
    pair = await Trouble.open();
    ({ a, b } = pair);
    inventory = pair.write('teardown.yml', { postgres: { hba: clientRule } });
    before = new Map(await Promise.all([a, b].map(async (host) => [host, await inventoryOf(host)] as const)));
    await provision();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    '--check names what is deleted with its size and system identifier, and changes nothing',
    async () => {
      const system = await sql(a, 'select system_identifier from pg_control_system()');
      const state = () =>
        Promise.all(
          [a, b].map((host) =>
            host.sh(
              `cat ${dataDir}/*.conf /etc/services; ls -la ${mcDir}/*.conf /etc/systemd/system; head -n 1 ${dataDir}/postmaster.pid`,
            ),
          ),
        );
      const was = (await state()).map(({ stdout }) => stdout);
      const check = await teardown('--check');
      expect(check.status, check.stderr).toBe(2);
      expect(check.stdout).toContain(
        `delete the data of ${b.name} in ${dataDir} (system identifier ${system})`,
      );
      expect(check.stdout).toMatch(new RegExp(`data directory ${dataDir}, [\\d.]+ MB`));
      expect(check.stdout).toMatch(/tablespace in \/space\/PG_15_\d+, /);
      expect(check.stdout).toContain(`make ${a.name} a single server again, with one restart`);
      expect(check.stdout).toContain(
        'The packages, and the user that owns the instance, stay on every host.',
      );
      expect((await state()).map(({ stdout }) => stdout)).toEqual(was);
    },
  );

  labTest('the primary stays while a client writes: one short gap, no row lost, nothing left', async () => {
    const client = startClient(a);
    const ended = await teardown('--yes');
    const seen = client.count();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { rows, longestGapMs } = await client.end();
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect(ended.stderr).toContain(`Take a backup of ${a.name} now`);
    expect(rows.length).toBeGreaterThan(seen);
    expect(longestGapMs).toBeLessThan(1500);
    const found = await sql(a, "select coalesce(json_agg(n), '[]') from written");
    const stored = new Set(JSON.parse(found) as number[]);
    expect(rows.filter((row) => !stored.has(row))).toEqual([]);
    await expectSingle(a);
    await expectNothingLeft(a, ...kept);
    await expectNothingLeft(b);
  });

  labTest('a second run finds nothing to do, and the server survives a reboot', async () => {
    expect(await expectRun(0, '--yes')).toMatchObject({ plan: [], changed: [], kept: a.name });
    await a.reboot();
    await expectSingle(a);
    expect(await expectRun(0, '--yes')).toMatchObject({ plan: [], kept: a.name });
  });

  labTest('the standby stays: it becomes primary first, and a killed run is continued', async () => {
    await bare();
    await provision();
    const system = await sql(a, 'select system_identifier from pg_control_system()');
    const check = await teardown('--keep', b.name, '--check');
    expect(check.stdout).toContain(`make ${b.name} primary; ${a.name} follows it`);
    expect(check.stdout).toContain(
      `delete the data of ${a.name} in ${dataDir} (system identifier ${system})`,
    );
    const client = startClient(b);
    const run = pair.start('teardown', ['--keep', b.name, '--yes'], inventory);
    await run.said('delete the data in');
    run.child.kill('SIGKILL');
    await run.ended;
    await until(
      () => 'the lock is still held',
      10_000,
      async () => ((await lockIsFree(a)) ? true : undefined),
      50,
    );
    const document = await expectRun(0, '--keep', b.name, '--yes');
    expect(document.kept).toBe(b.name);
    const { rows } = await client.end();
    expect(rows.length).toBeGreaterThan(0);
    const stored = new Set(
      JSON.parse(await sql(b, "select coalesce(json_agg(n), '[]') from written")) as number[],
    );
    expect(rows.filter((row) => !stored.has(row))).toEqual([]);
    await expectSingle(b);
    await expectNothingLeft(b, ...kept);
    await expectNothingLeft(a);
    expect(await expectRun(0, '--yes')).toMatchObject({ plan: [], kept: b.name });
  });

  labTest(
    'a former primary is refused, and nothing is touched; with --keep-data its data stays',
    async () => {
      await bare();
      await provision();
      await a.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
      await untilStatus(b, 'switched');
      const was = await sql(b, 'select pg_postmaster_start_time()');
      const refused = await expectRun(5, '--yes');
      expect(refused.diagnostics.map(({ code }) => code)).toContain('SAF020');
      expect(refused.text).toContain('it was primary, and has not been made a standby since');
      expect(await sql(b, 'select pg_postmaster_start_time()')).toBe(was);
      expect((await b.sh('systemctl is-active mcoi_inst1')).stdout.trim()).toBe('active');

      expect(await expectRun(0, '--keep-data', '--yes')).toMatchObject({ kept: b.name });
      await expectSingle(b);
      await expectNothingLeft(b, ...kept);
      await expectNothingLeft(a, ...kept);
      expect((await a.sh(`cat ${dataDir}/PG_VERSION`)).stdout.trim()).toBe('15');
      expect(await expectRun(0, '--keep-data', '--yes')).toMatchObject({ plan: [], kept: b.name });
    },
  );

  labTest('a standby whose data is ahead is refused', async () => {
    await bare();
    await provision();
    // The standby stops with all that the primary has; then the primary goes back to an older state of itself.
    await a.sh('systemctl stop mcoi_inst1; cp -a /database /database.old', { check: true });
    await a.sh('systemctl start mcoi_inst1', { check: true });
    await untilStatus(a, 'switchable');
    await sql(a, 'create table later as select generate_series(1, 20000) as n; checkpoint');
    await b.sh('systemctl stop mcoi_inst1', { check: true });
    await a.sh(
      'systemctl stop mcoi_inst1; rm -rf /database; mv /database.old /database; systemctl start mcoi_inst1',
      {
        check: true,
      },
    );
    const refused = await expectRun(5, '--yes');
    expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAF020']);
    expect(refused.text).toContain('it is ahead');
    expect((await b.sh(`cat ${dataDir}/PG_VERSION`)).stdout.trim()).toBe('15');
  });

  labTest(
    'a dead server: said how to go on, left out with --force, and cleaned once it is back',
    async () => {
      await bare();
      await provision();
      await b.powerOff();
      const unreachable = await expectRun(4, '--yes');
      expect(unreachable.text).toContain('pgduet teardown --force leaves it out');
      const kept1 = await expectRun(5, '--force', '--keep', b.name, '--yes');
      expect(kept1.diagnostics.map(({ code }) => code)).toEqual(['SAF021']);
      const document = await expectRun(0, '--force', '--yes');
      expect(document.kept).toBe(a.name);
      expect(document.left_behind.join(' ')).toContain(`${b.name} is not reached and left out`);
      await expectSingle(a);
      await expectNothingLeft(a, ...kept);
      await b.powerOn();
      await b.untilUp();
      const later = await expectRun(0, '--yes');
      expect(later.changed.map(({ host }) => host)).not.toContain(a.name);
      await expectNothingLeft(b);
    },
  );

  labTest('a dead primary: no standby is kept that may lack commits', async () => {
    await bare();
    await provision();
    await a.sh('mc_ctl disable-failover -M /mcdir/inst1', { user: 'postgres', check: true });
    await a.powerOff();
    const refused = await expectRun(5, '--force', '--yes');
    expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAF021']);
    expect(refused.text).toContain('promote a standby');
    await a.powerOn();
    await a.untilUp();
    await untilStatus(a, 'failover-disabled');
  });

  labTest('--all-data wants the name, and leaves nothing', async () => {
    const unnamed = await expectRun(3, '--all-data', '--yes');
    expect(unnamed.diagnostics.map(({ code }) => code)).toEqual(['CLI002']);
    expect((await expectRun(3, '--all-data', '--confirm', 'other')).diagnostics[0]?.code).toBe('CLI002');
    const check = await teardown('--all-data', '--check');
    expect(check.status).toBe(2);
    for (const host of [a, b])
      expect(check.stdout).toContain(`delete the data of ${host.name} in ${dataDir}`);
    expect(await expectRun(0, '--all-data', '--confirm', 'inst1')).toMatchObject({ kept: null });
    await expectNothingLeft(a);
    await expectNothingLeft(b);
    expect(await expectRun(0, '--all-data', '--confirm', 'inst1')).toMatchObject({ plan: [] });
  });
});
