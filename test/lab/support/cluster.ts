/**
 * A cluster on lab hosts in a state that a test names: fresh hosts, or a provisioned pair or trio that has been made
 * before and boots in two seconds. In: what differs from a plain inventory. Out: the servers, their inventory, and pgduet
 * in the hands of its operator. It must never judge what pgduet does.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Host, type ImageName, Lab, type LabOptions } from '../harness/lab.ts';
import { prepared, type Recipe } from '../harness/prepared.ts';
import { type Server, serverOf, sql, untilSwitchable } from './instance.ts';
import { type InventoryWish, inventory, inventoryText } from './inventory.ts';
import type { Cluster } from './multiplexed.ts';
import {
  built,
  type CheckDocument,
  expectExit,
  type Pgduet,
  pgduet,
  programText,
  type Said,
} from './pgduet.ts';

/** All of it is data, so that what has been made from the same options can be used again. */
export interface ClusterOptions extends InventoryWish {
  /** Where the disks of the hosts are. */
  readonly storage?: LabOptions['disk'];
  /** Sizes in MiB of small disks that each host has, by mountpoint. */
  readonly disks?: Readonly<Record<string, number>>;
  /** Shell that each host runs as root before it is provisioned. */
  readonly prepare?: string;
  /** What the primary is reported once it is provisioned: a database and SQL, in this order. */
  readonly sql?: readonly (readonly [database: string, text: string])[];
  /** In place of the image that has this version of PostgreSQL. */
  readonly image?: ImageName;
  /** One host more, without an instance: the arbiter, which decides where the options name no policy. */
  readonly arbiter?: true;
}

const arbiterName = 'arb1';

export class LabCluster implements Cluster {
  readonly lab: Lab;
  /** In the order of the inventory, an arbiter at the end. */
  readonly hosts: readonly Host[];
  readonly servers: readonly Server[];
  readonly arbiter: Host | undefined;
  /** Path of the inventory. */
  readonly file: string;
  readonly version: number;
  readonly command: Pgduet;

  constructor(lab: Lab, hosts: readonly Host[], options: ClusterOptions) {
    this.lab = lab;
    this.hosts = hosts;
    this.arbiter = options.arbiter ? hosts.find(({ name }) => name === arbiterName) : undefined;
    this.servers = hosts.filter((host) => host !== this.arbiter).map((host) => serverOf(host));
    this.file = inventory(lab, hosts, wishOf(options));
    this.version = versionOf(options);
    this.command = pgduet(lab);
  }

  /** The preferred primary. */
  get primary(): Server {
    return this.#server(0);
  }

  /** The first of the standbys. */
  get standby(): Server {
    return this.#server(1);
  }

  get standbys(): readonly Server[] {
    return this.servers.slice(1);
  }

  /** Any verb, for this inventory. */
  run(verb: string, ...more: string[]): Promise<Said> {
    return this.command([verb, '-i', this.file, ...more]);
  }

  provision(...more: string[]): Promise<Said> {
    return this.run('provision', '--yes', ...more);
  }

  async check(...more: string[]): Promise<CheckDocument> {
    return (await this.run('check', '--json', ...more)).json<CheckDocument>();
  }

  /** Another inventory of the same hosts; returns its path. */
  inventory(name: string, options: ClusterOptions): string {
    return inventory(this.lab, this.hosts, { ...wishOf(options), name });
  }

  /** The same hosts, and perhaps more of them, as another inventory declares them. */
  declared(name: string, options: InventoryWish = {}, more: readonly Host[] = []): LabCluster {
    return new LabCluster(this.lab, [...this.hosts, ...more], { version: this.version, ...options, name });
  }

  async untilSwitchable(): Promise<void> {
    await Promise.all(this.servers.map(untilSwitchable));
  }

  /** The state of the beginning, for a test that must not meet what the one before has left; of a provisioned one. */
  async reset(): Promise<void> {
    await this.lab.reset();
    await this.untilSwitchable();
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #server(index: number): Server {
    const server = this.servers[index];
    if (server === undefined) throw new Error(`the cluster has no server ${index + 1}`);
    return server;
  }
}

/** An inventory with an arbiter: its host has that role, and no policy answers in its place. */
function wishOf(options: ClusterOptions): InventoryWish {
  if (!options.arbiter) return options;
  const { host: entry, multiplexing } = options;
  return {
    ...options,
    multiplexing: { on_heartbeat_loss: undefined, ...multiplexing },
    host: (host, index) => ({
      ...entry?.(host, index),
      ...(host.name === arbiterName ? { role: 'arbiter' } : {}),
    }),
  };
}

/** Two hosts with their packages, to which nothing was done. */
export const freshPair = (options: ClusterOptions = {}): Promise<LabCluster> => fresh(2, options);

/** Primary and standby, `switchable` for both controllers, after a power cycle of both hosts. */
export const provisionedPair = (options: ClusterOptions = {}): Promise<LabCluster> => provisioned(2, options);

/** A primary and two standbys, `switchable` for all controllers, after a power cycle of all hosts. */
export const provisionedTrio = (options: ClusterOptions = {}): Promise<LabCluster> => provisioned(3, options);

/** Three hosts with their packages, to which nothing was done. */
export const freshTrio = (options: ClusterOptions = {}): Promise<LabCluster> => fresh(3, options);

async function fresh(count: number, options: ClusterOptions): Promise<LabCluster> {
  built();
  return opened(options, async (lab) => {
    const names = namesOf(count, options);
    const hosts = await lab.hosts(names.length, { image: imageOf(options), names });
    await prepareHosts(hosts, options);
    return new LabCluster(lab, hosts, options);
  });
}

async function provisioned(count: number, options: ClusterOptions): Promise<LabCluster> {
  built();
  return opened(options, async (lab) => {
    const { hosts } = await prepared(lab, recipe(count, options));
    const cluster = new LabCluster(lab, hosts, options);
    await cluster.untilSwitchable();
    return cluster;
  });
}

async function opened(
  { storage = 'fast' }: ClusterOptions,
  begin: (lab: Lab) => Promise<LabCluster>,
): Promise<LabCluster> {
  const lab = await Lab.open({ disk: storage });
  try {
    return await begin(lab);
  } catch (error) {
    await lab.close();
    throw error;
  }
}

function recipe(count: number, options: ClusterOptions): Recipe {
  const names = namesOf(count, options);
  const nobody = { key: 'key', knownHosts: 'known_hosts' };
  const somewhere = names.map((name) => ({ name, address: `${name}.4`, address6: `${name}.6` }));
  const { disks = {}, prepare = '', sql: statements = [] } = options;
  return {
    name: `${count === 2 ? 'pair' : 'trio'}${options.arbiter ? '-arbiter' : ''}-${versionOf(options)}`,
    image: imageOf(options),
    hosts: names,
    ingredients: [
      programText(),
      inventoryText(nobody, somewhere, wishOf(options)),
      JSON.stringify([disks, prepare, statements]),
      readFileSync(fileURLToPath(import.meta.url), 'utf8'),
    ],
    async make(lab, hosts) {
      await prepareHosts(hosts, options);
      const cluster = new LabCluster(lab, hosts, options);
      expectExit(await cluster.provision(), 0);
      for (const [database, text] of statements) await sql(cluster.primary, text, database);
    },
  };
}

const namesOf = (count: number, { arbiter }: ClusterOptions): string[] => [
  ...Array.from({ length: count }, (_, at) => `server${at + 1}`),
  ...(arbiter ? [arbiterName] : []),
];

const versionOf = ({ version = 15 }: ClusterOptions): number => version;

const imageOf = (options: ClusterOptions): ImageName =>
  options.image ?? (versionOf(options) === 15 ? 'debian12' : 'debian13');

async function prepareHosts(
  hosts: readonly Host[],
  { disks = {}, prepare = ':' }: ClusterOptions,
): Promise<void> {
  for (const [mountpoint, sizeMiB] of Object.entries(disks))
    await Promise.all(hosts.map((host) => host.smallDisk(mountpoint, sizeMiB)));
  await Promise.all(hosts.map((host) => host.sh(prepare, { check: true })));
}
