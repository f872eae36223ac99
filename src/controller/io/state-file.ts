/**
 * <serverIdentifier>.state.json: what must survive a crash, with a checksum so that a torn or edited file is noticed.
 * In and out: Persisted. A file that cannot be trusted is set aside, never believed. One of a later format is neither: what it says
 * is not understood here, and must not be lost, so that a controller of an earlier version does not start.
 * Beside it <serverIdentifier>.status.json: the status for whoever wants to look without asking; its age says how far
 * it can be believed.
 */
import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Persisted } from '../core/state.ts';
import { controllerVersion } from '../version.ts';
import { refuse } from './files.ts';
import { readIfThere, writeAtomic } from './whole-file.ts';

/** Raised when an earlier controller could misunderstand what a later one has written. */
const format = 1;

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');
const fileName = (id: string): string => `${id}.state.json`;

export function writeState(dir: string, id: string, state: Persisted): void {
  const text = JSON.stringify(state);
  const file = { format, version: controllerVersion, checksum: checksum(text), state };
  writeAtomic(dir, fileName(id), `${JSON.stringify(file)}\n`);
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
  const file = parsed(text);
  if (typeof file?.format === 'number' && file.format > format) throw ofLaterFormat(path, file);
  const state = file && trusted(file);
  if (state === null) renameSync(path, `${path}.torn`);
  return { state, torn: state === null };
}

interface RecordFile {
  readonly format?: unknown;
  /** Of the controller that wrote it; missing from 0.1.0. */
  readonly version?: unknown;
  readonly checksum?: unknown;
  readonly state?: unknown;
}

function parsed(text: string): RecordFile | null {
  try {
    return JSON.parse(text) as RecordFile | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const trusted = (file: RecordFile): Persisted | null =>
  file.format === format && file.checksum === checksum(JSON.stringify(file.state))
    ? (file.state as Persisted)
    : null;

const ofLaterFormat = (path: string, { version, format: later }: RecordFile): Error =>
  refuse(
    'MCF014',
    `${path} was written by a newer controller (${typeof version === 'string' ? version : 'of unknown version'}, format ${String(later)})`,
    `this one is ${controllerVersion} and knows format ${format} only; to go on without what stands there could lose acknowledged commits`,
    'Bring the newer program back, with the pgduet that it came from: pgduet provision. Do not delete the file.',
  );
