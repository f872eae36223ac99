/**
 * Names every path and every kernel object of the lab in one place, so that cleaning up finds
 * what setting up has made. In: the number of a lab. Out: names. It must never touch the disk.
 */
import { join } from 'node:path';

/** Everything the lab keeps on disk is below this directory. */
export function labRoot(): string {
  return process.env.PGDUET_LAB_DIR ?? '/var/lib/pgduet-lab';
}

export const imagesDir = (): string => join(labRoot(), 'images');
export const cacheDir = (): string => join(labRoot(), 'cache');
export const runsDir = (): string => join(labRoot(), 'runs');
export const preparedDir = (): string => join(labRoot(), 'prepared');

/** Labs are numbered by the /24 they use: 10.77.0.0/24 is 0, 10.99.255.0/24 the last. */
export const LAB_COUNT = 23 * 256;

export interface LabPlace {
  number: number;
  /** Begins the name of every bridge, cable, namespace and cgroup of this lab; 7 characters. */
  id: string;
  dir: string;
  subnet: string;
  gateway: string;
  gateway6: string;
}

export function labPlace(number: number): LabPlace {
  const subnet = `10.${77 + (number >> 8)}.${number & 255}`;
  const hex = number.toString(16).padStart(4, '0');
  return {
    number,
    id: `pgl${hex}`,
    dir: join(runsDir(), hex),
    subnet,
    gateway: `${subnet}.1`,
    gateway6: `fd77:0:0:${number.toString(16)}::1`,
  };
}

export interface HostPlace {
  index: number;
  /** Name of the network namespace, of the bridge's end of the cable, and of the container. */
  id: string;
  dir: string;
  address: string;
  address6: string;
}

/** Hosts are counted from 1, and their addresses from 11. */
export function hostPlace(lab: LabPlace, index: number): HostPlace {
  const last = 10 + index;
  if (last > 250) throw new Error('a lab has room for 240 hosts');
  return {
    index,
    id: `${lab.id}-${index}`,
    dir: join(lab.dir, 'hosts', String(index)),
    address: `${lab.subnet}.${last}`,
    address6: `fd77:0:0:${lab.number.toString(16)}::${last}`,
  };
}
