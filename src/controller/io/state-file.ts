/**
 * <serverIdentifier>.state.json: what must survive a crash, with a checksum so that a torn or edited file is noticed.
 * In and out: Persisted. A file that cannot be trusted is set aside, never believed.
 * Beside it <serverIdentifier>.status.json: the status for whoever wants to look without asking; its age says how far
 * it can be believed.
 */
import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Persisted } from '../core/state.ts';
import { readIfThere, writeAtomic } from './whole-file.ts';

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');
const fileName = (id: string): string => `${id}.state.json`;

export function writeState(dir: string, id: string, state: Persisted): void {
  const text = JSON.stringify(state);
  writeAtomic(dir, fileName(id), `${JSON.stringify({ format: 1, checksum: checksum(text), state })}\n`);
}

/** Written anew at every heartbeat; not synced, since nobody needs it after a crash. */
export function writeStatus(dir: string, id: string, report: object): void {
  writeAtomic(dir, `${id}.status.json`, `${JSON.stringify(report)}\n`, { synced: false });
}

/**
 * The last state, or none; `torn` when there was a file that cannot be trusted (it is kept as *.torn), also at a start before this
 * one, as long as no new one could be written.
 */
export function readState(
  dir: string,
  id: string,
): { readonly state: Persisted | null; readonly torn: boolean } {
  const path = join(dir, fileName(id));
  const text = readIfThere(path);
  if (text === undefined) return { state: null, torn: existsSync(`${path}.torn`) };
  const state = trusted(text);
  if (state === null) renameSync(path, `${path}.torn`);
  return { state, torn: state === null };
}

function trusted(text: string): Persisted | null {
  try {
    const file = JSON.parse(text) as { format?: unknown; checksum?: unknown; state?: unknown } | null;
    const same = file?.format === 1 && file.checksum === checksum(JSON.stringify(file.state));
    return same ? (file.state as Persisted) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
