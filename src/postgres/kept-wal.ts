/**
 * The WAL that a primary keeps for a standby that is away: how much, for how long at the present rate, and what comes then. In: what the
 * primary says of its settings and slots. Out: bytes, and words for a plan. Pure.
 */
import { ownValue } from '../base/own-value.ts';
import { formatBytes, formatDuration } from '../base/units.ts';
import { versionFacts } from './versions.ts';

/** Bytes and seconds. */
export interface KeptWal {
  /** Null where the version does not count it, and where too little time was seen. */
  readonly walPerSecond: number | null;
  /** wal_keep_size: it stays for everybody, at least. */
  readonly walKept: number;
  /** max_slot_wal_keep_size; -1 without a limit. */
  readonly slotLimit: number;
  /** The slot that a standby streams by at this moment, by standby. Slots of others keep nothing for it. */
  readonly slots: Readonly<Record<string, string>>;
}

/** The making of a cluster says nothing of its days. */
const shortestSpanS = 1800;

/** Members of a json_build_object that make a KeptWal. */
export const keptWalMembers = (version: number): string =>
  `'walPerSecond', ${versionFacts(version).checkpoints.walBytes ? `(select case when now() - stats_reset > interval '${shortestSpanS} seconds' then wal_bytes / extract(epoch from now() - stats_reset) end from pg_stat_wal)` : 'null'},
 'walKept', (select setting::numeric * 1048576 from pg_settings where name = 'wal_keep_size'),
 'slotLimit', (select case when setting = '-1' then -1 else setting::numeric * 1048576 end from pg_settings where name = 'max_slot_wal_keep_size'),
 'slots', (select coalesce(json_object_agg(r.application_name, s.slot_name), '{}') from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid where s.slot_type = 'physical')`;

/** How much stays for this standby while it is away; without an end where nothing limits its slot. */
export function keptFor({ walKept, slotLimit, slots }: KeptWal, standby: string): number {
  if (ownValue(slots, standby) === undefined) return Number(walKept);
  return slotLimit < 0 ? Number.POSITIVE_INFINITY : Math.max(Number(walKept), Number(slotLimit));
}

/** "3.5 GB of WAL are written in an hour" */
export const rateWords = (perSecond: number): string =>
  `${formatBytes(Number(perSecond) * 3600)} of WAL are written in an hour`;

export interface Absence {
  readonly primary: string;
  readonly standby: string;
  /** How long it is expected to be away; unknown where nobody has said. */
  readonly expectedMs?: number;
  /** What is free on the disk of the WAL; unknown where it was not seen. */
  readonly room?: number;
}

/** What a person should know before a standby is taken out, as notes of a plan. */
export function keptWords(seen: KeptWal, { primary, standby, expectedMs, room }: Absence): readonly string[] {
  const kept = keptFor(seen, standby);
  // A server that has written nothing yet has no rate.
  const rate = Number(seen.walPerSecond ?? 0) || undefined;
  const lasts = (bytes: number): string =>
    rate === undefined
      ? ''
      : `, enough for ${formatDuration((bytes / rate) * 1000)} at the present rate (${rateWords(rate)})`;
  const slot = ownValue(seen.slots, standby);
  if (slot !== undefined && !Number.isFinite(kept))
    return [
      `the slot '${slot}' keeps all WAL that ${standby} lacks on ${primary}, without a limit${room === undefined ? '' : `: ${formatBytes(room)} are free there${lasts(room)}`}; a full disk stops ${primary}`,
    ];
  const setting = slot === undefined ? 'wal_keep_size' : 'max_slot_wal_keep_size';
  const late = expectedMs !== undefined && rate !== undefined && (rate * expectedMs) / 1000 > kept;
  const copied = `it has to be copied anew (pgduet rebuild ${standby})`;
  return [
    `${primary} keeps ${formatBytes(kept)} of WAL for it (${slot === undefined ? setting : `its slot '${slot}', ${setting}`})${lasts(kept)}; where it lacks more at the end, ${copied}`,
    ...(late
      ? [
          `that is not enough for the ${formatDuration(expectedMs)} that are expected: raise ${setting} before`,
        ]
      : []),
  ];
}
