/**
 * Watches the arguments and environments of all processes of this machine while something runs. Processes of lab hosts
 * are processes of this machine too, so one watch sees both ends. In: what to run; pgduet runs in processes of its own meanwhile.
 * Out: every text that was seen.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inOwnProcesses } from './pgduet.ts';

export interface ProcessText {
  readonly pid: number;
  readonly kind: 'args' | 'environ';
  readonly text: string;
}

export interface Watched<T> {
  readonly result: T;
  /** How often the list of processes was read. */
  readonly passes: number;
  readonly seen: readonly ProcessText[];
}

const program = fileURLToPath(new URL('process-watch.mjs', import.meta.url));

export async function watchProcesses<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin' },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(child, 'close');
  try {
    await once(child.stdout, 'data');
    const result = await inOwnProcesses(work);
    child.stdin.write('enough\n');
    await ended;
    const text = Buffer.concat(chunks).toString();
    const report = JSON.parse(text.slice(text.indexOf('\n') + 1)) as Omit<Watched<T>, 'result'>;
    return { result, ...report };
  } finally {
    child.kill();
  }
}
