/**
 * A provisioned pair on lab hosts for the fault tests, or three servers, or a pair with an arbiter: clients, journals, the truth
 * about roles, and the way back to a whole one. In: what differs from a plain inventory. Out: facts. It must never judge what the
 * controllers do.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Host, Lab } from '../../harness/lab.ts';
import { run, sleep, until } from '../../harness/run.ts';
import {
  type ClusterOptions,
  freshPair,
  freshTrio,
  type LabCluster,
  provisionedPair,
  provisionedTrio,
} from '../../support/cluster.ts';
import { LabEtcd } from '../../support/etcd.ts';
import { lastWords, type Server, sql, untilSwitchable } from '../../support/instance.ts';
import type { YamlMap } from '../../support/inventory.ts';
import { expectExit } from '../../support/pgduet.ts';
import { Client, LocalClient } from './client.ts';

const root = process.cwd();
const whole = 60_000;

/** A line of a controller's journal. */
export interface Said {
  readonly server: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** Without the letters, for example 01013. */
  readonly number: string;
  readonly text: string;
}

/** The part of `mc_ctl status --json` that the tests look at. */
export interface Status {
  readonly mirroring_status: string;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly servers: readonly {
    server_id: string;
    host_role: string;
    db_proc_status: string;
    longest_silences_ms?: readonly number[];
  }[];
  /** Who answers a silence; null where the promise names nobody. */
  readonly register: { readonly answers: boolean } | null;
}

/** What differs from a plain pair. What only running hosts decide is done to fresh ones, which are provisioned then. */
export interface PairWish extends ClusterOptions {
  /** A second standby. */
  readonly three?: true;
  /** An etcd of so many members, each on a host of its own, decides on a silence. */
  readonly etcdMembers?: number;
  /** The promise names a register before a fault begins. */
  readonly bound?: true;
  /** How long the client of this machine tries to connect to one address. */
  readonly connectTimeoutMs?: number;
  /** Done on each host before it is provisioned; a power cycle may undo it. */
  readonly live?: (host: Host) => Promise<unknown>;
  readonly multiplexingOf?: (hosts: readonly Host[]) => YamlMap;
}

const client = { user: 'app', password: 'app-Secret-1', database: 'app' };

const plain: ClusterOptions = {
  postgres: {
    settings: { max_connections: 40, shared_buffers: '128MB' },
    hba: [{ type: 'host', database: 'app', user: 'app', address: '10.0.0.0/8', method: 'scram-sha-256' }],
  },
  sql: [
    ['postgres', `CREATE ROLE app LOGIN PASSWORD '${client.password}'`],
    ['postgres', 'CREATE DATABASE app OWNER app'],
    ['app', 'CREATE TABLE written (who text, id bigint); GRANT ALL ON written TO app'],
  ],
};

export class FaultPair {
  readonly lab: Lab;
  readonly cluster: LabCluster;
  readonly servers: readonly [Server, Server, ...Server[]];
  /** The members of an etcd, where one decides. */
  readonly members: readonly Host[];
  readonly #program: string;
  readonly #wish: PairWish;
  #runs = 0;

  private constructor(cluster: LabCluster, members: readonly Host[], program: string, wish: PairWish) {
    this.lab = cluster.lab;
    this.cluster = cluster;
    this.servers = [cluster.primary, cluster.standby, ...cluster.standbys.slice(1)];
    this.members = members;
    this.#program = program;
    this.#wish = wish;
  }

  static async open(wish: PairWish = {}): Promise<FaultPair> {
    const { live, multiplexingOf, three, etcdMembers = 0, ...differs } = wish;
    const options = { ...plain, ...differs, postgres: { ...plain.postgres, ...differs.postgres } };
    const isPrepared = live === undefined && multiplexingOf === undefined && etcdMembers === 0;
    const [provisioned, fresh] = three ? [provisionedTrio, freshTrio] : [provisionedPair, freshPair];
    const cluster = await (isPrepared ? provisioned(options) : fresh(options));
    try {
      const names = Array.from({ length: etcdMembers }, (_, at) => `etcd${at + 1}`);
      const members = etcdMembers > 0 ? await cluster.lab.hosts(etcdMembers, { names }) : [];
      if (!isPrepared) {
        await Promise.all(cluster.hosts.map((host) => live?.(host)));
        const multiplexing = multiplexingOf?.(cluster.hosts);
        const etcd = etcdMembers > 0 ? (await LabEtcd.started(cluster.lab, members)).declared : undefined;
        const file = cluster.inventory('live.yml', {
          ...options,
          ...(multiplexing ? { multiplexing } : {}),
          ...(etcd ? { etcd } : {}),
        });
        expectExit(await cluster.command(['provision', '-i', file, '--yes']), 0);
        for (const [database, text] of options.sql ?? []) await sql(cluster.primary, text, database);
      }
      return new FaultPair(cluster, members, await bundledClient(cluster.lab.dir), wish);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  /** The host of the arbiter, where the pair has one. */
  get arbiter(): Host {
    const { arbiter } = this.cluster;
    if (!arbiter) throw new Error('there is no arbiter');
    return arbiter;
  }

  /** The client of this machine, through all addresses. */
  client(): Client {
    this.#runs += 1;
    const hosts = this.servers.map(({ address }) => address);
    const { connectTimeoutMs } = this.#wish;
    return new Client(this.#program, {
      hosts,
      port: this.servers[0].port,
      ...client,
      who: `run ${this.#runs}`,
      everyMs: 2,
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    });
  }

  /** One client on each server. They are slow, because they share the processors with what is measured. */
  localClients(): Promise<LocalClient[]> {
    const who = (id: string): string => `run-${this.#runs}-${id}`;
    const socket = { hosts: ['/var/run/postgresql'], user: 'postgres', database: 'app', everyMs: 25 };
    return Promise.all(
      this.servers.map(({ host, id, port }) =>
        LocalClient.start(host, this.#program, { ...socket, port, who: who(id) }),
      ),
    );
  }

  /** Whether the server's instance takes writes; null when it does not answer. */
  async takesWrites(server: Server): Promise<boolean | null> {
    if (!server.host.running) return null;
    const answer = await sql(server, 'SELECT pg_is_in_recovery()').catch(() => null);
    return answer === null ? null : answer === 'f';
  }

  /** The primary and its first standby as they really are; throws when there is not exactly one primary. */
  async roles(): Promise<{ primary: Server; standby: Server }> {
    const writes = await Promise.all(this.servers.map((server) => this.takesWrites(server)));
    const [primary, ...more] = this.servers.filter((_, index) => writes[index] === true);
    const [standby] = this.servers.filter((server) => server !== primary);
    if (primary && standby && more.length === 0) return { primary, standby };
    const said = this.servers.map(({ id }, index) => `${id} takes writes: ${writes[index]}`);
    throw new Error(`no single primary: ${said.join(', ')}`);
  }

  /** Those that are not the primary, in the order of the inventory. */
  standbysOf(primary: Server): Server[] {
    return this.servers.filter((server) => server !== primary);
  }

  async mcCtl(
    server: Server,
    ...words: string[]
  ): Promise<{ status: number; stdout: string; stderr: string }> {
    const command = `mc_ctl ${words.join(' ')} -M ${server.managementDir} --local-server ${server.id}`;
    return server.host.sh(command, { user: 'postgres' });
  }

  async status(server: Server): Promise<Status | null> {
    const { stdout } = await this.mcCtl(server, 'status', '--json');
    try {
      return JSON.parse(stdout) as Status;
    } catch {
      return null;
    }
  }

  async untilSwitchable(): Promise<void> {
    for (const server of this.servers) await untilSwitchable(server);
    if (this.#wish.bound) await Promise.all(this.servers.map((server) => this.#untilBound(server)));
  }

  /** The promise names a register, and that answers. */
  async #untilBound(server: Server): Promise<void> {
    await until(
      async () => `${server.id} knows no register that answers${await lastWords(server)}`,
      whole,
      async () => ((await this.status(server))?.register?.answers ? true : undefined),
    );
  }

  /** What the controllers have said since, in the order of time. */
  async said(sinceMs: number): Promise<Said[]> {
    const all = await Promise.all(this.servers.map((server) => journalOf(server, sinceMs)));
    return all.flat().sort((one, other) => one.at - other.at);
  }

  /** Brings the pair back from whatever a fault has left: the primary that is there stays, the others follow it. */
  async makeWhole(): Promise<void> {
    await Promise.all(this.cluster.hosts.map((host) => host.powerOn()));
    const primary = await this.#survivor();
    await Promise.all(this.standbysOf(primary).map((other) => this.#comesBack(other, primary)));
    await this.untilSwitchable();
  }

  async #comesBack(other: Server, primary: Server): Promise<void> {
    const standby = await other.host.sh(`test -e ${other.dataDir}/standby.signal`);
    const active = await other.host.sh(`systemctl is-active ${other.unit}`);
    if (standby.status !== 0) await this.rebuild(other, primary);
    else if (active.stdout.trim() !== 'active') await other.host.sh(`systemctl restart ${other.unit}`);
    else if ((await this.takesWrites(other)) === null) await this.mcCtl(other, 'start');
  }

  /** Makes a server a standby of the primary anew. */
  rebuild(server: Server, primary: Server): Promise<void> {
    const entry = this.#wish.host?.(primary.host, this.servers.indexOf(primary));
    return rebuild(server, primary, String(entry?.log_transfer_address ?? primary.address));
  }

  /** The primary in charge: of several, the one on the highest timeline; the others are stopped. */
  async #survivor(): Promise<Server> {
    return until(
      () => 'no server takes writes',
      whole,
      async () => {
        const writes = await Promise.all(this.servers.map((it) => this.takesWrites(it)));
        const [only, ...more] = this.servers.filter((_, index) => writes[index] === true);
        if (!only || more.length === 0) return only;
        const line = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int";
        const ends = await Promise.all(
          [only, ...more].map(async (server) => ({ server, timeline: Number(await sql(server, line)) })),
        );
        return ends.sort((one, other) => other.timeline - one.timeline)[0]?.server;
      },
      200,
    );
  }
}

/** Makes a server a standby of the primary, by a new copy over that address. Own files stay; nothing of the old data does. */
async function rebuild(server: Server, primary: Server, from: string): Promise<void> {
  const { host, dataDir, unit } = server;
  const keep = `${dataDir}.conf`;
  await host.sh(
    `set -e
systemctl stop ${unit}
rm -rf ${keep}; install -d -o postgres -m 700 ${keep}
cp -p ${dataDir}/postgresql.conf ${dataDir}/pg_hba.conf ${dataDir}/pg_ident.conf ${keep}/
wal=$(readlink ${dataDir}/pg_wal || true)
[ -z "$wal" ] || find "$wal" -mindepth 1 -delete
find ${dataDir} -mindepth 1 -delete
runuser -u postgres -- pg_basebackup -D ${dataDir} -h ${from} -p ${primary.port} -U pgduet_repl -w -c fast -X stream \${wal:+--waldir="$wal"}
cp -p ${keep}/* ${dataDir}/
# A server that was promoted has it commented out.
sed -i -E "s/^#(primary_conninfo)/\\1/; /^primary_conninfo/s/host=[^ ']+/host=${from}/" ${dataDir}/postgresql.conf
runuser -u postgres -- touch ${dataDir}/standby.signal
rm -rf ${keep}
systemctl start ${unit}`,
    { check: true },
  );
}

async function journalOf({ host, id, unit }: Server, sinceMs: number): Promise<Said[]> {
  const words = `-q -u ${unit} -o short-unix --since=@${Math.floor(sinceMs / 1000)}`;
  const text = host.running
    ? (await host.sh(`journalctl --sync; journalctl ${words}`)).stdout
    : (await run('journalctl', [`--directory=${host.disk}/var/log/journal`, ...words.split(' ')])).stdout;
  return text.split('\n').flatMap((line) => {
    const found = /^(\d+\.\d+) .*?: (?:[A-Z]+): (.*) \(MCA(\d+)\)$/.exec(line);
    const at = Number(found?.[1]) * 1000;
    return found && at >= sinceMs ? [{ server: id, at, number: found[3] ?? '', text: found[2] ?? '' }] : [];
  });
}

/** The client program with its library in one file, so that it runs on a host, too. */
export async function bundledClient(dir: string): Promise<string> {
  const outfile = join(dir, 'client.mjs');
  if (existsSync(outfile)) return outfile;
  await build({
    entryPoints: [join(root, 'test/lab/faults/support/client.mjs')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    logLevel: 'error',
    external: ['pg-native'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}

export { sleep };
