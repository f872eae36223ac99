/**
 * The process that touches the disks for the controller: writes and syncs a small file in the data directory, the WAL
 * directory and every tablespace. It may hang with a disk; the controller then ends, restarts and decides without it.
 * In: arguments. Out: one JSON line per part and round on stdout. It ends when its stdin is closed.
 */
import { open, readdir, readFile, realpath, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskPart } from '../core/view.ts';
import { keptReadOnly } from './read-only.ts';

export interface DiskReport {
  readonly part: DiskPart;
  readonly ok: boolean;
  readonly error: string;
  /** Room for a user that is not root, of the fullest directory of the part; null where it cannot be asked. */
  readonly freeBytes: number | null;
}

/** pg_basebackup and pg_rewind leave files with this prefix out (PostgreSQL, src/include/common/file_utils.h). */
const probeName = 'pgsql_tmp_mc_disk_check';

/** A full disk is no broken disk, and too many open files are none either. */
const harmless = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);
const full = new Set(['ENOSPC', 'EDQUOT']);

interface Finding {
  readonly error: string;
  readonly freeBytes: number | null;
}

async function probe(dir: string): Promise<Finding> {
  try {
    const file = await open(join(dir, probeName), 'w+', 0o600);
    try {
      await file.write('pgduet\n', 0);
      await file.sync();
    } finally {
      await file.close();
    }
    return { error: '', freeBytes: await room(dir) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (harmless.has(code)) return { error: '', freeBytes: full.has(code) ? 0 : null };
    const why = code === 'EROFS' ? await whyReadOnly(dir) : '';
    return {
      error: `${dir}: ${error instanceof Error ? error.message : String(error)}${why}`,
      freeBytes: null,
    };
  }
}

/** A disk that the kernel has made read-only takes writes from nobody; what only this unit may not write to is no broken disk. */
async function whyReadOnly(dir: string): Promise<string> {
  const [mounts, path] = await Promise.all([readFile('/proc/self/mountinfo', 'utf8'), realpath(dir)]).catch(
    () => ['', ''],
  );
  return keptReadOnly(mounts ?? '', path ?? '')
    ? '; the file system takes writes: the unit keeps this place of it read-only (ProtectSystem), ReadWritePaths in a drop-in of it allows them'
    : '';
}

/** The earliest versions 18 of Node.js cannot ask. */
async function room(dir: string): Promise<number | null> {
  if (typeof statfs !== 'function') return null;
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

async function targets(dataDir: string): Promise<Map<string, DiskPart>> {
  const spaces = join(dataDir, 'pg_tblspc');
  const links = await readdir(spaces).catch((): string[] => []);
  return new Map<string, DiskPart>([
    [dataDir, 'data'],
    [join(dataDir, 'pg_wal'), 'transaction_log'],
    ...links.map((link) => [join(spaces, link), 'tablespace'] as const),
  ]);
}

/** Runs until stdin ends. A directory whose check hangs is reported when its time is up, and not asked again before. */
export function runDiskHelper(dataDir: string, intervalMs: number, timeoutMs: number): void {
  const pending = new Map<string, number>();
  const failed = new Set<DiskPart>();
  const results = new Map<string, Finding & { part: DiskPart }>();
  const settle = (dir: string, part: DiskPart, found: Finding): void => {
    results.set(dir, { part, ...found });
  };
  const late = (dir: string): Finding => ({
    error: `${dir}: no answer within ${timeoutMs / 1000} s`,
    freeBytes: null,
  });
  const begin = (dir: string, part: DiskPart): void => {
    pending.set(dir, performance.now());
    void probe(dir).then((found) => {
      pending.delete(dir);
      settle(dir, part, found);
    });
  };
  const round = async (): Promise<void> => {
    const asked = await targets(dataDir);
    for (const [dir, part] of asked) {
      const since = pending.get(dir);
      if (since === undefined) begin(dir, part);
      else if (performance.now() - since >= timeoutMs) {
        pending.set(dir, performance.now());
        settle(dir, part, late(dir));
      }
    }
    // A part that failed, and is there no more, such as the only tablespace, has failed no longer.
    const there = new Set(asked.values());
    for (const part of failed) if (!there.has(part)) settle('', part, { error: '', freeBytes: null });
    report(results, failed);
  };
  // The helper of the helper: when even listing the directory hangs, the part 'data' is late.
  let roundSince: number | null = null;
  const turn = (): void => {
    if (roundSince === null) {
      roundSince = performance.now();
      void round().finally(() => {
        roundSince = null;
      });
    } else if (performance.now() - roundSince >= timeoutMs) {
      roundSince = performance.now();
      settle(dataDir, 'data', late(dataDir));
      report(results, failed);
    }
  };
  setInterval(turn, intervalMs);
  turn();
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

const least = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** One line per part that has news; a part is well only if all of its directories are. */
function report(results: Map<string, Finding & { part: DiskPart }>, failed: Set<DiskPart>): void {
  const parts = new Map<DiskPart, Finding>();
  for (const { part, error, freeBytes } of results.values()) {
    const so = parts.get(part) ?? { error: '', freeBytes: null };
    parts.set(part, { error: so.error || error, freeBytes: least(so.freeBytes, freeBytes) });
  }
  results.clear();
  for (const [part, { error, freeBytes }] of parts) {
    const line: DiskReport = { part, ok: error === '', error, freeBytes };
    if (line.ok) failed.delete(part);
    else failed.add(part);
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
