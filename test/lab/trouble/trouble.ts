/**
 * A pair of lab hosts to make trouble on: writes inventories, runs the built command as a child process, wipes hosts
 * and asks them what is there. In: a lab. Out: exit status, the JSON document, texts. It must never hide a failure:
 * what was not expected stands in the error with everything that pgduet said.
 */
import type { DiagnosticJson } from '../../../src/report/diagnostic.ts';
import type { Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type ClusterOptions, freshPair, type LabCluster, provisionedPair } from '../support/cluster.ts';
import { sql as ask, serverOf, mirroringStatus as statusOf } from '../support/instance.ts';
import { dataDir, managementDir as mcDir, rootLogin, type YamlMap } from '../support/inventory.ts';
import { type CheckDocument, findingsOf, type Reported } from '../support/pgduet.ts';
import { type Ended, Run } from '../support/running.ts';

/** The places of every inventory here. */
export { dataDir, managementDir as mcDir } from '../support/inventory.ts';
export const pgPort = 27500;
export const mcPort = 27540;
export const bin = '/usr/lib/postgresql/15/bin';

/** What `--json` prints. */
export interface Document {
  readonly schema: number;
  readonly verb: string;
  readonly exit: number;
  readonly primary: string | null;
  readonly plan: readonly unknown[];
  readonly changed: readonly { readonly host: string; readonly summary: string }[];
  readonly diagnostics: readonly DiagnosticJson[];
}

/** What the inventory of a test says besides, and what it says of one host, by its name. */
export interface Wishes extends Omit<ClusterOptions, 'hosts' | 'host'> {
  readonly hosts?: Readonly<Record<string, YamlMap>>;
}

/** Two hosts and the command lines for them. */
export class Trouble {
  readonly cluster: LabCluster;
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  readonly inventory: string;

  private constructor(cluster: LabCluster) {
    this.cluster = cluster;
    this.lab = cluster.lab;
    this.a = cluster.primary.host;
    this.b = cluster.standby.host;
    this.inventory = this.write('inventory.yml');
  }

  /** A lab with a fresh pair in it. */
  static async open(): Promise<Trouble> {
    return new Trouble(await freshPair());
  }

  /** A lab with a pair that has been provisioned. */
  static async provisioned(options: ClusterOptions = {}): Promise<Trouble> {
    return new Trouble(await provisionedPair(options));
  }

  /** Writes an inventory of the two hosts; returns its path. */
  write(name: string, { hosts = {}, ssh, ...wishes }: Wishes = {}): string {
    return this.cluster.inventory(`${this.a.name}-${name}`, {
      ...wishes,
      ssh: { ...rootLogin(this.lab), connect_timeout: '2s', ...ssh },
      host: ({ name: host }) => hosts[host] ?? {},
    });
  }

  start(verb: string, args: readonly string[] = [], inventory = this.inventory): Run {
    return new Run([verb, '-i', inventory, ...args]);
  }

  /** Asks on a terminal, as for a person. */
  ask(inventory = this.inventory): Run {
    return new Run(['provision', '-i', inventory], {}, true);
  }

  run(verb: string, args: readonly string[] = [], inventory = this.inventory): Promise<Ended> {
    return this.start(verb, args, inventory).ended;
  }

  provision(inventory = this.inventory): Promise<Ended> {
    return this.run('provision', ['--yes'], inventory);
  }

  /** `provision --yes --json` that has to fail with this status; returns its document. */
  async fails(status: number, inventory = this.inventory): Promise<Document> {
    const ended = await this.run('provision', ['--yes', '--json'], inventory);
    const document = documentOf(ended);
    if (ended.status !== status || document.exit !== status)
      throw new Error(`exit status ${ended.status} instead of ${status}:\n${ended.stdout}\n${ended.stderr}`);
    return document;
  }

  /** What `check --json` tells; it has to end with this status. */
  async tells(status: number): Promise<readonly Reported[]> {
    const ended = await this.run('check', ['--json']);
    if (ended.status !== status)
      throw new Error(
        `check ended with ${ended.status} instead of ${status}:\n${ended.stdout}\n${ended.stderr}`,
      );
    return findingsOf(JSON.parse(ended.stdout) as CheckDocument);
  }

  /** The same command again: it has to end well, and the pair has to be whole. */
  async converges(inventory = this.inventory): Promise<Ended> {
    const ended = await this.provision(inventory);
    if (ended.status !== 0) throw new Error(`provision ended with ${ended.status}:\n${ended.stderr}`);
    await this.isWhole(this.a, this.b);
    const check = await this.run('check', [], inventory);
    if (check.status !== 0)
      throw new Error(`check ended with ${check.status}:\n${check.stdout}\n${check.stderr}`);
    return ended;
  }

  /** Proves replication and controllers: sync, switchable, a row goes over, no slot is left. */
  async isWhole(primary: Host, standby: Host): Promise<void> {
    const row = await sql(
      primary,
      "select string_agg(application_name || ' ' || host(client_addr) || ' ' || state || ' ' || sync_state, ',') from pg_stat_replication",
    );
    expectText(row, `${standby.name} ${standby.address} streaming sync`);
    for (const host of [primary, standby]) expectText(await mirroringStatus(host), 'switchable');
    expectText(await sql(primary, 'select count(*) from pg_replication_slots'), '0');
    const mark = String(Math.round(performance.now() * 1000));
    await sql(primary, `create table if not exists proof (mark text); insert into proof values ('${mark}')`);
    await until(
      () => `the row ${mark} did not reach ${standby.name}`,
      10_000,
      async () =>
        (await sql(standby, `select 1 from proof where mark = '${mark}'`)) === '1' ? true : undefined,
    );
  }
}

export function documentOf(ended: Ended): Document {
  try {
    return JSON.parse(ended.stdout) as Document;
  } catch {
    throw new Error(`no JSON document on stdout (status ${ended.status}):\n${ended.stdout}\n${ended.stderr}`);
  }
}

function expectText(found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`'${found}' instead of '${wanted}'`);
}

/** One value from the instance of a host. */
export const sql = (host: Host, query: string): Promise<string> => ask(serverOf(host), query);

/** The one word under the heading of `mc_ctl status`. */
export const mirroringStatus = (host: Host): Promise<string> => statusOf(serverOf(host));

/** Makes a host bare again: what pgduet put there is gone, packages stay. */
export async function wipe(...hosts: readonly Host[]): Promise<void> {
  await Promise.all(
    hosts.map((host) =>
      host.sh(
        `systemctl kill -s KILL mcoi_inst1 2>/dev/null; systemctl disable -q --now mcoi_inst1 2>/dev/null
pkill -9 -u postgres; while pgrep -u postgres >/dev/null; do sleep 0.02; done
find ${dataDir} ${mcDir} -mindepth 1 -delete 2>/dev/null
rm -rf ${dataDir} ${mcDir} /etc/postgresql-common/createcluster.d /var/lib/postgresql/.pgpass /etc/systemd/system/mcoi_* /usr/local/lib/pgduet /usr/local/bin/mc_ctl
sed -i /mcoi_/d /etc/services
systemctl daemon-reload; systemctl reset-failed; :`,
        { check: true },
      ),
    ),
  );
}

/** Checksum of everything below some directories: names, contents and modes. Servers below have to be stopped. */
export async function fingerprint(host: Host, ...paths: readonly string[]): Promise<string> {
  const list = paths.map((path) => `'${path}'`).join(' ');
  const answer = await host.sh(
    `find ${list} -printf '%p %m %u %s %y\\n' 2>/dev/null | sort; find ${list} -type f -exec sha256sum {} + 2>/dev/null | sort`,
  );
  return answer.stdout;
}

/** What pgduet would have made on a host; empty while nothing was done there. */
export async function traces(host: Host): Promise<string> {
  const answer = await host.sh(
    `ls -d ${dataDir}/* ${mcDir} /etc/systemd/system/mcoi_* /usr/local/lib/pgduet /usr/local/bin/mc_ctl /var/lib/postgresql/.pgpass 2>/dev/null; grep mcoi /etc/services; pgrep -u postgres -a`,
  );
  return answer.stdout.trim();
}

/** Makes a cluster of somebody else, with a row in it. */
export async function strangersCluster(
  host: Host,
  dir: string,
  port: number,
  running: boolean,
): Promise<void> {
  const server = `${bin}/pg_ctl -s -w -D ${dir} -o "-p ${port}" -l /tmp/stranger.log`;
  await host.sh(`mkdir -p ${dir} && chown postgres: ${dir} && chmod 700 ${dir}`, { check: true });
  await host.sh(
    `${bin}/initdb -N -A peer -D ${dir} >/dev/null && ${server} start && psql -q -p ${port} -d postgres -c "create table precious as select 42 as answer" ${running ? '' : `&& ${server} stop`}`,
    { user: 'postgres', check: true },
  );
}

/** The lock file of the cluster on a host can be taken at this moment. */
export async function lockIsFree(host: Host, cluster = 'inst1'): Promise<boolean> {
  const f = `/run/lock/pgduet-${cluster}.${host.name}.lock`;
  const answer = await host.sh(`[ ! -e ${f} ] || ( exec 9<${f} && flock -n 9 )`);
  return answer.status === 0;
}
