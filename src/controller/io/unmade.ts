/**
 * Whether the data of this host's server was ever made, for advice that can be followed. In: the management directory. Out: why there is
 * nothing to start and what makes it, or null. It must never wait for a disk that does not answer.
 */
import { join } from 'node:path';
import { readStoppedRecord, stoppedBy, stoppedName } from '../../base/stopped-words.ts';
import { howToMake } from '../../base/vain-start.ts';
import { parseServerConf } from '../config-parse.ts';
import { parsed } from './files.ts';
import { unitFor } from './unit.ts';
import { isThere, readIfThere } from './whole-file.ts';

/** While a data directory is being made or copied its mark stands; what is there must not be started. */
export function unfinished(dir: string, id: string): string | null {
  const mark = readIfThere(join(dir, `${id}.making`));
  return mark === undefined ? null : howToMake(id, mark.trim(), '');
}

/** Why no controller runs here, where that is known, and what is to be done in place of a start. */
export function whyDown(dir: string, id: string): string | null {
  const record = readIfThere(join(dir, stoppedName(id)));
  if (record === undefined) return unfinished(dir, id) ?? asRoot(unitFor({ dir, id }));
  return `${stoppedBy(readStoppedRecord(record.split('\n')[0] ?? ''))}; when it may run again: pgduet start ${id}`;
}

/** Who may not start the unit is told by `mc_ctl start` what else there is. */
const asRoot = (unit: string | undefined): string | null =>
  unit === undefined ? null : `as root: systemctl start ${unit}`;

const patienceMs = 1000;

/** What was finished once, and is gone, is for a person to look for: its disk may not be mounted. */
export async function unmade(dir: string, id: string): Promise<string | null> {
  const begun = unfinished(dir, id);
  if (begun !== null || isThere(join(dir, `${id}.system`))) return begun;
  const conf = parsed(join(dir, `${id}.conf`), (text, file) => parseServerConf(text, file, true));
  if (!conf.ok) return null;
  const look = ['!', '-e', join(conf.value.dbInstance, 'PG_VERSION')];
  // Loaded here, so that `status` does not pay for what starts programs where nothing has to be looked at.
  const { runCommand } = await import('./commands.ts');
  const { ok } = await runCommand('/usr/bin/test', look, patienceMs);
  return ok ? howToMake(id, undefined, 'without PG_VERSION') : null;
}
