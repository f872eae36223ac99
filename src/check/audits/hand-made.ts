/**
 * Settings of a configuration file that nobody has declared, besides those that initdb writes. On a server that was there
 * before pgduet its own settings are its right. What another audit tells of a setting is not reported again. Pure.
 */
import type { Server } from '../../inventory/cluster.ts';
import { isControlled } from '../../postgres/controlled-settings.ts';
import { neverMeant } from '../../postgres/recovery-settings.ts';
import { placeOf, type SettingRow } from '../../postgres/setting-row.ts';
import type { AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { isUnsafe } from './durability.ts';
import { type InForce, shown } from './in-force.ts';
import { judgeLimits, judgePeers } from './peers.ts';

/** What initdb writes into postgresql.conf by what it finds on the host; by the value alone nobody can tell. */
const byInitdb: ReadonlySet<string> = new Set([
  ...['datestyle', 'timezone', 'log_timezone', 'default_text_search_config', 'dynamic_shared_memory_type'],
  ...['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time'],
  // Fewer than the default on a host with few semaphores, from 18 on.
  'autovacuum_worker_slots',
]);

/** What initdb writes with one value, as pg_settings counts it. Half of it and less only on hosts that have no more. */
const initdbLimits: Readonly<Record<string, number>> = { max_connections: 100, shared_buffers: 16384 };

/** Sizes that initdb derives from that of a WAL segment. */
const initdbSegments: Readonly<Record<string, number>> = { min_wal_size: 5, max_wal_size: 64 };

/** Reported with a code of its own where it holds a standby up. */
const delay = 'recovery_min_apply_delay';

export function judgeHandMade(
  context: AuditContext,
  seen: ReadonlyMap<string, InForce>,
): readonly Reported[] {
  const told = new Set(
    [...judgeLimits(context, seen), ...judgePeers(context, seen)].map(({ object }) => object),
  );
  return context.cluster.servers.flatMap((server) => {
    const inForce = seen.get(server.name);
    if (!inForce || context.view.hosts.get(server.name)?.adopted) return [];
    const declared = context.declaredSettings(server.name);
    const isStandby = server.name !== context.primary;
    return [...inForce.settings]
      .filter(
        ([name, setting]) =>
          setting.source === 'configuration file' && setting.file !== null && !declared.has(name),
      )
      .filter(
        ([name, setting]) =>
          !(
            (isStandby && name === delay) ||
            told.has(name) ||
            isControlled(name) ||
            neverMeant.includes(name) ||
            isUnsafe(name, setting.raw)
          ),
      )
      .filter(([name, setting]) => !isOfInitdb(name, setting, server, inForce))
      .map(([name, setting]) => tell(server.name, name, setting));
  });
}

function isOfInitdb(name: string, setting: SettingRow, server: Server, { settings }: InForce): boolean {
  if (setting.file !== `${server.postgres.dataDir}/postgresql.conf`) return false;
  if (byInitdb.has(name)) return true;
  if (initdbLimits[name] !== undefined) return Number(setting.raw) === initdbLimits[name];
  const segments = initdbSegments[name];
  const segmentBytes = Number(settings.get('wal_segment_size')?.raw ?? 0);
  return segments !== undefined && Number(setting.raw) * 1024 ** 2 === segments * segmentBytes;
}

const tell = (host: string, name: string, setting: SettingRow): Reported => ({
  code: 'SET014',
  host,
  object: name,
  declared: 'nothing',
  found: shown(name, setting),
  source: placeOf(setting),
});
