/**
 * A row of pg_settings ("System Views"), as every query of pgduet asks for it, and in words where a value comes from.
 * Data and text only. Pure.
 */

export interface SettingRow {
  /** With its unit, as SHOW prints it. */
  readonly value: string;
  /** As pg_settings counts it: a number of units, where it has a unit. */
  readonly raw: string;
  /** "8kB", "MB", "s"; null for a plain number or a text. */
  readonly unit: string | null;
  /** bool, enum, integer, real or string. */
  readonly type: string;
  /** "postmaster": it changes only with a restart. */
  readonly context: string;
  /** "configuration file", "command line", "default" … */
  readonly source: string;
  /** Null also for a login that may not see places. */
  readonly file: string | null;
  readonly line: number | null;
  /** What it would be if nobody had set it; null: nothing. */
  readonly boot: string | null;
  /** The files hold another value, which waits for a restart. */
  readonly pending: boolean;
}

/**
 * SQL: one row as JSON. A session's own value, such as the statement_timeout of a look, hides the server's: that one is
 * reset_val, which the session would have without it.
 */
export const settingRow = `json_build_object('value', coalesce(current_setting(name, true), ''), 'raw', case when source = 'session' then reset_val else setting end,
 'unit', unit, 'type', vartype, 'context', context, 'source', source, 'file', sourcefile, 'line', sourceline, 'boot', boot_val, 'pending', pending_restart)`;

/** SQL: what counts for each setting at the next start, by lower-case name, as far as files say it. */
export const configuredRows =
  'select distinct on (lower(name)) lower(name) as name, setting from pg_file_settings where name is not null and setting is not null order by lower(name), seqno desc';

/** What pg_file_settings says of a value that is wrong, and also of one that only a restart brings into force. */
export const notApplied = 'setting could not be applied';

/** "/database/inst1/postgresql.conf:12", or in words where it comes from. */
export function placeOf(setting: Pick<SettingRow, 'source' | 'file' | 'line'> | undefined): string {
  if (!setting || setting.source === 'default' || setting.source === 'session') return 'the default';
  if (setting.file !== null) return `${setting.file}:${setting.line ?? '?'}`;
  const words: Readonly<Record<string, string>> = {
    'command line': 'the command line of the server',
    'environment variable': "an environment variable of the server's start",
    database: 'ALTER DATABASE',
    user: 'ALTER ROLE',
    'database user': 'ALTER ROLE … IN DATABASE',
  };
  return words[setting.source] ?? setting.source;
}
