/**
 * A lab: some fresh hosts on a private network of this machine, for as long as a test needs them.
 * In: how many hosts, of which image. Out: the hosts, a key that opens them, and their host keys.
 * It must never leave anything behind: closing removes all of it, and opening removes what a lab
 * left whose process has died.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Addresses } from './addresses.ts';
import { labCgroup } from './cgroup.ts';
import { claimLab, type DiskKind, removeLab } from './claim.ts';
import type { ImageName } from './definition.ts';
import { Disks, type StoredDisks } from './disk.ts';
import { Host } from './host.ts';
import { ensureImages, layerDirs, timeLibrary } from './image.ts';
import { furnish, type Keys, makeKeys } from './keys.ts';
import { createBridge, createCables } from './network.ts';
import { type HostPlace, hostPlace, type LabPlace } from './places.ts';

export { DEPLOY_PASSWORD, type ImageName } from './definition.ts';
export { Host } from './host.ts';
export { ensureImages } from './image.ts';
export { labObstacle } from './machine.ts';

export interface LabOptions {
  disk?: DiskKind;
}

export interface HostsOptions {
  image?: ImageName;
  /** Host names; `h1`, `h2` … when not given. */
  names?: readonly string[];
}

/** One host before it is started. */
export interface HostSpec {
  readonly name: string;
  readonly image: ImageName;
  /** What its disks hold above the image. */
  readonly above?: StoredDisks;
  /** Done to its disks before each first start; `addresses` are those of all hosts that are started together. */
  readonly settle?: (host: Host, addresses: Addresses) => void;
}

/** An array type of exactly N hosts, so that `const [a, b] = await lab.hosts(2)` is known to be full. */
export type Hosts<N extends number, Found extends Host[] = []> = number extends N
  ? Host[]
  : Found['length'] extends N
    ? Found
    : Hosts<N, [...Found, Host]>;

export class Lab {
  /** Those of this process that nobody has closed yet. */
  static readonly #open = new Set<Lab>();
  /** Private directory of this lab; it goes when the lab is closed. */
  readonly dir: string;
  /** Path of the private key that root, deploy and ops of every host accept. */
  readonly key: string;
  /** The public key as one line of text. */
  readonly keyPub: string;
  /** Path of a known_hosts file with the true keys of all hosts. */
  readonly knownHosts: string;
  readonly #place: LabPlace;
  readonly #hosts: { readonly host: Host; readonly settle: () => Promise<string> }[] = [];
  #count = 0;

  private constructor(place: LabPlace, keys: Keys) {
    this.#place = place;
    this.dir = place.dir;
    this.key = keys.path;
    this.keyPub = keys.publicLine;
    this.knownHosts = keys.knownHosts;
    Lab.#open.add(this);
  }

  static async open(options: LabOptions = {}): Promise<Lab> {
    const place = await claimLab(options.disk ?? 'fast');
    try {
      const [keys] = await Promise.all([makeKeys(place.dir), createBridge(place)]);
      return new Lab(place, keys);
    } catch (error) {
      await removeLab(place);
      throw error;
    }
  }

  /** Starts fresh hosts, all at once, and returns them when ssh answers on each. */
  async hosts<N extends number>(count: N, options: HostsOptions = {}): Promise<Hosts<N>> {
    const { image = 'debian12', names = [] } = options;
    const first = this.#count + 1;
    const specs = Array.from({ length: count }, (_, at) => ({ name: names[at] ?? `h${first + at}`, image }));
    return (await this.start(specs)) as Hosts<N>;
  }

  /** Starts hosts whose disks hold what is said of each, all at once; ssh answers on each. */
  async start(specs: readonly HostSpec[]): Promise<Host[]> {
    const places = specs.map(() => hostPlace(this.#place, ++this.#count));
    await ensureImages([...new Set(specs.map(({ image }) => image))]);
    await createCables(this.#place, places);
    const addresses = this.addressesOf(places);
    return Promise.all(places.map((place, at) => this.#start(place, specs[at] as HostSpec, addresses)));
  }

  /** Installs a host anew, at the same address, and starts it; returns its new host key, which no known_hosts file has yet. It cannot be reset behind that. */
  async reinstall(host: Host): Promise<string> {
    await host.wipe();
    const keyFile = join(this.dir, `${host.name}-${randomBytes(4).toString('hex')}`);
    const key = await furnish(host.disk, host.name, this.keyPub, keyFile);
    await host.powerOn();
    return key;
  }

  /** Makes all hosts what they were when they were started: power off, the disks and the network of then, power on. */
  async reset(): Promise<void> {
    await Promise.all(
      this.#hosts.map(async ({ host, settle }) => {
        await host.renew();
        await settle();
        await host.powerOn();
      }),
    );
  }

  /** What hosts of this lab may know of their network. */
  addressesOf(hosts: readonly Pick<Host, 'address' | 'address6'>[]): Addresses {
    const { subnet, gateway, gateway6 } = this.#place;
    return {
      subnet,
      all: [gateway, gateway6, ...hosts.flatMap(({ address, address6 }) => [address, address6])],
    };
  }

  async #start(place: HostPlace, spec: HostSpec, addresses: Addresses): Promise<Host> {
    const { name, image, above } = spec;
    mkdirSync(place.dir);
    const disks = await Disks.mount(place.dir, { image: layerDirs(image), above });
    const cgroup = join(labCgroup(this.#place.id), String(place.index));
    const host = new Host(name, place, disks, cgroup, timeLibrary(image));
    const settle = async (): Promise<string> => {
      spec.settle?.(host, addresses);
      return furnish(host.disk, name, this.keyPub, join(place.dir, 'host_key'));
    };
    appendFileSync(this.knownHosts, `${name},${place.address},${place.address6} ${await settle()}\n`);
    this.#hosts.push({ host, settle });
    await host.powerOn();
    return host;
  }

  /** Switches every host off and removes all of the lab; a second call does nothing. */
  async close(): Promise<void> {
    Lab.#open.delete(this);
    await Promise.all(this.#hosts.splice(0).map(({ host }) => host.powerOff()));
    await removeLab(this.#place);
  }

  /** What a test file has left open when it ends badly; its process goes on with the next file. */
  static async closeAll(): Promise<void> {
    await Promise.all([...Lab.#open].map((lab) => lab.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
