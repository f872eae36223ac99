/**
 * One host of a lab, as a test handles it: its addresses, its power, its cable, its disks.
 * In: what to do to it. Out: what it says. It must never act on another host, and commands given
 * to `sh` do not travel over the network, so they work while the cable is out.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { countBoot } from './boots.ts';
import { createCgroup, freezeCgroup, killCgroup, removeCgroup } from './cgroup.ts';
import { type Changes, type ChangesOptions, changesIn, type Tree } from './changes.ts';
import { CLOCK_ENVIRONMENT, resetClock, shiftClock } from './clock.ts';
import { type Container, type ContainerSpec, leaderOf, startContainer, waitForSsh } from './container.ts';
import type { Disks, StoredDisks } from './disk.ts';
import { lossCounts, renewCable, setCable, setLoss, setOneWayLoss } from './network.ts';
import type { HostPlace } from './places.ts';
import { type RunResult, run, until } from './run.ts';

const BOOT_TIMEOUT_MS = 30_000;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Shell: what is asked of systemd where that runs, else of System V init. */
const asked = (systemd: string, sysv: string): string =>
  `if [ -d /run/systemd/system ]; then ${systemd}; else ${sysv}; fi`;

export interface ShellOptions {
  /** Throw when the status is not 0. */
  check?: boolean;
  input?: string;
  timeoutMs?: number;
  /** Run as this user of the host; root when not given. */
  user?: string;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly address6: string;
  /** The host's root directory as this machine sees it. */
  readonly disk: string;
  /** How often the host has been started; a test compares it to know that a reboot has happened. */
  boots = 0;
  readonly #disks: Disks;
  readonly #place: HostPlace;
  readonly #cgroup: string;
  readonly #timeLibrary: string;
  #container: Container | undefined;
  #frozen = false;
  #shifted = false;
  #closed = false;

  constructor(name: string, place: HostPlace, disks: Disks, cgroup: string, timeLibrary: string) {
    this.name = name;
    this.address = place.address;
    this.address6 = place.address6;
    this.disk = disks.root;
    this.#disks = disks;
    this.#place = place;
    this.#cgroup = cgroup;
    this.#timeLibrary = timeLibrary;
  }

  get running(): boolean {
    return this.#container !== undefined;
  }

  /** Switches the host on and waits until sshd answers. */
  async powerOn(): Promise<void> {
    if (!this.running) this.#boot();
    await this.untilUp();
  }

  /** Pulls the plug: every process ends at once. What was written to the disk stays. */
  async powerOff(): Promise<void> {
    const container = this.#container;
    this.#closed = true;
    await this.#thawGroups();
    await killCgroup(this.#cgroup);
    await container?.ended;
    removeCgroup(this.#cgroup);
    this.#container = undefined;
    this.#closed = false;
  }

  /** Pulls the plug, and makes disks and network what they were at the first start. */
  async renew(): Promise<void> {
    await this.powerOff();
    await this.#disks.renew();
    await renewCable(this.#place);
  }

  /** Pulls the plug, and leaves nothing on its disks but the image. */
  async wipe(): Promise<void> {
    await this.powerOff();
    await this.#disks.wipe();
  }

  /** Switches it off for good, and moves what it has written to a directory that other hosts can begin with. */
  async store(dir: string): Promise<StoredDisks> {
    await this.powerOff();
    return this.#disks.moveTo(dir);
  }

  /** Shuts down in order, as `systemctl poweroff` or `shutdown -h` does, and waits for the end. */
  async shutdown(): Promise<void> {
    const container = this.#container;
    await this.sh(asked('systemctl --no-block poweroff', 'shutdown -h -P now'));
    await container?.ended;
    await until(
      () => `host ${this.name} is still on`,
      10_000,
      () => (this.running ? undefined : true),
    );
  }

  /** Reboots in order and waits until sshd answers again. */
  async reboot(): Promise<void> {
    const boots = this.boots;
    await this.sh(asked('systemctl --no-block reboot', 'shutdown -r now'));
    await this.untilBoots(boots + 1);
  }

  /** Waits until the host has been started so many times and is up; for a reboot asked over ssh. */
  async untilBoots(boots: number): Promise<void> {
    await until(
      () => `host ${this.name} has not been started ${boots} times, but ${this.boots}`,
      BOOT_TIMEOUT_MS,
      () => (this.boots >= boots ? true : undefined),
    );
    await this.untilUp();
  }

  /** Waits until the start is over: sshd answers and systemd has finished its jobs. */
  async untilUp(): Promise<void> {
    await waitForSsh(this.#spec(), BOOT_TIMEOUT_MS);
    // Ordinary users may log in only after this file is gone.
    await this.sh('while [ -e /run/nologin ]; do sleep 0.02; done');
  }

  /** Runs a shell script inside as root, without the network. */
  async sh(script: string, options: ShellOptions = {}): Promise<RunResult> {
    const leader = await this.#leader();
    // A login gives the user's own HOME and PATH, as it has them over ssh.
    const login = (user: string) => ['runuser', '--login', user, '--shell=/bin/sh', '-c', script];
    const words = options.user === undefined ? ['sh', '-c', script] : login(options.user);
    const clock = this.#shifted ? CLOCK_ENVIRONMENT : [];
    const inside = ['env', '-i', PATH, 'HOME=/root', 'LANG=C.UTF-8', ...clock, ...words];
    // What a script leaves running belongs to the host, unless the host stands still.
    const enter = this.#frozen ? ':' : `echo $$ > '${this.#shellGroup()}/cgroup.procs'`;
    const args = ['-c', `${enter}; exec nsenter -t ${leader} -m -u -i -n -p -C -- "$@"`, 'sh', ...inside];
    const result = await run('sh', args, { timeoutMs: 60_000, ...options, check: false });
    if (options.check && result.status !== 0) {
      const said = `${result.stdout}${result.stderr}`.trim();
      throw new Error(`on ${this.name}, status ${result.status} from: ${script}\n${said}`);
    }
    return result;
  }

  /** The journal of the host, or of one unit; also of a host that is switched off. */
  async journal(unit?: string): Promise<string> {
    const args = ['--no-pager', '--output=short-precise', ...(unit === undefined ? [] : [`--unit=${unit}`])];
    if (this.running) {
      // A frozen journal daemon would never answer.
      if (!this.#frozen) await this.sh('journalctl --sync');
      return (await this.sh(`journalctl ${args.join(' ')}`)).stdout;
    }
    const from = `--directory=${join(this.disk, 'var/log/journal')}`;
    return (await run('journalctl', [from, ...args], { check: true })).stdout;
  }

  /**
   * What on its disks differs from its image; also of a host that is off.
   * Of one that runs, what it keeps in memory (/run, /tmp, /dev/shm) is all new.
   */
  changes(options: ChangesOptions = {}): Changes {
    return changesIn([...this.#disks.trees(), ...this.#memory()], options);
  }

  /** Where this machine finds a path of the host, also on a small disk. */
  at(path: string): string {
    return this.#disks.at(path);
  }

  /** File systems of the running host that are on no disk, as this machine can read them. */
  #memory(): Tree[] {
    const leader = this.#container && leaderOf(this.#container);
    if (leader === undefined) return [];
    const root = `/proc/${leader}/root`;
    const places = ['/run', '/run/lock', '/tmp', '/dev/shm'].map((at) => ({ at, now: `${root}${at}` }));
    return places.filter(({ now }) => statSync(now).dev !== statSync(root).dev);
  }

  /** Unplugs the network cable; addresses and connections stay, packets do not arrive. */
  async cut(): Promise<void> {
    await setCable(this.#place, false);
  }

  async heal(): Promise<void> {
    await setCable(this.#place, true);
  }

  /** Packets from this host to the other one are lost; the other direction still works. */
  async cutFrom(other: Host): Promise<void> {
    await setOneWayLoss(this.#place, other.#place, true);
  }

  async healTo(other: Host): Promise<void> {
    await setOneWayLoss(this.#place, other.#place, false);
  }

  /** This share of the packets that come to this host is lost, at random, until it is 0 or the host starts anew. */
  async lose(share: number): Promise<void> {
    await setLoss(this.#place, share);
  }

  lossCounts(): ReturnType<typeof lossCounts> {
    return lossCounts(this.#place);
  }

  /** Stops every process of the host; its kernel still accepts connections, as a stuck host's does. */
  async freeze(): Promise<void> {
    await freezeCgroup(join(this.#cgroup, 'payload'), true);
    await freezeCgroup(this.#shellGroup(), true);
    this.#frozen = true;
  }

  async thaw(): Promise<void> {
    await this.#thawGroups();
  }

  /** Mounts a new ext4 filesystem of that size; it is there again after a reboot. */
  async smallDisk(mountpoint: string, sizeMiB: number): Promise<void> {
    const { device } = await this.#disks.add(mountpoint, sizeMiB);
    const [major, minor] = (await run('stat', ['-c', '%Hr %Lr', device])).stdout.trim().split(' ');
    const node = `/dev/${device.split('/').at(-1)}`;
    const make = `mknod ${node} b ${major} ${minor} && mkdir -p '${mountpoint}'`;
    await this.sh(`${make} && mount -t ext4 ${node} '${mountpoint}'`, { check: true });
  }

  /** Fills a small disk to its last block; `freeDisk` gives the room back. */
  async fillDisk(mountpoint: string): Promise<void> {
    if (!this.#disks.small.some((disk) => disk.mountpoint === mountpoint)) {
      throw new Error(`${mountpoint} is not a small disk of ${this.name}; only such a one may be filled`);
    }
    // dd ends with an error exactly when the disk is full, which is what is wanted here.
    const fill = (options: string) =>
      `dd if=/dev/zero of='${mountpoint}/.filler' ${options}; sync -f '${mountpoint}'`;
    await this.sh(`${fill('bs=1M')}; ${fill('bs=1k oflag=append conv=notrunc')}`);
  }

  async freeDisk(mountpoint: string): Promise<void> {
    await this.sh(`rm -f '${mountpoint}/.filler'; sync -f '${mountpoint}'`, { check: true });
  }

  /**
   * Makes the host's clock wrong by so many seconds, for programs started from now on: ssh sessions,
   * units, PostgreSQL, Node. Those follow a later change within a second. A reboot makes it right.
   */
  async setClockOffset(seconds: number): Promise<void> {
    shiftClock(this.disk, this.#timeLibrary, seconds);
    // Also of a host that stands still: what follows the offset finds the new one.
    if (this.#shifted) return;
    this.#shifted = true;
    await this.sh(`systemctl set-environment ${CLOCK_ENVIRONMENT.join(' ')}`, { check: true });
    // sshd hands its own process image to each session, so it has to load the library itself.
    await this.sh('systemctl try-restart ssh', { check: true });
  }

  #boot(): void {
    resetClock(this.disk);
    this.#shifted = false;
    createCgroup(this.#cgroup);
    createCgroup(this.#shellGroup());
    const container = startContainer(this.#spec());
    this.#container = container;
    this.#frozen = false;
    this.boots += 1;
    countBoot(this.name);
    container.ended.then((again) => {
      if (this.#closed || this.#container !== container) return;
      this.#container = undefined;
      if (again) this.#boot();
    });
  }

  #spec(): ContainerSpec {
    const { name, disk } = this;
    return { place: this.#place, name, root: disk, cgroup: this.#cgroup, disks: this.#disks.small };
  }

  #shellGroup(): string {
    return join(this.#cgroup, 'shell');
  }

  async #thawGroups(): Promise<void> {
    await freezeCgroup(join(this.#cgroup, 'payload'), false);
    await freezeCgroup(this.#shellGroup(), false);
    this.#frozen = false;
  }

  #leader(): Promise<number> {
    return until(
      () => `host ${this.name} is not running`,
      this.running ? 5_000 : 0,
      () => (this.#container ? leaderOf(this.#container) : undefined),
    );
  }
}
