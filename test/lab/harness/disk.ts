/**
 * The disks of a host: its root (an overlay above the image, on the machine's real disk, so that
 * a flush is a flush) and small extra ones that can be filled.
 * In: directories. It must never mount a host's upper directory twice at once.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, text } from './run.ts';

/** Mounts a fresh root above the layers, given lowest first; returns its directory. */
export async function mountRoot(dir: string, layers: readonly string[]): Promise<string> {
  const [upper, work, root] = [join(dir, 'upper'), join(dir, 'work'), join(dir, 'root')];
  for (const path of [upper, work, root]) mkdirSync(path, { recursive: true });
  const lower = [...layers].reverse().join(':');
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await run('mount', ['-t', 'overlay', 'overlay', '-o', options, root], { check: true });
  return root;
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
