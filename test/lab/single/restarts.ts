/**
 * Counts how often a server's postmaster is another one while something runs. In: a server whose data directory is on the
 * host's own disk. Out: the number of starts. It looks at the file from this machine, so it disturbs nobody.
 */
import { readFileSync } from 'node:fs';
import { sleep } from '../harness/run.ts';
import type { Server } from '../support/instance.ts';

export interface RestartCount {
  /** Ends the watch; how many other postmasters were seen behind the first one. */
  stop(): Promise<number>;
}

const everyMs = 15;

export function countRestarts({ host, dataDir }: Server): RestartCount {
  const path = `${host.disk}${dataDir}/postmaster.pid`;
  const seen = new Set<string>();
  let ending = false;
  const look = (): void => {
    try {
      // Number and time of the start: a number alone comes again after a reboot.
      const [pid, , started] = readFileSync(path, 'utf8').split('\n');
      if (pid && started) seen.add(`${pid} ${started}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  };
  const all = (async () => {
    for (; !ending; await sleep(everyMs)) look();
    look();
  })();
  return {
    async stop() {
      ending = true;
      await all;
      return seen.size - 1;
    },
  };
}
