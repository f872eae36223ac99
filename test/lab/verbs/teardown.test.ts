/**
 * `pgduet teardown` on real hosts, as a person uses it: what it says before, a client that writes meanwhile, either server
 * kept, data that stays, a dead server, data that must not be deleted, and the whole cluster. What is left on a host is found
 * by a list of all its files before and after.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { bin, dataDir, documentOf, mcDir, pgPort, sql, Trouble, wipe } from '../trouble/trouble.ts';

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
      `grep -rlE 'mcoi_|pgduet|mcdir|27540|server[0-9]_copy' /etc /usr/local /var/lib/postgresql 2>/dev/null; find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log \\) -prune -o \\( -iname '*pgduet*' -o -iname '*mcoi*' -o -iname 'mc_ctl*' \\) -print; systemctl list-units --all --plain --no-legend | grep -E 'mcoi|pgduet'; pgrep -af mc.cjs`,
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
      await host.sh('systemctl disable -q --now postgresql_inst1; rm -rf /etc/systemd/system/postgresql_inst1* /space');
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
    const unit = await host.sh('systemctl show -p ActiveState,UnitFileState,NRestarts postgresql_inst1');
    expect(unit.stdout.trim().split('\n').sort()).toEqual(['ActiveState=active', 'NRestarts=0', 'UnitFileState=enabled']);
    expect(await sql(host, 'select pg_is_in_recovery()')).toBe('f');
    expect(await sql(host, 'select count(*) from pg_replication_slots')).toBe('0');
    expect(await sql(host, "select count(*) from pg_roles where rolname like 'pgduet%'")).toBe('0');
    expect(await sql(host, "select count(*) from pg_file_settings where name ~ 'standby|primary_conninfo|wal_sender|wal_receiver|log_directory'")).toBe('0');
    expect(await sql(host, "select count(*) from pg_hba_file_rules where 'replication' = any (database)")).toBe('0');
    expect(await sql(host, 'select count(*) from kept')).toBe('1000');
  }

  const kept = [dataDir, '/database', '/space', '/etc/systemd/system/postgresql_inst1', '/etc/systemd/system/multi-user.target.wants/postgresql_inst1'];

  beforeAll(async () => {
    pair = await Trouble.open();
    ({ a, b } = pair);
    inventory = pair.write('teardown.yml', { postgres: { hba: clientRule } });
    before = new Map(await Promise.all([a, b].map(async (host) => [host, await inventoryOf(host)] as const)));
    await provision();
  });
  afterAll(() => pair?.lab.close());

  labTest('--check names what is deleted with its size and system identifier, and changes nothing', async () => {
    const system = await sql(a, 'select system_identifier from pg_control_system()');
    const state = () =>
      Promise.all([a, b].map((host) => host.sh(`cat ${dataDir}/*.conf /etc/services; ls -la ${mcDir}/*.conf /etc/systemd/system; head -n 1 ${dataDir}/postmaster.pid`)));
    const was = (await state()).map(({ stdout }) => stdout);
    const check = await teardown('--check');
    expect(check.status, check.stderr).toBe(2);
    expect(check.stdout).toContain(`delete the data of ${b.name} in ${dataDir} (system identifier ${system})`);
    expect(check.stdout).toMatch(new RegExp(`data directory ${dataDir}, [\\d.]+ MB`));
    expect(check.stdout).toMatch(/tablespace in \/space\/PG_15_\d+, /);
    expect(check.stdout).toContain(`make ${a.name} a single server again, with one restart`);
    expect(check.stdout).toContain('The packages, and the user that owns the instance, stay on every host.');
    expect((await state()).map(({ stdout }) => stdout)).toEqual(was);
  });

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
    console.log(`longest gap ${Math.round(longestGapMs)} ms, ${rows.length} rows`);
    const found = await sql(a, 'select coalesce(json_agg(n), \'[]\') from written');
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
  labTest('x', async () => {
    expect(bin).toBe(bin);
    await bare();
  });
});
