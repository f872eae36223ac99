/** The end of a process that a test started. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Resolves when the process has gone, also if it went before. A test that removes a process's directory waits for
 * it: a signal, or the end of its input, is no proof that it writes no more.
 */
export async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
