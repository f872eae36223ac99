/**
 * What kind `settings` sees: postgresql.conf, and what the running server has made of it and of all that stands over it.
 * In: the answer to one probe. Out: plain data. It judges nothing. Pure.
 */

import { controlledSettings } from '../../postgres/controlled-settings.ts';
import { limitScript } from '../../postgres/limits.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { recoveryNames } from '../../postgres/recovery-settings.ts';
import { type SettingRow, settingRow } from '../../postgres/setting-row.ts';
import type { Instance } from '../contract/kind.ts';
import type { Logging } from './adopted-rules.ts';
import type { ConfigurationFile } from './configuration-file.ts';

export interface SettingsDesired {
  readonly name: string;
  readonly instance: Instance;
  /** Major version of PostgreSQL. */
  readonly version: number;
  readonly values: Readonly<Record<string, string>>;
  /** Settings in our block that another resource declares; without this field the rest of the block is not ours. */
  readonly except?: readonly string[];
  /** Of a standing `primary_conninfo` that verifies: it stays so, or is written as declared; absent: nobody declares it. */
  readonly tls?: 'kept' | 'free';
  /** They name files that the same run makes: no host can try them before. */
  readonly untried?: true;
  /** Libraries that a package brings before. */
  readonly brought?: readonly string[];
  /** Of a server that was there before: what is as good stays, see `adopted-rules.ts`. */
  readonly adopted?: {
    /** False as long as kind `takeover` has to hand the server to the controller: it brings restarts about. */
    readonly taken: boolean;
    /** Absent: not decided yet. */
    readonly logging?: Logging;
  };
  /** Of `values`: nobody declares them, see `settings-leftovers.ts`. */
  readonly leftovers?: readonly string[];
}

export interface Live {
  /** When the server last read its configuration, seconds since 1970. */
  readonly loaded: number;
  /** By lower-case name. */
  readonly settings: Readonly<Record<string, LiveSetting>>;
  /** Lines of all configuration files, as they stand there now and in the order in which they are read. */
  readonly lines: readonly FileLine[];
  /** What ALTER ROLE and ALTER DATABASE hold. */
  readonly overrides: readonly Override[];
  /** Those with which it does not start without logical WAL. */
  readonly logicalSlots?: readonly string[];
  /** Where the server's configuration is: the settings of these names. */
  readonly places: Readonly<Record<Place, string>>;
}

/** Of a row that a server shows, the context and a wait for a restart are always known. */
export type LiveSetting = Partial<SettingRow> & Pick<SettingRow, 'context' | 'pending'>;

/** A line of a declared setting, or one with an error. */
export interface FileLine {
  /** Null where the line cannot be read. */
  readonly name: string | null;
  readonly value: string | null;
  readonly file: string;
  /** 0: the file as a whole cannot be read. */
  readonly line: number;
  readonly error: string | null;
  /** Of the setting; null where the server knows none. */
  readonly context: string | null;
  readonly pending: boolean | null;
}

export interface Override {
  /** Null: all roles. */
  readonly role: string | null;
  /** Null: all databases. */
  readonly database: string | null;
  /** "work_mem=1GB" */
  readonly setting: string;
}

export const places = ['config_file', 'hba_file', 'ident_file', 'data_directory'] as const;
export type Place = (typeof places)[number];

export type SettingsSeen = ConfigurationFile<Live>;

/**
 * When ALTER SYSTEM was used last, and all that it holds: a server that does not run cannot be asked. On a standby: that it is one, and values of the primary below which it would not start
 * ("Hot Standby", administrator's overview).
 */
export const extraScript = `stat -c 'auto=%.3Y' "$d/postgresql.auto.conf" 2>/dev/null
printf 'held=%s ' "$(if [ -f "$d/postgresql.auto.conf" ]; then text_of "$d/postgresql.auto.conf" | base64 -w 0; fi)"
if [ -f "$d/standby.signal" ]; then printf 'standby '; fi
if [ -f "$d/standby.signal" ] && [ -n "$PGBIN" ]; then
${limitScript('"$d"')}; fi`;

export const confPath = (desired: SettingsDesired): string => `${desired.instance.dataDir}/postgresql.conf`;

/** What the rules for a server that was there before ask besides. */
const judged: readonly string[] = ['data_checksums', 'log_destination'];

export function liveQuery(names: readonly string[]): string {
  const asked = [
    ...new Set(
      [...names, ...controlledSettings, ...recoveryNames, ...judged].map((name) => name.toLowerCase()),
    ),
  ];
  const list = `array[${asked.map(quoteLiteral).join(', ')}]::text[]`;
  return `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'settings', (select coalesce(json_object_agg(lower(name), ${settingRow}), '{}')
   from pg_settings where sourcefile like '%/postgresql.conf' or lower(name) = any (${list})),
 'lines', (select coalesce(json_agg(json_build_object('name', lower(f.name), 'value', f.setting, 'file', coalesce(f.sourcefile, current_setting('config_file')), 'line', coalesce(f.sourceline, 0),
     'error', f.error, 'context', s.context, 'pending', s.pending_restart) order by f.seqno), '[]')
   from pg_file_settings f left join pg_settings s on lower(s.name) = lower(f.name) where f.error is not null or lower(f.name) = any (${list})),
 'overrides', (select coalesce(json_agg(json_build_object('role', r.rolname, 'database', d.datname, 'setting', c.setting)), '[]')
   from pg_db_role_setting o left join pg_roles r on r.oid = o.setrole left join pg_database d on d.oid = o.setdatabase, unnest(o.setconfig) as c(setting)
   where lower(split_part(c.setting, '=', 1)) = any (${list})),
 'logicalSlots', (select coalesce(json_agg(slot_name order by slot_name), '[]') from pg_replication_slots where slot_type = 'logical' and not temporary),
 'places', json_build_object(${places.map((name) => `'${name}', current_setting('${name}')`).join(', ')}))`;
}

/** The text of postgresql.auto.conf. */
export const autoText = (words: readonly string[]): string =>
  Buffer.from(words.find((word) => word.startsWith('held='))?.slice('held='.length) ?? '', 'base64').toString(
    'utf8',
  );

export const autoPath = (desired: SettingsDesired): string =>
  `${desired.instance.dataDir}/postgresql.auto.conf`;

/** When ALTER SYSTEM was used last, seconds since 1970. */
export function autoWritten(words: readonly string[]): number | undefined {
  const time = Number(words.find((word) => word.startsWith('auto='))?.slice('auto='.length));
  return Number.isNaN(time) ? undefined : time;
}
