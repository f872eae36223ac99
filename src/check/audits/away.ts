/**
 * A standby that is away: whether the primary still has the WAL that it will ask for, and how much longer. Pure.
 */
import { walNumber } from '../../postgres/controldata.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';
import { lastKnown, type Position, positionQuery } from './position.ts';
import { sizeWords } from './words.ts';

interface Kept {
  readonly recovery: boolean;
  readonly position: Position;
  /** Names of those that stream from here. */
  readonly senders: readonly string[];
  /** The two halves of the oldest segment's number, as its file name has them; null: there is none. */
  readonly oldest: string | null;
  readonly segmentBytes: number;
  /** wal_keep_size in bytes. */
  readonly keepBytes: number;
  /** The oldest WAL that a slot keeps; null: no slot does. */
  readonly slotted: string | null;
}

/** Names of WAL files are compared without their timelines. */
const query = `select json_build_object('recovery', pg_is_in_recovery(), 'position', ${positionQuery},
 'senders', (select coalesce(json_agg(application_name), '[]') from pg_stat_replication),
 'oldest', (select min(substr(name, 9)) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'),
 'segmentBytes', b, 'keepBytes', pg_size_bytes(current_setting('wal_keep_size')),
 'slotted', (select min(restart_lsn) from pg_replication_slots))
 from (select bytes_per_wal_segment b from pg_control_init()) s`;

export const away: Audit<Kept> = {
  name: 'WAL that is kept',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (context, seen) => {
    const { primary } = context;
    const kept = primary === undefined ? undefined : seen.get(primary);
    if (primary === undefined || !kept || kept.recovery || kept.oldest === null) return [];
    return context.cluster.servers
      .filter(({ name }) => name !== primary && !kept.senders.includes(name))
      .flatMap(({ name }) => judgeAway(context, name, seen.get(name)?.position, primary, kept));
  },
};

function judgeAway(
  { view }: AuditContext,
  host: string,
  asked: Position | undefined,
  primary: string,
  kept: Kept,
): readonly Reported[] {
  const last = lastKnown(view, host, asked);
  if (!last) return [];
  // Of another cluster it needs no WAL of this one, and a rebuild is no way; kind `standby` tells that.
  const [theirs, ours] = [host, primary].map((name) => view.hosts.get(name)?.data?.control?.systemIdentifier);
  if (theirs !== undefined && ours !== undefined && theirs !== ours) return [];
  // A standby asks for whole segments, from the beginning of the one that it was in.
  const segment = BigInt(kept.segmentBytes);
  const needs = (walNumber(last.lsn) / segment) * segment;
  const oldest = startOf(kept.oldest ?? '', segment);
  const told = (found: string): Reported => ({
    code: 'REP010',
    host,
    object: host,
    declared: `WAL from ${last.lsn} on, where ${host} was last`,
    found,
  });
  if (needs < oldest)
    return [
      told(`${primary} keeps none before ${lsn(oldest)}: ${sizeWords(Number(oldest - needs))} are missing`),
    ];
  if (kept.slotted !== null && walNumber(kept.slotted) <= needs) return [];
  const left = Number(needs) + kept.keepBytes - Number(walNumber(kept.position.lsn));
  if (left > kept.keepBytes / 4) return [];
  return [
    told(
      left > 0
        ? `${primary} keeps it for ${sizeWords(left)} of WAL more (wal_keep_size ${sizeWords(kept.keepBytes)})`
        : `${primary} removes it at one of the next checkpoints (wal_keep_size ${sizeWords(kept.keepBytes)})`,
    ),
  ];
}

/** "0000000000000003" → where that segment begins. */
function startOf(name: string, segmentBytes: bigint): bigint {
  return (BigInt(`0x${name.slice(0, 8)}`) << 32n) + BigInt(`0x${name.slice(8)}`) * segmentBytes;
}

const lsn = (position: bigint): string =>
  `${(position >> 32n).toString(16).toUpperCase()}/${(position & 0xffffffffn).toString(16).toUpperCase()}`;
