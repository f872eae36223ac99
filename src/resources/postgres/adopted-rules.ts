/**
 * Which settings of a server that was there before have to change for multiplexing. Unlike on a server that pgduet made,
 * what is as good or better stays as it is: a higher limit, logical WAL, its own log. In: the values that pgduet would
 * write and those in force. Out: names, and whether a restart goes with them. Pure.
 */

import { parseDurationMs, parseSizeBytes } from '../../base/units.ts';
import { controlledSettings, isControlled } from '../../postgres/controlled-settings.ts';
import { recoveryNames } from '../../postgres/recovery-settings.ts';
import type { SettingRow } from '../../postgres/setting-row.ts';
import { numberIn, sameValue } from '../../postgres/setting-value.ts';

/** What the rules need of a row of pg_settings. */
export type InForce = Pick<SettingRow, 'value' | 'raw' | 'unit' | 'context' | 'pending' | 'source'>;

/** By lower-case name. A name that is missing has not been seen in force, for example on a standby that never ran. */
export type ValuesInForce = ReadonlyMap<string, InForce>;

export type Logging = 'ours' | 'theirs';

/** Enough for two standbys, a base backup, a rebuild and the next one. */
const leastSenders = 5;

/** Where a server's log goes, and how it looks: worth no restart, and none of it matters to the standbys. */
const loggingNames: readonly string[] = [
  'logging_collector',
  'log_directory',
  'log_filename',
  'log_file_mode',
  'log_rotation_age',
  'log_truncate_on_rotation',
  'log_line_prefix',
  'syslog_ident',
];

type Rule = (wanted: string, seen: InForce, all: ValuesInForce) => boolean;

const list = (text: string): readonly string[] => text.split(',').map((word) => word.trim());
const atLeast =
  (least: number): Rule =>
  (_wanted, seen) =>
    Number(seen.raw) >= least;
const anyValue: Rule = () => true;

const rules: Readonly<Record<string, Rule>> = {
  listen_addresses: (_wanted, seen) => list(seen.value).some((address) => ['*', '0.0.0.0'].includes(address)),
  unix_socket_directories: (wanted, seen) => list(seen.value).includes(wanted),
  wal_level: (wanted, seen) => seen.value === 'logical' || (seen.value === 'replica' && wanted !== 'logical'),
  max_wal_senders: atLeast(leastSenders),
  max_replication_slots: atLeast(leastSenders),
  wal_keep_size: (wanted, seen) =>
    Number(seen.raw) >= (numberIn(wanted, seen.unit) ?? Number.POSITIVE_INFINITY),
  max_connections: (wanted, seen) => Number(seen.raw) >= Number(wanted),
  // pg_rewind needs one of the two.
  wal_log_hints: (_wanted, seen, all) => seen.value === 'on' || all.get('data_checksums')?.value === 'on',
  // Only new passwords are made by it, and ours is sent as a verifier.
  password_encryption: anyValue,
};

/** Is what is in force as good for multiplexing as what pgduet would write? */
export function suffices(name: string, wanted: string, all: ValuesInForce): boolean {
  const lower = name.toLowerCase();
  const seen = all.get(lower);
  if (!seen || isControlled(lower)) return false;
  return sameValue(wanted, seen) || (rules[lower]?.(wanted, seen, all) ?? false);
}

/** Sources that the controller does not start a server with: what they gave has to stand in the file. */
const passing: readonly string[] = ['command line', 'environment variable'];

/** What each server has of its own, and what multiplexing needs to be exactly so: the command line does not count there. */
const neverCarried: readonly string[] = [
  ...controlledSettings,
  ...recoveryNames,
  'port',
  'unix_socket_directories',
  'listen_addresses',
  'hot_standby',
  'full_page_writes',
  'wal_log_hints',
  'recovery_target_timeline',
  'wal_sender_timeout',
  'wal_receiver_timeout',
  'wal_retrieve_retry_interval',
  'wal_receiver_status_interval',
];

/** Carried if it is as good as this. */
const leastCarried: Readonly<Record<string, string>> = {
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  wal_keep_size: '1024MB',
};

/** Is a setting of the command line taken over into the file of every server? */
export function isCarried(name: string, all: ValuesInForce): boolean {
  if (!passing.includes(all.get(name)?.source ?? '') || neverCarried.includes(name)) return false;
  const least = leastCarried[name];
  return least === undefined || suffices(name, least, all);
}

export interface Judgement {
  /** What pgduet has to write. */
  readonly names: readonly string[];
  /** Those of them whose value in force is not good enough, and that only a restart brings into force. */
  readonly restart: readonly string[];
  readonly logging: Logging;
}

/**
 * Without `logging` it is decided here: a server that has a log of its own keeps it, and no server is restarted for it.
 * `moves`: there is a restart in any case.
 */
export function judge(
  wanted: Readonly<Record<string, string>>,
  all: ValuesInForce,
  logging: Logging | undefined,
  moves = false,
): Judgement {
  const good = (name: string): boolean => suffices(name, wanted[name] ?? '', all);
  const comesAndGoes = (name: string): boolean => passing.includes(all.get(name.toLowerCase())?.source ?? '');
  const needsRestart = (name: string): boolean =>
    all.get(name.toLowerCase())?.context === 'postmaster' && !good(name);
  const open = Object.keys(wanted).filter((name) => !good(name) || comesAndGoes(name));
  const others = open.filter((name) => !isLogSetting(name));
  const hasOwnLog =
    all.get('logging_collector')?.value === 'on' ||
    !list(all.get('log_destination')?.value ?? 'stderr').includes('stderr');
  const decided = logging ?? (hasOwnLog || !(moves || others.some(needsRestart)) ? 'theirs' : 'ours');
  const names = decided === 'theirs' ? others : open;
  return { names, restart: names.filter(needsRestart), logging: decided };
}

const isLogSetting = (name: string): boolean => loggingNames.includes(name.toLowerCase());

/** What stands in postgresql.conf of a server that does not run, as if it were in force. */
export function asInForce(value: string): InForce {
  const bytes = parseSizeBytes(value);
  const ms = parseDurationMs(value);
  const counted =
    bytes !== undefined
      ? { raw: String(bytes), unit: 'B' }
      : ms !== undefined
        ? { raw: String(ms), unit: 'ms' }
        : { raw: value, unit: null };
  return { value, context: '', pending: false, source: 'configuration file', ...counted };
}
