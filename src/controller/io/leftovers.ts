/**
 * Files beside their place that a killed controller has left half written; one of the password file holds passwords. The next start of a controller
 * removes them, once it has the lock. Nothing depends on them: what cannot be removed is told, and the start goes on.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { provenFile } from '../../base/identities.ts';
import type { Configuration } from './configuration.ts';
import { removeLockLeftovers } from './lock.ts';
import { passwordFile } from './password-choice.ts';
import { removeUnfinished } from './whole-file.ts';

/** What it writes in the data directory. */
const inData = ['postgresql.conf', 'postgresql.auto.conf', 'standby.signal', 'postmaster.pid'];

export function removeLeftovers(
  { dir, self, conf }: Pick<Configuration, 'dir' | 'self' | 'conf'>,
  home = homedir(),
): void {
  const dataDir = conf.dbInstance;
  attempt(() => removeLockLeftovers(dir, self.id));
  for (const name of ['state.json', 'status.json', 'proven.json'])
    attempt(() => removeUnfinished(join(dir, `${self.id}.${name}`), { own: true }));
  for (const name of inData) attempt(() => removeUnfinished(join(dataDir, name)));
  attempt(() => removeUnfinished(passwordFile({ dataDir, home })));
}

/** The same of an arbiter, in the directories of its clusters. */
export function removeArbiterLeftovers(dir: string, name: string, clusters: Iterable<string>): void {
  attempt(() => removeLockLeftovers(dir, name));
  for (const cluster of clusters)
    for (const file of ['cell.json', provenFile(name)])
      attempt(() => removeUnfinished(join(dir, 'clusters', cluster, file), { own: true }));
}

function attempt(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`what an earlier start has left could not be removed: ${why}\n`);
  }
}
