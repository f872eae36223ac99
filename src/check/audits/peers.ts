/**
 * The settings of one server beside those of the primary: limits that a standby must not have lower, and all others that
 * differ without being a server's own. What is declared is compared by kind `settings`, and not reported again. Pure.
 */

import { controlledSettings } from '../../postgres/controlled-settings.ts';
import { neverMeant } from '../../postgres/recovery-settings.ts';
import { placeOf, type SettingRow } from '../../postgres/setting-row.ts';
import type { AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { isUnsafe } from './durability.ts';
import { type InForce, shown } from './in-force.ts';
import { settingWords } from './words.ts';

/** A standby with less than its primary cannot replay what that one does ("Administrator's Overview" of hot standby). */
export const limits: readonly string[] = [
  'max_connections',
  'max_wal_senders',
  'max_worker_processes',
  'max_locks_per_transaction',
  'max_prepared_transactions',
];

/** What each server has of its own, by its nature or by its role. */
const ownByNature: ReadonlySet<string> = new Set([
  ...['port', 'listen_addresses', 'unix_socket_directories', 'unix_socket_group', 'unix_socket_permissions'],
  ...['data_directory', 'data_directory_mode', 'config_file', 'hba_file', 'ident_file', 'external_pid_file'],
  ...[
    'cluster_name',
    'event_source',
    'bonjour_name',
    'syslog_ident',
    'log_directory',
    'stats_temp_directory',
  ],
  ...controlledSettings,
  // Told by kind `settings`; on a primary an old one stays in force until a restart, and means nothing.
  ...neverMeant,
  ...['in_hot_standby', 'transaction_read_only', 'transaction_isolation', 'transaction_deferrable'],
  ...['ssl_cert_file', 'ssl_key_file', 'ssl_ca_file', 'ssl_crl_file', 'ssl_crl_dir', 'ssl_dh_params_file'],
  // Computed from others, or reported with a code of their own.
  ...['shared_memory_size', 'shared_memory_size_in_huge_pages', 'num_os_semaphores', 'huge_pages_status'],
  ...['server_version', 'wal_segment_size', 'recovery_min_apply_delay', 'max_stack_depth'],
]);

export function judgeLimits(context: AuditContext, seen: ReadonlyMap<string, InForce>): readonly Reported[] {
  return againstPrimary(context, seen).flatMap(({ host, primary, mine, theirs }) =>
    limits.flatMap((name) => {
      const [own, needed] = [mine.settings.get(name), theirs.settings.get(name)];
      if (!own || !needed || Number(own.raw) >= Number(needed.raw)) return [];
      return [
        {
          code: 'PEE001' as const,
          host,
          object: name,
          declared: `${shown(name, needed)} at least, as on ${primary}`,
          found: shown(name, own),
          source: placeOf(own),
        },
      ];
    }),
  );
}

export function judgePeers(context: AuditContext, seen: ReadonlyMap<string, InForce>): readonly Reported[] {
  return againstPrimary(context, seen).flatMap(({ host, primary, mine, theirs }) => {
    const names = new Set([...mine.settings.keys(), ...theirs.settings.keys()]);
    const declared = [host, primary].map((name) => context.declaredSettings(name));
    return [...names].sort().flatMap((name) => {
      const [own, other] = [mine.settings.get(name), theirs.settings.get(name)];
      if (ownByNature.has(name) || declared.some((values) => values.has(name)) || same(own, other)) return [];
      if ([own, other].some((one) => isUnsafe(name, one?.raw ?? ''))) return [];
      if (limits.includes(name) && Number(own?.raw) < Number(other?.raw)) return [];
      return [difference(name, host, primary, own, other)];
    });
  });
}

/** One that is not reported stands at its default, which the one that is reported knows. */
const effective = (setting: SettingRow | undefined, other: SettingRow | undefined): string =>
  setting?.raw ?? other?.boot ?? '';

const same = (one: SettingRow | undefined, other: SettingRow | undefined): boolean =>
  effective(one, other) === effective(other, one);

function difference(
  name: string,
  host: string,
  primary: string,
  own: SettingRow | undefined,
  other: SettingRow | undefined,
): Reported {
  const unit = own?.unit ?? other?.unit ?? null;
  return {
    code: 'PEE002',
    host,
    object: name,
    declared: `${settingWords(name, effective(other, own), unit)}, as on ${primary}`,
    found: settingWords(name, effective(own, other), unit),
    source: `${host}: ${placeOf(own)}; ${primary}: ${placeOf(other)}`,
  };
}

interface Beside {
  readonly host: string;
  readonly primary: string;
  readonly mine: InForce;
  readonly theirs: InForce;
}

/** Each standby with the primary; nothing is compared as long as that one could not be looked at. */
function againstPrimary(context: AuditContext, seen: ReadonlyMap<string, InForce>): readonly Beside[] {
  const { primary } = context;
  const theirs = primary === undefined ? undefined : seen.get(primary);
  if (primary === undefined || theirs === undefined) return [];
  return [...seen]
    .filter(([host]) => host !== primary)
    .map(([host, mine]) => ({ host, primary, mine, theirs }));
}
