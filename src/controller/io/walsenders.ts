/**
 * Walsenders of an instance that is shut down: it waits until the receiver of each has confirmed everything, for ever if one
 * never answers. In: the postmaster. Out: processes. Only its own children are ever signalled.
 */
import { readdir, readFile } from 'node:fs/promises';
import { sendSignal } from './processes.ts';

/** Ends the walsenders of this postmaster but for those that are kept; returns whom it has asked to end. */
export async function endWalsenders(postmaster: number, keep: readonly number[]): Promise<number[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ended: number[] = [];
  for (const pid of numbers) {
    if (keep.includes(pid) || !(await isWalsenderOf(postmaster, pid))) continue;
    // One that is gone meanwhile, and whose number another user has, is not waited for.
    if (sendSignal(pid, 'SIGTERM') === 'sent') ended.push(pid);
  }
  return ended;
}

/** "postgres: walsender ROLE ADDRESS STATE", with cluster_name in between where there is one. */
const title = /^postgres: (?:[^\0]*: )?walsender /;

async function isWalsenderOf(postmaster: number, pid: number): Promise<boolean> {
  // A process that is gone meanwhile has no files any more.
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  // "PID (NAME) STATE PARENT …"; the name may hold anything.
  const stat = await read('stat');
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  return parent === postmaster && title.test(await read('cmdline'));
}
