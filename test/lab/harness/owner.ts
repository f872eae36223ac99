/**
 * Says which process owns a lab, and whether that process still lives.
 * A process is known by its number and its start time, because numbers are used again.
 * The lock here is the kernel's own (flock), so it ends with its holder, however that one dies.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Owner {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks between the machine's boot and the process's start. */
  startTicks: string;
  bootId: string;
}

export function currentOwner(): Owner {
  return { pid: process.pid, startTicks: startTicks(process.pid) ?? '', bootId: bootId() };
}

export function isAlive(owner: Owner): boolean {
  return owner.bootId === bootId() && startTicks(owner.pid) === owner.startTicks;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Undefined when there is no such process, or only its zombie. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name stands in brackets and may itself contain blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Runs `work` while no other process holds the lock on `path`; waits for its turn. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = spawn('flock', [path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => {
        throw new Error(`could not lock ${path}`);
      }),
    ]);
    return await work();
  } finally {
    // The holder ends when its input does, and the lock with it.
    holder.stdin.end();
    if (holder.exitCode === null) await once(holder, 'exit');
  }
}
