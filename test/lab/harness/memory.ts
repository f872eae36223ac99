/**
 * Puts the disks of a lab's hosts in this machine's memory where there is room: a flush then costs nothing.
 * In: a directory. Out: whether a tmpfs is mounted there. It must never take memory that this machine needs: what every
 * lab may take at most is counted as taken.
 */
import { readFileSync } from 'node:fs';
import { run } from './run.ts';

const GIB = 2 ** 30;

/** The hosts of one lab never take more; a host with a provisioned server takes about 0.2 GiB. */
const MOST = 4 * GIB;
/** The first lab asks for so much available memory, so that half of it remains for everything else. */
const NEEDED = 8 * GIB;

/** Whether one more lab may take memory. `labs` counts those that have their disks there. */
export const hasRoom = (availableBytes: number, labs: number): boolean =>
  availableBytes >= NEEDED + labs * MOST;

/** Mounts memory on the directory of a lab's hosts, if there is room and the environment does not forbid it. */
export async function mountMemory(dir: string, labsDir: string): Promise<boolean> {
  if (process.env.PGDUET_LAB_MEMORY === 'no') return false;
  if (!hasRoom(availableBytes(), labsInMemory(labsDir))) return false;
  await run('mount', ['-t', 'tmpfs', '-o', `size=${MOST},mode=700`, 'tmpfs', dir], { check: true });
  return true;
}

export function availableBytes(): number {
  const line = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? 0) * 1024;
}

export function labsInMemory(dir: string): number {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes(` ${dir}/`) && line.includes(' - tmpfs ')).length;
}
