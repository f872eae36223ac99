/**
 * The disks of a host: its root (an overlay above the image, in memory or on this machine's disk, as the lab
 * was opened) and small extra ones that can be filled.
 * In: directories. It must never mount a host's upper directory twice at once.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, text } from './run.ts';

/** The root of a host, as directories of this machine. */
export interface Root {
  /** What the host sees. */
  readonly root: string;
  /** What it has written, and marks of what it has removed. */
  readonly upper: string;
  /** What it has started with; read-only. */
  readonly base: string;
}

/** Mounts a fresh root above two or more layers, given lowest first. */
export async function mountRoot(dir: string, layers: readonly string[]): Promise<Root> {
  const [upper, work, root, base] = ['upper', 'work', 'root', 'base'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [upper, work, root, base]) mkdirSync(path, { recursive: true });
  const lower = [...layers].reverse().join(':');
  // Without redirects and the like, `upper` holds whole files at their own paths, so that it can be read and be a layer.
  const plain = 'redirect_dir=off,metacopy=off,index=off';
  // With `xino` all files are on one device, as on a disk; `du -x` and `find -xdev` would leave out what is in memory.
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},${plain},xino=on`;
  await run('mount', ['-t', 'overlay', 'overlay', '-o', options, root], { check: true });
  await run('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower},${plain}`, base], {
    check: true,
  });
  return { root, upper, base };
}

export interface SmallDisk {
  /** Where the host sees it. */
  mountpoint: string;
  /** Where this machine has it mounted: the host's reboot takes it from there. */
  outside: string;
  device: string;
}

/** Makes an ext4 filesystem of `sizeMiB` in a file; the loop device goes with its last mount. */
export async function makeSmallDisk(dir: string, mountpoint: string, sizeMiB: number): Promise<SmallDisk> {
  const image = join(dir, `disk${mountpoint.replaceAll('/', '-')}`);
  const outside = `${image}.mnt`;
  mkdirSync(outside);
  await run('truncate', ['--size', `${sizeMiB}M`, image], { check: true });
  await run('mkfs.ext4', ['-q', '-m', '0', image], { check: true });
  await run('mount', ['-o', 'loop', image, outside], { check: true });
  const device = await text('findmnt', '--noheadings', '--output', 'SOURCE', outside);
  return { mountpoint, outside, device };
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
