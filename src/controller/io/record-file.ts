/**
 * A record that must survive a crash, in a file with a checksum so that a torn or edited one is noticed. A file that cannot be
 * trusted is set aside, never believed. One of a later format is neither: what it says is not understood here, and must not be
 * lost, so that an earlier program does not start.
 */
import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { controllerVersion } from '../version.ts';
import { refuse } from './files.ts';
import { readIfThere, writeAtomic } from './whole-file.ts';

/** Raised when an earlier program could misunderstand what a later one has written. */
const format = 1;

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What kind of record: the field of the file that holds it, and the program that writes it. */
export interface RecordKind {
  readonly field: string;
  readonly program: string;
}

/** Throws what the system says when it is not on the disk. */
export function writeRecord(dir: string, name: string, { field }: RecordKind, content: object): void {
  const file = {
    format,
    version: controllerVersion,
    checksum: checksum(JSON.stringify(content)),
    [field]: content,
  };
  writeAtomic(dir, name, `${JSON.stringify(file)}\n`);
}

/**
 * The last record, or none; `torn` when there was a file that cannot be trusted (it is kept as *.torn), also at a start before this
 * one, as long as no new one could be written. What is trusted was written by `writeRecord` for the same kind.
 */
export function readRecord(
  dir: string,
  name: string,
  { field, program }: RecordKind,
): { readonly content: unknown; readonly torn: boolean } {
  const path = join(dir, name);
  const text = readIfThere(path);
  if (text === undefined) return { content: null, torn: existsSync(`${path}.torn`) };
  const file = parsed(text);
  if (typeof file?.format === 'number' && file.format > format) throw ofLaterFormat(path, program, file);
  const content = file && trusted(file, file[field]);
  if (content === null) renameSync(path, `${path}.torn`);
  return { content, torn: content === null };
}

interface RecordFile {
  readonly format?: unknown;
  /** Of the program that wrote it; missing from 0.1.0. */
  readonly version?: unknown;
  readonly checksum?: unknown;
  readonly [field: string]: unknown;
}

function parsed(text: string): RecordFile | null {
  try {
    return JSON.parse(text) as RecordFile | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const trusted = (file: RecordFile, content: unknown): unknown =>
  file.format === format && content !== undefined && file.checksum === checksum(JSON.stringify(content))
    ? content
    : null;

const ofLaterFormat = (path: string, program: string, { version, format: later }: RecordFile): Error =>
  refuse(
    'MCF014',
    `${path} was written by a newer ${program} (${typeof version === 'string' ? version : 'of unknown version'}, format ${String(later)})`,
    `this one is ${controllerVersion} and knows format ${format} only; to go on without what stands there could lose acknowledged commits`,
    'Bring the newer program back, with the pgduet that it came from: pgduet provision. Do not delete the file.',
  );
