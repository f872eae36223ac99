/**
 * The settings of a server as they are in force, with where they come from, in one query that several audits judge. Those
 * that stand at their defaults are left out, but for the few that are judged by themselves. In: an answer of the server.
 * Out: settings by their lower-case names. Pure.
 */

import { quoteLiteral } from '../../postgres/quote.ts';
import { placeOf, type SettingRow, settingRow } from '../../postgres/setting-row.ts';
import type { Observed, Probe, ProbeReply } from '../../resources/contract/kind.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import { settingWords } from './words.ts';

/** ALTER ROLE or ALTER DATABASE; null: for all of them. */
export interface OwnSetting {
  readonly role: string | null;
  readonly database: string | null;
  readonly name: string;
  readonly value: string;
}

export interface InForce {
  readonly settings: ReadonlyMap<string, SettingRow>;
  readonly own: readonly OwnSetting[];
  /** Who asked may see every setting and its place. */
  readonly whole: boolean;
}

/** Judged also where they stand at their defaults. */
const always: readonly string[] = [
  'server_version',
  'wal_segment_size',
  'max_connections',
  'max_wal_senders',
  'max_worker_processes',
  'max_locks_per_transaction',
  'max_prepared_transactions',
];

export const settingsQuery = `select json_build_object('whole', pg_has_role(current_user, 'pg_read_all_settings', 'usage'),
 'settings', (select json_object_agg(lower(name), ${settingRow})
  from pg_settings where source not in ('default', 'override', 'client') and (source <> 'session' or reset_val is distinct from boot_val) or name in (${always.map(quoteLiteral).join(', ')})),
 'own', (select coalesce(json_agg(json_build_object('role', r.rolname, 'database', d.datname, 'name', lower(split_part(c, '=', 1)), 'value', substr(c, strpos(c, '=') + 1))), '[]')
  from pg_db_role_setting s cross join unnest(s.setconfig) c left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase))`;

export const settingsProbe: Probe = { sql: settingsQuery };

interface Answer {
  readonly whole: boolean;
  readonly settings: Readonly<Record<string, SettingRow>>;
  readonly own: readonly OwnSetting[];
}

export function readInForce(reply: ProbeReply): Observed<InForce> {
  if (reply.sql === undefined || reply.sql === null)
    return unknown(reply.sqlProblem ?? 'the server did not answer');
  const { whole, settings, own } = reply.sql as Answer;
  return present({ whole, settings: new Map(Object.entries(settings)), own });
}

/** Of a login that may not see all of them, what is missing must not pass for a default. */
export function readWhole(reply: ProbeReply): Observed<InForce> {
  const seen = readInForce(reply);
  if (seen.state !== 'present' || seen.value.whole) return seen;
  return unknown(
    'this login may not see all settings and their places (it is no member of pg_read_all_settings)',
  );
}

export const shown = (name: string, setting: SettingRow): string =>
  settingWords(name, setting.raw, setting.unit);

/** What takes a setting away from where it stands; nothing to say of a place that nobody can change by one command. */
export function undoing(name: string, setting: SettingRow): string | undefined {
  if (setting.file?.endsWith('/postgresql.auto.conf'))
    return `on {host}: ALTER SYSTEM RESET ${name}; then SELECT pg_reload_conf()`;
  if (setting.file !== null) return `remove line ${placeOf(setting)} on {host}, then SELECT pg_reload_conf()`;
  if (setting.source === 'command line')
    return "restart the instance on {host} by its controller, which gives no such option; on a primary after 'pgduet switch'";
  return undefined;
}
