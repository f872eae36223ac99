/**
 * The facts that make a provisioned cluster, as one list of assertions that every lab test of a provisioning shares.
 * In: the servers, primary first, and the version. It asks the hosts and never pgduet, and commits rows of its own.
 */
import { expect } from 'vitest';
import type { Host } from '../harness/lab.ts';
import {
  fileText,
  mcCtlStatus,
  mirroringStatus,
  type Server,
  settingsInForce,
  sql,
  statOf,
  untilSql,
} from './instance.ts';

export interface Cluster {
  readonly primary: Server;
  readonly standbys: readonly Server[];
  readonly version: number;
  /** Where replication connects from, when it is not the server's address. */
  readonly replicationAddress?: (server: Server) => string;
}

const serversOf = ({ primary, standbys }: Cluster): readonly Server[] => [primary, ...standbys];
const distinctHosts = (cluster: Cluster): readonly Host[] => [
  ...new Set(serversOf(cluster).map((server) => server.host)),
];

/** Everything below, for one cluster with default settings. */
export async function expectMultiplexed(cluster: Cluster): Promise<void> {
  await expectStreaming(cluster);
  await expectSwitchable(cluster);
  await expectRowsTravel(cluster);
  await expectInstances(cluster);
  await expectSettings(cluster);
  await expectSynchronousNames(cluster);
  await expectClientRules(cluster);
  await expectFiles(cluster);
  await expectUnits(cluster);
  await expectNoOtherCluster(cluster);
}

/** One row for each standby, with its own name, from its own address; the first one synchronous. */
export async function expectStreaming(cluster: Cluster): Promise<void> {
  const { primary, standbys, replicationAddress = (server: Server) => server.address } = cluster;
  const query = `SELECT application_name, host(client_addr), usename, state, sync_state FROM pg_stat_replication ORDER BY sync_priority, 1`;
  const expected = standbys.map((standby, index) =>
    [
      standby.id,
      replicationAddress(standby),
      'pgduet_repl',
      'streaming',
      index === 0 ? 'sync' : 'potential',
    ].join('|'),
  );
  expect((await sql(primary, query)).split('\n')).toEqual(expected);
  for (const standby of standbys) {
    const receiver = 'SELECT status, sender_port FROM pg_stat_wal_receiver';
    expect(await sql(standby, receiver)).toBe(`streaming|${primary.port}`);
    expect(await sql(standby, 'SELECT pg_is_in_recovery()')).toBe('t');
  }
  expect(await sql(primary, 'SELECT pg_is_in_recovery()')).toBe('f');
}

export async function expectSwitchable(cluster: Cluster): Promise<void> {
  for (const server of serversOf(cluster)) {
    expect(await mirroringStatus(server), `mc_ctl status on ${server.id}`).toBe('switchable');
    const rows = (await mcCtlStatus(server)).split('\n').map((line) => line.trim().split(/\s+/).join(' '));
    for (const shown of serversOf(cluster)) {
      const role = shown === cluster.primary ? 'primary' : 'standby';
      expect(rows).toContain(`${shown.id} ${role} ${adminAddress(rows, shown)} normal normal normal`);
    }
  }
}

/** The address in the row of a server, so that IPv6 spellings do not matter; the address itself is asserted elsewhere. */
const adminAddress = (rows: readonly string[], server: Server): string =>
  rows.find((row) => row.startsWith(`${server.id} `))?.split(' ')[2] ?? server.address;

export async function expectRowsTravel({ primary, standbys }: Cluster): Promise<void> {
  const mark = `row ${Math.random()}`;
  await sql(primary, `CREATE TABLE IF NOT EXISTS travel (mark text); INSERT INTO travel VALUES ('${mark}')`);
  for (const standby of standbys)
    await untilSql(standby, `SELECT count(*) FROM travel WHERE mark = '${mark}'`, '1');
}

export async function expectInstances(cluster: Cluster): Promise<void> {
  const { primary, version } = cluster;
  const identifiers = new Set<string>();
  for (const server of serversOf(cluster)) {
    expect(await sql(server, 'SHOW data_checksums')).toBe('on');
    expect(await sql(server, `SELECT current_setting('server_version_num')::int / 10000`)).toBe(
      String(version),
    );
    identifiers.add(await sql(server, 'SELECT system_identifier FROM pg_control_system()'));
    expect(await sql(server, 'SELECT count(*) FROM pg_replication_slots')).toBe('0');
    const signals = await server.host.sh(
      `cd ${server.dataDir} && ls standby.signal recovery.signal recovery.conf`,
    );
    expect(signals.stdout.trim()).toBe(server === primary ? '' : 'standby.signal');
  }
  expect(identifiers.size).toBe(1);
  const role = `SELECT rolcanlogin, rolreplication, rolsuper, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'pgduet_repl'`;
  expect(await sql(primary, role)).toBe('t|t|f|t');
}

/** What the settings of every server are, whatever the inventory adds. */
export async function expectSettings(cluster: Cluster): Promise<void> {
  const { standbys, version } = cluster;
  const keep = version >= 13 ? 'wal_keep_size' : 'wal_keep_segments';
  const fixed = {
    wal_level: 'replica',
    hot_standby: 'on',
    wal_log_hints: 'on',
    full_page_writes: 'on',
    wal_sender_timeout: '5400ms',
    wal_receiver_timeout: '5400ms',
    recovery_target_timeline: 'latest',
    password_encryption: 'scram-sha-256',
    syslog_ident: 'postgres-inst1',
  };
  for (const server of serversOf(cluster)) {
    const names = [
      ...Object.keys(fixed),
      keep,
      'max_wal_senders',
      'listen_addresses',
      'port',
      'primary_conninfo',
    ];
    const found = await settingsInForce(server, names);
    expect(found).toMatchObject({ ...fixed, port: String(server.port) });
    expect(Number(found.max_wal_senders)).toBeGreaterThan(standbys.length);
    expect(found[keep]).not.toBe('0');
    expect(found.listen_addresses).not.toBe('localhost');
    expect(found.primary_conninfo).toContain(`application_name=${server.id}`);
    expect(found.primary_conninfo).not.toMatch(/password\s*=/);
    const pending = 'SELECT count(*) FROM pg_settings WHERE pending_restart';
    expect(await sql(server, pending)).toBe('0');
    const wrong = 'SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL OR NOT applied';
    expect(await sql(server, wrong)).toBe('0');
  }
}

/** Each server names the others, in postgresql.conf itself, once; in no other file. */
export async function expectSynchronousNames(cluster: Cluster): Promise<void> {
  const servers = serversOf(cluster);
  for (const server of servers) {
    const others = servers.filter((other) => other !== server).map(({ id }) => id);
    const names = others.length === 1 ? others.join('') : `FIRST 1 (${others.join(', ')})`;
    expect(await sql(server, 'SHOW synchronous_standby_names')).toBe(names);
    const active = (await fileText(server.host, `${server.dataDir}/postgresql.conf`))
      .split('\n')
      .filter((line) => /^\s*synchronous_standby_names\b/.test(line));
    expect(active).toEqual([`synchronous_standby_names = '${names}'`]);
    const from = `SELECT sourcefile FROM pg_settings WHERE name = 'synchronous_standby_names'`;
    expect(await sql(server, from)).toBe(`${server.dataDir}/postgresql.conf`);
    const auto = await fileText(server.host, `${server.dataDir}/postgresql.auto.conf`);
    expect(auto.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  }
}

/** pg_hba.conf: no trust, no error, the same everywhere, replication from every server of the cluster. */
export async function expectClientRules(cluster: Cluster): Promise<void> {
  const servers = serversOf(cluster);
  const texts = new Set<string>();
  const { replicationAddress = (server: Server) => server.address } = cluster;
  for (const server of servers) {
    const rule = (where: string) => sql(server, `SELECT count(*) FROM pg_hba_file_rules WHERE ${where}`);
    expect(await rule(`auth_method = 'trust' OR error IS NOT NULL`)).toBe('0');
    for (const other of servers) {
      const from = `address = '${replicationAddress(other)}' AND database = '{replication}' AND auth_method = 'scram-sha-256'`;
      expect(await rule(from), `rule for ${other.id} on ${server.id}`).toBe('1');
    }
    texts.add(await fileText(server.host, `${server.dataDir}/pg_hba.conf`));
  }
  expect(texts.size).toBe(1);
}

export async function expectFiles(cluster: Cluster): Promise<void> {
  const networks = new Set<string>();
  const keys = new Set<string>();
  for (const server of serversOf(cluster)) {
    const { host, id } = server;
    const directories = [server.dataDir, server.managementDir];
    for (const path of directories) expect(await statOf(host, path), path).toBe('700 postgres directory');
    const secret = ['network.conf', `${id}.conf`, 'cluster.key'].map(
      (name) => `${server.managementDir}/${name}`,
    );
    const files = [...secret, '/var/lib/postgresql/.pgpass', `${server.dataDir}/postgresql.conf`];
    for (const path of files) expect(await statOf(host, path), path).toBe('600 postgres regular file');
    networks.add(await fileText(host, `${server.managementDir}/network.conf`));
    keys.add(await fileText(host, `${server.managementDir}/cluster.key`));
    const services = await fileText(host, '/etc/services');
    expect(
      services.split('\n').filter((line) => line.startsWith(`${server.unit.replace('.service', '')} `)),
    ).toHaveLength(1);
  }
  expect(networks.size).toBe(1);
  expect(keys.size).toBe(1);
  expect([...networks][0]?.split('\n').filter((line) => /^[^#\s]/.test(line))).toHaveLength(
    serversOf(cluster).length,
  );
}

/** The unit is enabled and active, and owns the instance; nothing of PostgreSQL's own is enabled by itself. */
export async function expectUnits(cluster: Cluster): Promise<void> {
  for (const { host, unit } of serversOf(cluster)) {
    const state = await host.sh(`systemctl show -p UnitFileState,ActiveState,NeedDaemonReload ${unit}`);
    expect(state.stdout.trim().split('\n').sort()).toEqual([
      'ActiveState=active',
      'NeedDaemonReload=no',
      'UnitFileState=enabled',
    ]);
    const failed = await host.sh('systemctl list-units --state=failed --no-legend --plain');
    expect(failed.stdout.trim()).toBe('');
  }
}

/** What the packages of Debian would have made: a cluster "main" on port 5432. */
export async function expectNoOtherCluster(cluster: Cluster): Promise<void> {
  for (const host of distinctHosts(cluster)) {
    const expected = serversOf(cluster).filter((server) => server.host === host);
    const directories = await host.sh('ls -d /var/lib/postgresql/*/* /etc/postgresql/*/* 2>/dev/null');
    expect(directories.stdout).toBe('');
    const ports = await host.sh(`ss -Hltn 'sport = :5432 or sport = :5433'`);
    expect(ports.stdout).toBe('');
    const running = await host.sh(`pgrep -x -P 1,$(pgrep -d, -f 'mc.cjs daemon') postgres | wc -l`);
    expect(Number(running.stdout), 'postmasters').toBe(expected.length);
  }
}
