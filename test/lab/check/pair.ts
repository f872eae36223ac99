/**
 * A pair for tests of `pgduet check`, what check tells of it, and what its daemons are doing, so that a test can
 * say what a mending has touched. In: nothing. Out: plain values, asked from the hosts without pgduet.
 */
import type { ClusterOptions } from '../support/cluster.ts';
import { psqlPath, type Server } from '../support/instance.ts';
import type { YamlMap } from '../support/inventory.ts';
import type { Reported } from '../support/pgduet.ts';

/** Settings that let a test spoil more: an archive, logical slots, a rule for replication from other addresses. */
const richSettings: YamlMap = {
  max_connections: 50,
  shared_buffers: '16MB',
  log_statement: 'all',
  wal_level: 'logical',
  archive_mode: 'on',
  archive_command: 'test ! -e /var/lib/postgresql/full',
};
const rule = (database: string, user: string): YamlMap => ({
  type: 'host',
  database,
  user,
  address: '10.0.0.0/8',
  method: 'scram-sha-256',
});
const richRules = [rule('app', 'app'), rule('app', 'reader'), rule('replication', 'pgduet_repl')];

/** A pair with a database `app` and the roles `app` and `reader`. */
export const richPair: ClusterOptions = {
  postgres: { settings: richSettings, hba: richRules },
  sql: [
    ['postgres', 'CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN'],
    ['postgres', 'CREATE DATABASE app OWNER app'],
  ],
};

/** All findings, in the words of one line, for messages of failed tests. */
export const lines = (findings: readonly Reported[]): string[] =>
  findings.map(({ code, severity, host, object, declared, found, source, mended_by }) =>
    `${severity} ${code} ${host ?? 'cluster'} [${object}] declared ${declared}, found ${found} (${source}) by ${mended_by}`.slice(
      0,
      400,
    ),
  );

/** What a mending may disturb. */
export interface Daemons {
  readonly postmaster: string;
  /** When the server last read its files. */
  readonly loaded: string;
  readonly controller: string;
  /** When the controller last read its files, as it says itself. */
  readonly configRead: string;
}

export async function daemonsOf({ host, dataDir, managementDir, id, unit, port }: Server): Promise<Daemons> {
  const { stdout } = await host.sh(`head -n 1 ${dataDir}/postmaster.pid
cd /; runuser -u postgres -- ${psqlPath} -h /var/run/postgresql -p ${port} -d postgres -XqAtc 'select pg_conf_load_time()'
systemctl show -p MainPID --value ${unit}
cat ${managementDir}/${id}.pid`);
  const [postmaster = '', loaded = '', controller = '', ...rest] = stdout.split('\n');
  return { postmaster, loaded, controller, configRead: rest.join(' ') };
}
