/**
 * The process that touches the disks for the controller: writes and syncs a small file in the data directory, the WAL
 * directory and every tablespace. It may hang with a disk; the controller then ends, restarts and decides without it.
 * In: arguments. Out: one JSON line per part and round on stdout. It ends when its stdin is closed.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskPart } from '../core/view.ts';

export interface DiskReport {
  readonly part: DiskPart;
  readonly ok: boolean;
  readonly error: string;
}

/** pg_basebackup and pg_rewind leave files with this prefix out (PostgreSQL, src/include/common/file_utils.h). */
const probeName = 'pgsql_tmp_mc_disk_check';

/** A full disk is no broken disk, and too many open files are none either. */
const harmless = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

async function probe(dir: string): Promise<string> {
  try {
    const file = await open(join(dir, probeName), 'w+', 0o600);
    try {
      await file.write('pgduet\n', 0);
      await file.sync();
    } finally {
      await file.close();
    }
    return '';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return harmless.has(code) ? '' : `${dir}: ${error instanceof Error ? error.message : String(error)}`;
  }
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
  const results = new Map<string, { part: DiskPart; error: string }>();
  const settle = (dir: string, part: DiskPart, error: string): void => {
    results.set(dir, { part, error });
  };
  const begin = (dir: string, part: DiskPart): void => {
    pending.set(dir, performance.now());
    void probe(dir).then((error) => {
      pending.delete(dir);
      settle(dir, part, error);
    });
  };
  const round = async (): Promise<void> => {
    for (const [dir, part] of await targets(dataDir)) {
      const since = pending.get(dir);
      if (since === undefined) begin(dir, part);
      else if (performance.now() - since >= timeoutMs) {
        pending.set(dir, performance.now());
        settle(dir, part, `${dir}: no answer within ${timeoutMs / 1000} s`);
      }
    }
    report(results);
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
      results.set(dataDir, { part: 'data', error: `${dataDir}: no answer within ${timeoutMs / 1000} s` });
      report(results);
    }
  };
  setInterval(turn, intervalMs);
  turn();
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

/** One line per part that has news; a part is well only if all of its directories are. */
function report(results: Map<string, { part: DiskPart; error: string }>): void {
  const parts = new Map<DiskPart, string>();
  for (const { part, error } of results.values()) parts.set(part, parts.get(part) || error);
  results.clear();
  for (const [part, error] of parts) {
    const line: DiskReport = { part, ok: error === '', error };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
