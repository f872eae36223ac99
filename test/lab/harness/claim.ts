/**
 * Takes a free lab number for this process and gives it back; clears what dead processes left.
 * On disk, a lab is the directory runs/NUMBER with the file owner.json, and everything else that
 * belongs to it carries the number in its name. It must never remove a lab whose owner lives.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killCgroup, labCgroup, legacyCgroups, removeCgroup } from './cgroup.ts';
import { unmountBelow } from './disk.ts';
import { labObstacle } from './machine.ts';
import { mountMemory } from './memory.ts';
import { removeNetwork, subnetIsUsed } from './network.ts';
import { currentOwner, isAlive, type Owner, withLock } from './owner.ts';
import { LAB_COUNT, type LabPlace, labPlace, labRoot, runsDir } from './places.ts';
import { run, text } from './run.ts';

/** `fast`: in memory where there is room. `real`: on this machine's disk, for what measures or fills it. */
export type DiskKind = 'fast' | 'real';

/** Two processes that open at the same moment take turns, so they never choose the same number. */
const LOCK = (): string => join(labRoot(), 'runs.lock');

export async function claimLab(disk: DiskKind): Promise<LabPlace> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  mkdirSync(runsDir(), { recursive: true });
  return withLock(LOCK(), async () => {
    await removeDead();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const place = labPlace(Math.floor(Math.random() * LAB_COUNT));
      if (existsSync(place.dir) || (await subnetIsUsed(place))) continue;
      mkdirSync(place.dir);
      chmodSync(place.dir, 0o700);
      writeFileSync(join(place.dir, 'owner.json'), JSON.stringify(currentOwner()));
      await makeHostsDir(join(place.dir, 'hosts'), disk);
      return place;
    }
    throw new Error('no free network between 10.77.0.0/24 and 10.99.255.0/24 was found');
  });
}

/** Where the hosts' disks lie: in memory, or on this machine's own disk. */
async function makeHostsDir(dir: string, disk: DiskKind): Promise<void> {
  mkdirSync(dir);
  if (disk === 'fast' && (await mountMemory(dir, runsDir()))) return;
  // ext4 avoids inodes that were deleted within the last minutes. Where a lab was removed just before, it has to step over
  // thousands of them, and making files is twenty times slower; with this flag each host has a block group of its own.
  if ((await text('stat', '--file-system', '--format=%T', dir)) === 'ext2/ext3') {
    await run('chattr', ['+T', dir], { check: true });
  }
}

/** Removes the labs of processes that died without closing them. */
export async function removeDeadLabs(): Promise<void> {
  if (!existsSync(runsDir())) return;
  await withLock(LOCK(), removeDead);
}

async function removeDead(): Promise<void> {
  for (const name of readdirSync(runsDir())) {
    const place = labPlace(Number.parseInt(name, 16));
    if (!ownerLives(place.dir)) await removeLab(place);
  }
}

/** A lab's directory is made under the lock, so one without an owner was left by a crash. */
function ownerLives(dir: string): boolean {
  try {
    return isAlive(JSON.parse(readFileSync(join(dir, 'owner.json'), 'utf8')) as Owner);
  } catch {
    return false;
  }
}

/** Ends the processes, the mounts and the network of a lab, then forgets its disks. */
export async function removeLab(place: LabPlace): Promise<void> {
  const cgroup = labCgroup(place.id);
  await killCgroup(cgroup);
  for (const path of [cgroup, ...legacyCgroups(place.id)]) removeCgroup(path);
  await removeNetwork(place);
  await unmountBelow(place.dir);
  rmSync(place.dir, { recursive: true, force: true });
}
