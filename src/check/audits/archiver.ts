/**
 * The archiver of WAL: whether the last attempt has failed, and how far it is behind. Its error message is in the server's
 * log alone. Pure.
 */
import type { Audit } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer, reachedLsn } from './answer.ts';
import { sizeWords } from './words.ts';

interface Archiver {
  readonly recovery: boolean;
  readonly mode: string;
  /** Whether there is a command or a library. */
  readonly configured: boolean;
  readonly failures: number;
  readonly failedWal: string | null;
  readonly failedAt: number | null;
  readonly archivedWal: string | null;
  readonly archivedAt: number | null;
  /** End of WAL in bytes. */
  readonly reached: number;
  readonly segmentBytes: number;
  /** Where the command stands; null: nowhere, or not for this login. */
  readonly place: string | null;
}

const query = `select json_build_object('recovery', pg_is_in_recovery(), 'mode', current_setting('archive_mode'),
 'configured', coalesce(current_setting('archive_command', true), '') not in ('', '(disabled)') or coalesce(current_setting('archive_library', true), '') <> '',
 'failures', failed_count, 'failedWal', last_failed_wal, 'failedAt', extract(epoch from last_failed_time),
 'archivedWal', last_archived_wal, 'archivedAt', extract(epoch from last_archived_time),
 'reached', pg_wal_lsn_diff(${reachedLsn}, '0/0'), 'segmentBytes', (select bytes_per_wal_segment from pg_control_init()),
 'place', case when current_setting('archive_mode') <> 'off' then (select sourcefile || ':' || sourceline from pg_settings where name in ('archive_command', 'archive_library') and sourcefile is not null order by setting = '' limit 1) end) from pg_stat_archiver`;

export const archiver: Audit<Archiver> = {
  name: 'the archiver',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (_context, seen) => [...seen].flatMap(([host, facts]) => judgeArchiver(host, facts)),
};

function judgeArchiver(host: string, facts: Archiver): readonly Reported[] {
  const { mode, recovery, failedAt, archivedAt } = facts;
  // On a standby it works with archive_mode 'always' only.
  if (mode === 'off' || (recovery && mode !== 'always')) return [];
  const told = { code: 'ARC001', host, object: 'archiver', declared: `archive_mode ${mode}` } as const;
  const where = {
    ...(archivedAt === null ? {} : { since: archivedAt }),
    ...(facts.place === null ? {} : { source: facts.place }),
  };
  if (!facts.configured)
    return [
      {
        ...told,
        found: 'archive_command is empty: every segment is kept',
        repair: 'give {host} an archive_command, or set archive_mode to off (postgres.settings)',
        ...where,
      },
    ];
  if (failedAt === null || (archivedAt !== null && archivedAt >= failedAt)) return [];
  return [{ ...told, found: failureWords(facts), ...where }];
}

function failureWords({ failures, failedWal, archivedWal, reached, segmentBytes }: Archiver): string {
  const last = `${failures} failures, the last one with ${failedWal ?? 'a file'}`;
  if (archivedWal === null) return `${last}; nothing has been archived yet`;
  const done = endOf(archivedWal, segmentBytes);
  if (done === undefined) return last;
  return `${last}; ${sizeWords(Math.max(0, reached - done))} of WAL are not archived`;
}

/** Where a WAL file ends, in bytes; undefined for a history file and the like. */
function endOf(name: string, segmentBytes: number): number | undefined {
  const match = /^[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (!match) return undefined;
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  return high * 2 ** 32 + (low + 1) * segmentBytes;
}
