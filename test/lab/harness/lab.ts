/**
 * A lab: some fresh hosts on a private network of this machine, for as long as a test needs them.
 * In: how many hosts, of which image. Out: the hosts, a key that opens them, and their host keys.
 * It must never leave anything behind: closing removes all of it, and opening removes what a lab
 * left whose process has died.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { labCgroup } from './cgroup.ts';
import { claimLab, type DiskKind, removeLab } from './claim.ts';
import type { ImageName } from './definition.ts';
import { mountRoot } from './disk.ts';
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

/** An array type of exactly N hosts, so that `const [a, b] = await lab.hosts(2)` is known to be full. */
export type Hosts<N extends number, Found extends Host[] = []> = number extends N
  ? Host[]
  : Found['length'] extends N
    ? Found
    : Hosts<N, [...Found, Host]>;

export class Lab {
  /** Private directory of this lab; it goes when the lab is closed. */
  readonly dir: string;
  /** Path of the private key that root, deploy and ops of every host accept. */
  readonly key: string;
  /** The public key as one line of text. */
  readonly keyPub: string;
  /** Path of a known_hosts file with the true keys of all hosts. */
  readonly knownHosts: string;
  readonly #place: LabPlace;
  readonly #hosts: Host[] = [];
  #count = 0;

  private constructor(place: LabPlace, keys: Keys) {
    this.#place = place;
    this.dir = place.dir;
    this.key = keys.path;
    this.keyPub = keys.publicLine;
    this.knownHosts = keys.knownHosts;
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
    const image = options.image ?? 'debian12';
    await ensureImages([image]);
    const places = Array.from({ length: count }, () => hostPlace(this.#place, ++this.#count));
    await createCables(this.#place, places);
    const started = places.map((place, at) =>
      this.#start(place, image, options.names?.[at] ?? `h${place.index}`),
    );
    return (await Promise.all(started)) as Hosts<N>;
  }

  async #start(place: HostPlace, image: ImageName, name: string): Promise<Host> {
    const root = await mountRoot(place.dir, layerDirs(image));
    const hostKey = await furnish(root.root, name, this.keyPub);
    appendFileSync(this.knownHosts, `${name},${place.address},${place.address6} ${hostKey}\n`);
    const cgroup = join(labCgroup(this.#place.id), String(place.index));
    const host = new Host(name, place, root, cgroup, timeLibrary(image));
    this.#hosts.push(host);
    await host.powerOn();
    return host;
  }

  /** Switches every host off and removes all of the lab; a second call does nothing. */
  async close(): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((host) => host.powerOff()));
    await removeLab(this.#place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
