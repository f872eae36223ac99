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
import { removeNetwork, subnetIsUsed } from './network.ts';
import { currentOwner, isAlive, type Owner, withLock } from './owner.ts';
import { LAB_COUNT, type LabPlace, labPlace, labRoot, runsDir } from './places.ts';
import { run } from './run.ts';

/** Two processes that open at the same moment take turns, so they never choose the same number. */
const LOCK = (): string => join(labRoot(), 'runs.lock');

export async function claimLab(): Promise<LabPlace> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  mkdirSync(runsDir(), { recursive: true });
  await spread(runsDir());
  return withLock(LOCK(), async () => {
    await removeDead();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const place = labPlace(Math.floor(Math.random() * LAB_COUNT));
      if (existsSync(place.dir) || (await subnetIsUsed(place))) continue;
      mkdirSync(place.dir);
      chmodSync(place.dir, 0o700);
      mkdirSync(join(place.dir, 'hosts'));
      await spread(join(place.dir, 'hosts'));
      writeFileSync(join(place.dir, 'owner.json'), JSON.stringify(currentOwner()));
      return place;
    }
    throw new Error('no free network between 10.77.0.0/24 and 10.99.255.0/24 was found');
  });
}

/**
 * Tells ext4 to put each directory below into a block group of its own. It avoids inodes that were deleted within the
 * last minutes, and where a lab was removed just before, it has to step over thousands of them: making files is then
 * twenty times slower. Other file systems do not know the flag and do not need it.
 */
async function spread(dir: string): Promise<void> {
  await run('chattr', ['+T', dir]);
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
