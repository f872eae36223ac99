/**
 * One control group per host. Every process of the host is in it, so stopping, continuing and
 * killing a host reaches exactly its processes and never another one's.
 * In: the name of the host. Out: directories of the cgroup v2 tree. It must never be given a
 * group that the lab did not make.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './run.ts';

/** Where cgroup v2 is mounted; machines that still use version 1 have it beside, in `unified`. */
export function cgroupRoot(): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const line = mounts.find((mount) => mount.includes(' - cgroup2 '));
  return line?.split(' ')[4];
}

export function labCgroup(labId: string): string {
  const root = cgroupRoot();
  if (root === undefined) throw new Error('cgroup v2 is not mounted on this machine');
  return join(root, labId);
}

export function createCgroup(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** Stops or continues every process below `path` at once; the kernel keeps their connections. */
export async function freezeCgroup(path: string, frozen: boolean): Promise<void> {
  if (!existsSync(path)) return;
  writeFileSync(join(path, 'cgroup.freeze'), frozen ? '1' : '0');
  const wanted = `frozen ${frozen ? 1 : 0}`;
  await until(
    () => `${path} did not become "${wanted}"`,
    5_000,
    () => (readFileSync(join(path, 'cgroup.events'), 'utf8').includes(wanted) ? true : undefined),
    5,
  );
}

/** Kills every process below `path` as a pulled plug would, and waits until none is left. */
export async function killCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  writeFileSync(join(path, 'cgroup.kill'), '1');
  await until(
    () => `processes of ${path} do not end`,
    10_000,
    () => (readFileSync(join(path, 'cgroup.events'), 'utf8').includes('populated 0') ? true : undefined),
    5,
  );
}

/** Groups of the same name in version 1 hierarchies, which nspawn makes for old programs inside. */
export function legacyCgroups(labId: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const points = mounts
    .filter((mount) => mount.includes(' - cgroup '))
    .map((mount) => mount.split(' ')[4] ?? '');
  return points.map((point) => join(point, labId)).filter((path) => existsSync(path));
}

/** Removes the empty groups, the innermost first. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  rmdirSync(path);
}
