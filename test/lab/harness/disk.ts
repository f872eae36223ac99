/**
 * The disks of a host: its root (an overlay above layers, in memory or on this machine's disk, as the lab was opened) and
 * small extra ones that can be filled.
 * In: directories. It must never mount a host's upper directory twice at once.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Tree } from './changes.ts';
import { run, text } from './run.ts';

export interface SmallDisk {
  /** Where the host sees it. */
  mountpoint: string;
  /** Where this machine has it mounted: the host's reboot takes it from there. */
  outside: string;
  device: string;
}

/** A small disk that is not mounted: its file system in a file. */
export interface DiskImage {
  readonly mountpoint: string;
  readonly file: string;
}

/** What a host had written, kept for others to begin with. */
export interface StoredDisks {
  readonly layer: string;
  readonly small: readonly DiskImage[];
}

/** What a host's disks hold when it is started for the first time. */
export interface DiskContents {
  /** Directories of an image's layers, two or more, the lowest first. */
  readonly image: readonly string[];
  readonly above?: StoredDisks | undefined;
}

export class Disks {
  /** The host's root directory as this machine sees it. */
  readonly root: string;
  /** What the host has written, and marks of what it has removed. */
  readonly #upper: string;
  /** The image alone, read-only. */
  readonly #image: string;
  readonly #dir: string;
  #contents: DiskContents;
  readonly #small: SmallDisk[] = [];

  private constructor(dir: string, contents: DiskContents) {
    this.#dir = dir;
    this.#contents = contents;
    this.root = join(dir, 'root');
    this.#upper = join(dir, 'upper');
    this.#image = join(dir, 'image');
  }

  static async mount(dir: string, contents: DiskContents): Promise<Disks> {
    const disks = new Disks(dir, contents);
    await disks.#mount();
    return disks;
  }

  get small(): readonly SmallDisk[] {
    return this.#small;
  }

  /** The same disks as at the first start; all that was written is lost. The host has to be off. */
  async renew(): Promise<void> {
    await unmountBelow(this.#dir);
    for (const disk of this.#small.splice(0)) rmSync(imageOf(disk));
    for (const path of [this.#upper, this.#work()]) rmSync(path, { recursive: true });
    await this.#mount();
  }

  /** A disk with nothing but the image. The host has to be off. */
  async wipe(): Promise<void> {
    this.#contents = { image: this.#contents.image };
    await this.renew();
  }

  /** Moves what was written into a directory, as a layer and images; these disks are gone. The host has to be off. */
  async moveTo(dir: string): Promise<StoredDisks> {
    if (this.#contents.above !== undefined)
      throw new Error('what lies above a stored layer is no layer by itself');
    const small: DiskImage[] = [];
    for (const disk of this.#small.splice(0)) small.push(await copied(disk, dir));
    await unmountBelow(this.#dir);
    const layer = join(dir, 'root');
    await run('mv', [this.#upper, layer], { check: true });
    return { layer, small };
  }

  /** Makes an ext4 file system of that size. */
  async add(mountpoint: string, sizeMiB: number): Promise<SmallDisk> {
    const image = this.#imageFile(mountpoint);
    await run('truncate', ['--size', `${sizeMiB}M`, image], { check: true });
    await run('mkfs.ext4', ['-q', '-m', '0', image], { check: true });
    return this.#attach(mountpoint, image);
  }

  /** Where this machine finds a path of the host, on whichever of its disks. */
  at(path: string): string {
    const disk = this.#small.find(
      ({ mountpoint }) => path === mountpoint || path.startsWith(`${mountpoint}/`),
    );
    return disk ? join(disk.outside, path.slice(disk.mountpoint.length)) : join(this.root, path);
  }

  trees(): Tree[] {
    const { above } = this.#contents;
    const written = [this.#upper, ...(above ? [above.layer] : [])];
    const small = this.#small.map(({ mountpoint, outside }) => ({ at: mountpoint, now: outside }));
    return [{ at: '', now: this.root, above: { image: this.#image, written } }, ...small];
  }

  async #mount(): Promise<void> {
    for (const path of [this.root, this.#image, this.#upper, this.#work()])
      mkdirSync(path, { recursive: true });
    const { image, above } = this.#contents;
    const layers = [...(above ? [above.layer] : []), ...[...image].reverse()];
    // Without redirects and the like, the upper directory holds whole files at their own paths: it can be read and be a layer.
    // With `xino` all files are on one device, as on a disk; `du -x` and `find -xdev` would leave out what is in memory.
    const plain = 'redirect_dir=off,metacopy=off,index=off,xino=on';
    const mount = (options: string, at: string) =>
      run('mount', ['-t', 'overlay', 'overlay', '-o', `${plain},${options}`, at], { check: true });
    await mount(`lowerdir=${layers.join(':')},upperdir=${this.#upper},workdir=${this.#work()}`, this.root);
    await mount(`ro,lowerdir=${[...image].reverse().join(':')}`, this.#image);
    for (const { mountpoint, file } of above?.small ?? []) {
      const image = this.#imageFile(mountpoint);
      await run('cp', ['--sparse=always', file, image], { check: true });
      await this.#attach(mountpoint, image);
    }
  }

  /** The loop device goes with its last mount. */
  async #attach(mountpoint: string, image: string): Promise<SmallDisk> {
    const outside = `${image}.mnt`;
    mkdirSync(outside, { recursive: true });
    await run('mount', ['-o', 'loop', image, outside], { check: true });
    const device = await text('findmnt', '--noheadings', '--output', 'SOURCE', outside);
    const disk = { mountpoint, outside, device };
    this.#small.push(disk);
    return disk;
  }

  #imageFile(mountpoint: string): string {
    return join(this.#dir, `disk${mountpoint.replaceAll('/', '-')}`);
  }

  #work(): string {
    return join(this.#dir, 'work');
  }
}

const imageOf = ({ outside }: SmallDisk): string => outside.slice(0, -'.mnt'.length);

/** Frozen, since somebody else may hold the mount: only a frozen file system is whole in its image. */
async function copied(disk: SmallDisk, dir: string): Promise<DiskImage> {
  const file = join(dir, basename(imageOf(disk)));
  await run('fsfreeze', ['--freeze', disk.outside], { check: true });
  try {
    await run('cp', ['--sparse=always', imageOf(disk), file], { check: true });
  } finally {
    await run('fsfreeze', ['--unfreeze', disk.outside], { check: true });
  }
  return { mountpoint: disk.mountpoint, file };
}

/** Unmounts everything below a directory, the newest mount first. */
export async function unmountBelow(dir: string): Promise<void> {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const points = lines.map((line) => line.split(' ')[4] ?? '').filter((point) => point.startsWith(`${dir}/`));
  for (const point of points.reverse()) {
    const done = await run('umount', [point]);
    // Somebody else's shell may still stand in it; the mount then ends as soon as that one leaves.
    if (done.status !== 0) await run('umount', ['--lazy', point]);
  }
}
