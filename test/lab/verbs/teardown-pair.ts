/**
 * A pair for the tests of `pgduet teardown`, as a person uses it, with a client that writes meanwhile. What is left on a host
 * is found by a list of all its files before and after. In: nothing. Out: the pair, documents, assertions.
 */
import pg from 'pg';
import { expect } from 'vitest';
import { facts } from '../harness/changes.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import type { ClusterOptions } from '../support/cluster.ts';
import { serverOf, untilMirroring } from '../support/instance.ts';
import type { YamlMap } from '../support/inventory.ts';
import { filesNaming } from '../support/naming.ts';
import type { Run } from '../support/running.ts';
import { type Document, dataDir, documentOf, pgPort, sql, Trouble } from '../trouble/trouble.ts';

/** What the system writes by itself, and what another one may. */
const restless = ['/run', '/tmp', '/dev', '/var/log', '/var/tmp', '/var/lib/systemd', '/var/cache', '/root'];

/** Everything on the disks that is not as the host was made, without logs and caches. */
const filesOf = (host: Host): readonly string[] =>
  [...host.changes({ except: restless })]
    .filter(([path]) => !restless.some((place) => path === place || path.startsWith(`${place}/`)))
    .flatMap(([path, change]) => facts(change, false)?.replace(/^/, `${path} `) ?? []);

/** Keys and names differ from host to host, so that their files alone can be compared. */
const pathOf = (line: string): string => line.split(' ')[0] ?? '';

const ours = /mcoi|pgduet|mc_ctl|mcdir|\b27540\b|server[0-9]_copy/i;

/** What speaks of the cluster, its units and its programs, outside of the data that stays. */
async function traces(host: Host): Promise<readonly string[]> {
  const { stdout } = await host.sh(
    `systemctl list-units --all --plain --no-legend | grep -E 'mcoi|pgduet'; pgrep -f '[m]c.cjs'`,
  );
  const files = filesNaming(host, ours).filter((line) => !line.startsWith(`${dataDir}/`, 5));
  return [...files, ...stdout.split('\n').filter((line) => line !== '')];
}

/** A client that writes to the table `written` all the time, with one connection after the other. */
export function startClient(host: Host) {
  const rows: number[] = [];
  let [ending, next] = [false, 0];
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
    /** The rows that were acknowledged. */
    async end(): Promise<readonly number[]> {
      ending = true;
      await all;
      return rows;
    },
  };
}

const postgres: YamlMap = {
  hba: [{ type: 'host', database: 'postgres', user: 'app', address: '10.0.0.0/8', method: 'scram-sha-256' }],
};
/** A client's role, a tablespace, a table of that client and one in the tablespace. */
const options: ClusterOptions = {
  postgres,
  prepare: 'install -d -o postgres -m 700 /space',
  sql: [
    ['postgres', "create role app login password 'app-Secret-1'"],
    ['postgres', 'create table written (n int primary key); grant insert on written to app'],
    ['postgres', "create tablespace space location '/space'"],
    ['postgres', 'create table kept tablespace space as select generate_series(1, 1000) as n'],
  ],
};

export const untilStatus = (host: Host, wanted: string): Promise<void> =>
  untilMirroring(serverOf(host), wanted);

/** What `teardown --json` prints. */
export interface TeardownDocument extends Document {
  readonly kept: string | null;
  readonly seen: readonly string[];
  readonly left_behind: readonly string[];
  readonly text: string;
}

/** What the server that stays has in the end and had not before it was provisioned. */
export const kept = [
  dataDir,
  '/database',
  '/space',
  '/etc/systemd/system/postgresql_inst1',
  '/etc/systemd/system/multi-user.target.wants/postgresql_inst1',
];

/** A pair with a table, a tablespace and a client's role, to be taken apart. */
export class TeardownPair {
  readonly pair: Trouble;
  readonly a: Host;
  readonly b: Host;
  readonly #inventory: string;
  /** What is on a host to which nothing was done, as lines of `filesOf`. */
  readonly #fresh: readonly string[];

  private constructor(pair: Trouble, fresh: readonly string[]) {
    this.pair = pair;
    ({ a: this.a, b: this.b } = pair);
    this.#inventory = pair.write('teardown.yml', { postgres });
    this.#fresh = fresh;
  }

  static async open(): Promise<TeardownPair> {
    const pair = await Trouble.provisioned(options);
    const [other] = await pair.lab.hosts(1);
    return new TeardownPair(pair, filesOf(other));
  }

  close(): Promise<void> {
    return this.pair.lab.close();
  }

  start(...args: readonly string[]): Run {
    return this.pair.start('teardown', args, this.#inventory);
  }

  /** With `--json`, and it has to end with this status. */
  async runs(status: number, ...args: readonly string[]): Promise<TeardownDocument> {
    const ended = await this.start(...args, '--json').ended;
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(status);
    return { ...documentOf(ended), text: ended.stdout } as TeardownDocument;
  }

  /** The pair as it was at first. */
  again(): Promise<void> {
    return this.pair.cluster.reset();
  }

  /** Nothing is there that a fresh host has not, but for these paths; and nothing of that is gone. */
  async expectNothingNew(host: Host, ...but: readonly string[]): Promise<void> {
    const found = filesOf(host);
    const [had, has] = [new Set(this.#fresh.map(pathOf)), new Set(found.map(pathOf))];
    const strange = found.filter(
      (line) => !had.has(pathOf(line)) && !but.some((path) => line.startsWith(path)),
    );
    expect(strange, `${host.name} holds more than before`).toEqual([]);
    expect([...had].filter((path) => !has.has(path))).toEqual([]);
  }

  /** The same, and nothing speaks of the cluster any more. */
  async expectNothingLeft(host: Host, ...but: readonly string[]): Promise<void> {
    await this.expectNothingNew(host, ...but);
    expect(await traces(host)).toEqual([]);
  }

  /** The same, but for what these files speak of. */
  async expectNothingNamed(host: Host, ...but: readonly string[]): Promise<void> {
    await this.expectNothingNew(host, ...but);
    expect((await traces(host)).filter((line) => !but.some((path) => line.includes(path)))).toEqual([]);
  }
}

/** A plain server that its unit starts, with nothing of a pair in it. */
export async function expectSingle(host: Host): Promise<void> {
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
  expect(await sql(host, "select count(*) from pg_hba_file_rules where 'replication' = any (database)")).toBe(
    '0',
  );
  expect(await sql(host, 'select count(*) from kept')).toBe('1000');
}
