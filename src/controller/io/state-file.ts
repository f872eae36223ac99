/**
 * <serverIdentifier>.state.json: what a controller must remember. In and out: Persisted. Beside it <serverIdentifier>.status.json:
 * the status for whoever wants to look without asking; its age says how far it can be believed.
 */
import { join } from 'node:path';
import type { Persisted } from '../core/state.ts';
import { readRecord, writeRecord } from './record-file.ts';
import { isThere, writeAtomic } from './whole-file.ts';

const kind = { field: 'state', program: 'controller' };
const fileName = (id: string): string => `${id}.state.json`;

export function writeState(dir: string, id: string, state: Persisted): void {
  writeRecord(dir, fileName(id), kind, state);
}

/** Written anew at every heartbeat; not synced, since nobody needs it after a crash. */
export function writeStatus(dir: string, id: string, report: object): void {
  writeAtomic(dir, `${id}.status.json`, `${JSON.stringify(report)}\n`, { synced: false });
}

/** The same, by a controller that a full disk must not end; a file that is not renewed says so by its age. Null, or why it could not be written. */
export function showStatus(dir: string, id: string, report: object): string | null {
  try {
    writeStatus(dir, id, report);
    return null;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.message;
  }
}

/**
 * What was found for a controller that starts. A record that is not there although a controller was in charge here is lost, as a torn one
 * is: its status file stands there, or the data were started by somebody, and no record of a server that was taken in (`.before.json`) tells that
 * this was not a controller.
 */
export function recall(dir: string, id: string, dataDir: string): ReturnType<typeof readState> {
  const found = readState(dir, id);
  if (found.state !== null || found.torn) return found;
  const had = isThere(join(dir, `${id}.status.json`));
  const wasStarted = isThere(join(dataDir, 'postmaster.opts')) && !isThere(join(dir, `${id}.before.json`));
  return { state: null, torn: had || wasStarted };
}

/** The last state, or none; `torn` when there was a file that cannot be trusted. */
export function readState(
  dir: string,
  id: string,
): { readonly state: Persisted | null; readonly torn: boolean } {
  const { content, torn } = readRecord(dir, fileName(id), kind);
  return { state: content as Persisted | null, torn };
}
