/**
 * What kind `settings` sees: postgresql.conf, and what the running server has made of it and of all that stands over it.
 * In: the answer to one probe. Out: plain data. It judges nothing. Pure.
 */
import { quoteLiteral } from '../postgres/quote.ts';
import type { InForce, Logging } from './adopted-rules.ts';
import type { ConfigurationFile } from './configuration-file.ts';
import type { Instance } from './kind.ts';

export interface SettingsDesired {
  readonly name: string;
  readonly instance: Instance;
  readonly values: Readonly<Record<string, string>>;
  /** Settings in our block that another resource declares; without this field the rest of the block is not ours. */
  readonly except?: readonly string[];
  /** Of a server that was there before: what is as good stays, see `adopted-rules.ts`. */
  readonly adopted?: {
    /** False as long as kind `takeover` has to hand the server to the controller: it brings restarts about. */
    readonly taken: boolean;
    /** Absent: not decided yet. */
    readonly logging?: Logging;
  };
}

export interface Live {
  /** When the server last read its configuration, seconds since 1970. */
  readonly loaded: number;
  readonly settings: Readonly<Record<string, LiveSetting>>;
  /** Names that postgresql.auto.conf holds, in force already or at the next reload. */
  readonly auto: readonly string[];
}

/** The value is asked for by name only: what stands in the file besides needs no more than its context. */
export type LiveSetting = Pick<InForce, 'context' | 'pending'> & Partial<InForce>;

export type SettingsSeen = ConfigurationFile<Live>;

/** On a standby: that it is one, and values of the primary below which it would not start ("Hot Standby", administrator's overview). */
export const floorScript = `if [ -f "$d/standby.signal" ]; then printf 'standby '; fi
if [ -f "$d/standby.signal" ] && [ -n "$PGBIN" ]; then
"$PGBIN/pg_controldata" -D "$d" | sed -n 's/^\\(max_[a-z_]*\\) setting: */\\1=/p' | tr '\\n' ' '; fi`;

/** As pg_controldata calls them, and as the settings are called. */
const floorNames: Readonly<Record<string, string>> = {
  max_connections: 'max_connections',
  max_worker_processes: 'max_worker_processes',
  max_wal_senders: 'max_wal_senders',
  max_prepared_xacts: 'max_prepared_transactions',
  max_locks_per_xact: 'max_locks_per_transaction',
};

export const confPath = (desired: SettingsDesired): string => `${desired.instance.dataDir}/postgresql.conf`;

/** What the rules for a server that was there before ask besides. */
const judged: readonly string[] = ['data_checksums', 'log_destination'];

export const liveQuery = (
  names: readonly string[],
): string => `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'settings', (select coalesce(json_object_agg(name, json_build_object('context', context, 'pending', pending_restart,
     'value', current_setting(name, true), 'raw', setting, 'unit', unit, 'source', source)), '{}')
   from pg_settings where sourcefile like '%/postgresql.conf' or name = any (array[${[...names, ...judged].map((name) => quoteLiteral(name.toLowerCase())).join(', ')}]::text[])),
 'auto', (select coalesce(json_agg(lower(name)), '[]') from pg_file_settings where sourcefile like '%/postgresql.auto.conf'))`;

export function readFloor(words: readonly string[]): ReadonlyMap<string, number> {
  const pairs = words.map((word) => word.split('='));
  return new Map(
    pairs.flatMap(([label = '', value]) => {
      const name = floorNames[label];
      return name === undefined ? [] : [[name, Number(value)] as const];
    }),
  );
}
