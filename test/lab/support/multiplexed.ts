/**
 * The facts that make a provisioned cluster, as one list of assertions that every lab test of a provisioning shares.
 * In: the servers, primary first, and the version. It asks the hosts and never pgduet, and commits rows of its own.
 */
import { expect } from 'vitest';
import type { Host } from '../harness/lab.ts';
import { answers, fileText, mcCtlStatus, type Server, sql, statOf, untilSql } from './instance.ts';

export interface Cluster {
  readonly primary: Server;
  readonly standbys: readonly Server[];
  readonly version: number;
}

const serversOf = ({ primary, standbys }: Cluster): readonly Server[] => [primary, ...standbys];

/** Everything below, for a cluster in good order. */
export async function expectMultiplexed(cluster: Cluster): Promise<void> {
  const servers = serversOf(cluster);
  await expectStreaming(cluster);
  await Promise.all([
    expectSwitchable(cluster),
    expectRowsTravel(cluster),
    ...servers.map((server) => expectInstance(cluster, server)),
    ...servers.map((server) => expectFiles(server)),
    ...servers.map((server) => expectUnit(server)),
    ...[...new Set(servers.map(({ host }) => host))].map((host) => expectNoOtherCluster(cluster, host)),
  ]);
  expectSameEverywhere(servers);
  const identifiers = await Promise.all(
    servers.map((server) => sql(server, 'SELECT system_identifier FROM pg_control_system()')),
  );
  expect(new Set(identifiers).size, 'system identifiers').toBe(1);
}

/** One row for each standby, with its own name, from its own address; the first one synchronous. */
export async function expectStreaming({ primary, standbys }: Cluster): Promise<void> {
  const query = `SELECT application_name, host(client_addr), usename, state, sync_state FROM pg_stat_replication
 ORDER BY sync_priority, 1`;
  const expected = standbys.map(({ id, address }, index) =>
    [id, address, 'pgduet_repl', 'streaming', index === 0 ? 'sync' : 'potential'].join('|'),
  );
  expect((await sql(primary, query)).split('\n')).toEqual(expected);
  for (const standby of standbys) {
    const receiver = 'SELECT status, sender_host, sender_port, pg_is_in_recovery() FROM pg_stat_wal_receiver';
    expect(await sql(standby, receiver)).toBe(`streaming|${primary.address}|${primary.port}|t`);
  }
}

/** Each controller says so, and sees each server in its role and in order. */
export async function expectSwitchable(cluster: Cluster): Promise<void> {
  const said = await Promise.all(serversOf(cluster).map((server) => mcCtlStatus(server)));
  for (const text of said) {
    expect(text.split('\n')[2], `mc_ctl status:\n${text}`).toBe('switchable');
    const rows = text.split('\n').map((line) => line.trim().split(/\s+/).join(' '));
    for (const server of serversOf(cluster)) {
      const role = server === cluster.primary ? 'primary' : 'standby';
      expect(rows).toContain(`${server.id} ${role} ${server.address} normal normal normal`);
    }
  }
}

export async function expectRowsTravel({ primary, standbys }: Cluster): Promise<void> {
  const mark = `row ${Math.random()}`;
  await sql(primary, `CREATE TABLE IF NOT EXISTS travel (mark text); INSERT INTO travel VALUES ('${mark}')`);
  for (const standby of standbys)
    await untilSql(standby, `SELECT count(*) FROM travel WHERE mark = '${mark}'`, '1');
}

/** What holds on every server, whatever the inventory adds. */
export async function expectInstance(cluster: Cluster, server: Server): Promise<void> {
  const names = synchronousNames(cluster, server);
  const fixed = {
    recovery: server === cluster.primary ? 'f' : 't',
    data_checksums: 'on',
    version: String(cluster.version),
    wal_level: 'replica',
    hot_standby: 'on',
    wal_log_hints: 'on',
    full_page_writes: 'on',
    wal_sender_timeout: '5400ms',
    wal_receiver_timeout: '5400ms',
    recovery_target_timeline: 'latest',
    password_encryption: 'scram-sha-256',
    listen_addresses: '*',
    port: String(server.port),
    synchronous_standby_names: names,
    names_from: `${server.dataDir}/postgresql.conf`,
    role: 't|t|f|f|f|t',
    slots: '0',
    pending_restart: '0',
    wrong_lines: '0',
    trust: '0',
  };
  const shown = (name: string) => `SELECT current_setting('${name}')`;
  const settings = Object.keys(fixed).filter((name) =>
    /^(wal|hot|full|recovery_|password|listen|port|sync|data_c)/.test(name),
  );
  const found = await answers(server, {
    ...Object.fromEntries(settings.map((name) => [name, shown(name)])),
    recovery: 'SELECT pg_is_in_recovery()',
    version: `SELECT current_setting('server_version_num')::int / 10000`,
    names_from: `SELECT sourcefile FROM pg_settings WHERE name = 'synchronous_standby_names'`,
    role: `SELECT rolcanlogin, rolreplication, rolsuper, rolcreatedb, rolcreaterole, rolpassword LIKE 'SCRAM-SHA-256$%'
 FROM pg_authid WHERE rolname = 'pgduet_repl'`,
    slots: 'SELECT count(*) FROM pg_replication_slots',
    pending_restart: 'SELECT count(*) FROM pg_settings WHERE pending_restart',
    wrong_lines: 'SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL OR NOT applied',
    trust: `SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = 'trust' OR error IS NOT NULL`,
    senders: shown('max_wal_senders'),
    keep: shown('wal_keep_size'),
    conninfo: shown('primary_conninfo'),
    rules: `SELECT address, auth_method FROM pg_hba_file_rules WHERE database = '{replication}' ORDER BY line_number`,
  });
  expect(found, server.id).toMatchObject(fixed);
  expect(Number(found.senders)).toBeGreaterThan(cluster.standbys.length);
  expect(found.keep).not.toBe('0');
  expect(found.conninfo).toContain(`application_name=${server.id}`);
  expect(found.conninfo).not.toMatch(/password\s*=/);
  const from = [...new Set(serversOf(cluster).map(({ address }) => `${address}|scram-sha-256`))];
  expect(found.rules.split('\n')).toEqual(from);
  expectNamesInPlace(server, names);
}

/** Each server names the others, since any may become primary. */
function synchronousNames(cluster: Cluster, server: Server): string {
  const others = serversOf(cluster)
    .filter((other) => other !== server)
    .map(({ id }) => id);
  return others.length === 1 ? others.join('') : `FIRST 1 (${others.join(', ')})`;
}

/** In postgresql.conf itself, once, where the controller can comment them out; and standby.signal on a standby alone. */
function expectNamesInPlace(server: Server, names: string): void {
  const lines = fileText(server.host, `${server.dataDir}/postgresql.conf`).split('\n');
  const active = lines.filter((line) => /^\s*synchronous_standby_names\b/.test(line));
  expect(active.map((line) => line.replaceAll("'", ''))).toEqual([`synchronous_standby_names = ${names}`]);
  expect(lines.filter((line) => /^\s*include/.test(line))).toEqual([]);
  const auto = fileText(server.host, `${server.dataDir}/postgresql.auto.conf`).split('\n');
  expect(auto.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
}

export async function expectFiles(server: Server): Promise<void> {
  const { host, id, dataDir, managementDir } = server;
  const directories = [dataDir, managementDir];
  const secret = ['network.conf', `${id}.conf`, 'cluster.key'].map((name) => `${managementDir}/${name}`);
  const files = [
    ...secret,
    '/var/lib/postgresql/.pgpass',
    `${dataDir}/postgresql.conf`,
    `${dataDir}/pg_hba.conf`,
  ];
  expect(await statOf(host, [...directories, ...files])).toEqual([
    ...directories.map((path) => `${path} 700 postgres directory`),
    ...files.map((path) => `${path} 600 postgres regular file`),
  ]);
  const service = server.unit.replace('.service', '');
  const services = fileText(host, '/etc/services').split('\n');
  expect(services.filter((line) => line.split(/\s/)[0] === service)).toHaveLength(1);
  const signals = await host.sh(`cd ${dataDir} && ls standby.signal recovery.signal recovery.conf`);
  const recovery = await sql(server, 'SELECT pg_is_in_recovery()');
  expect(signals.stdout.trim()).toBe(recovery === 't' ? 'standby.signal' : '');
}

function expectSameEverywhere(servers: readonly Server[]): void {
  const texts = (path: (server: Server) => string) =>
    new Set(servers.map((server) => fileText(server.host, path(server))));
  const networks = texts(({ managementDir }) => `${managementDir}/network.conf`);
  expect(networks.size, 'network.conf').toBe(1);
  const lines = [...networks].join('').split('\n');
  expect(lines.filter((line) => /^[^#\s]/.test(line))).toHaveLength(servers.length);
  expect(texts(({ managementDir }) => `${managementDir}/cluster.key`).size, 'cluster.key').toBe(1);
  expect(texts(({ dataDir }) => `${dataDir}/pg_hba.conf`).size, 'pg_hba.conf').toBe(1);
}

/** The unit is enabled and runs; no unit of the host has failed. */
export async function expectUnit({ host, unit }: Server): Promise<void> {
  const state = await host.sh(`systemctl show -p UnitFileState,ActiveState,NeedDaemonReload ${unit}
systemctl list-units --state=failed --no-legend --plain`);
  expect(state.stdout.trim().split('\n').sort()).toEqual([
    'ActiveState=active',
    'NeedDaemonReload=no',
    'UnitFileState=enabled',
  ]);
}

/** Debian's packages would have made a cluster "main" on port 5432; its umbrella unit alone may be enabled. */
export async function expectNoOtherCluster(cluster: Cluster, host: Host): Promise<void> {
  const own = serversOf(cluster).filter((server) => server.host === host).length;
  const found = await host.sh(`ls -d /var/lib/postgresql/*/* /etc/postgresql/*/*
ss -Hltn 'sport = :5432 or sport = :5433'
for pid in $(pgrep -x postgres); do tr '\\0' ' ' </proc/$pid/cmdline | grep -c -- '-D'; done | grep -c 1`);
  expect(found.stdout.trim(), `other clusters on ${host.name}`).toBe(String(own));
}
