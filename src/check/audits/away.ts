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
  /** max_slot_wal_keep_size in bytes; -1: none. */
  readonly slotBytes: number;
}

/** Names of WAL files are compared without their timelines. */
const query = `select json_build_object('recovery', pg_is_in_recovery(), 'position', ${positionQuery},
 'senders', (select coalesce(json_agg(application_name), '[]') from pg_stat_replication),
 'oldest', (select min(substr(name, 9)) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'),
 'segmentBytes', b, 'keepBytes', pg_size_bytes(current_setting('wal_keep_size')),
 'slotted', (select min(restart_lsn) from pg_replication_slots), 'slotBytes', pg_size_bytes(current_setting('max_slot_wal_keep_size')))
 from (select bytes_per_wal_segment b from pg_control_init()) s`;

export const away: Audit<Kept> = {
  name: 'WAL that is kept',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (context, seen) => {
    const { primary } = context;
    const kept = primary === undefined ? undefined : seen.get(primary);
    if (primary === undefined || !kept || kept.recovery) return [];
    return context.cluster.servers
      .filter(({ name }) => name !== primary && !kept.senders.includes(name))
      .flatMap(({ name }) => judgeAway(context, name, seen.get(name)?.position, primary, kept));
  },
};

/** What is left of the WAL that a server will ask for; bytes. */
type Left =
  | { readonly how: 'gone'; readonly oldest: bigint; readonly missing: number }
  | { readonly how: 'slot' | 'size'; readonly lacks: number; readonly left: number };

function leftFor(
  { view }: AuditContext,
  host: string,
  last: Position,
  primary: string,
  kept: Kept,
): Left | undefined {
  if (kept.oldest === null) return undefined;
  // Of another cluster it needs no WAL of this one, and a rebuild is no way; kind `standby` tells that.
  const [theirs, ours] = [host, primary].map((name) => view.hosts.get(name)?.data?.control?.systemIdentifier);
  if (theirs !== undefined && ours !== undefined && theirs !== ours) return undefined;
  // A standby asks for whole segments, from the beginning of the one that it was in.
  const segment = BigInt(kept.segmentBytes);
  const needs = (walNumber(last.lsn) / segment) * segment;
  const oldest = startOf(kept.oldest, segment);
  if (needs < oldest) return { how: 'gone', oldest, missing: Number(oldest - needs) };
  const now = Number(walNumber(kept.position.lsn));
  const lacks = Math.max(0, now - Number(needs));
  const slotted = kept.slotted === null ? undefined : walNumber(kept.slotted);
  if (slotted === undefined || slotted > needs) return { how: 'size', lacks, left: kept.keepBytes - lacks };
  // The slot itself is lost once it keeps more than that.
  const left = kept.slotBytes < 0 ? Number.POSITIVE_INFINITY : kept.slotBytes - (now - Number(slotted));
  return { how: 'slot', lacks, left };
}

function judgeAway(
  context: AuditContext,
  host: string,
  asked: Position | undefined,
  primary: string,
  kept: Kept,
): readonly Reported[] {
  const last = lastKnown(context.view, host, asked);
  const seen = last && leftFor(context, host, last, primary, kept);
  if (!seen) return [];
  const told = (found: string): Reported => ({
    code: 'REP010',
    host,
    object: host,
    declared: `WAL from ${last.lsn} on, where ${host} was last`,
    found,
  });
  if (seen.how === 'gone')
    return [told(`${primary} keeps none before ${lsn(seen.oldest)}: ${sizeWords(seen.missing)} are missing`)];
  if (seen.how === 'slot' || seen.left > kept.keepBytes / 4) return [];
  return [
    told(
      seen.left > 0
        ? `${primary} keeps it for ${sizeWords(seen.left)} of WAL more (wal_keep_size ${sizeWords(kept.keepBytes)})`
        : `${primary} removes it at one of the next checkpoints (wal_keep_size ${sizeWords(kept.keepBytes)})`,
    ),
  ];
}

/** The same of a server in maintenance, while there is enough: how much it lacks, and how much more may come. Nothing where it streams. */
export function keptWords(
  context: AuditContext,
  seen: ReadonlyMap<string, unknown>,
  host: string,
): string | undefined {
  const { primary } = context;
  const facts = seen as ReadonlyMap<string, Kept>;
  const kept = primary === undefined ? undefined : facts.get(primary);
  if (primary === undefined || !kept || kept.recovery || kept.senders.includes(host)) return undefined;
  const last = lastKnown(context.view, host, facts.get(host)?.position);
  const left = last && leftFor(context, host, last, primary, kept);
  if (!left || left.how === 'gone') return undefined;
  const lacks = `${primary} keeps the WAL that it lacks, ${sizeWords(left.lacks)}`;
  const by = left.how === 'size' ? 'wal_keep_size' : 'max_slot_wal_keep_size';
  if (left.left <= 0) return `${lacks}, until one of the next checkpoints (${by})`;
  return Number.isFinite(left.left)
    ? `${lacks}, and ${sizeWords(left.left)} more (${by})`
    : `${lacks}, by a slot without a limit: its disk fills`;
}

/** "0000000000000003" → where that segment begins. */
function startOf(name: string, segmentBytes: bigint): bigint {
  return (BigInt(`0x${name.slice(0, 8)}`) << 32n) + BigInt(`0x${name.slice(8)}`) * segmentBytes;
}

const lsn = (position: bigint): string =>
  `${(position >> 32n).toString(16).toUpperCase()}/${(position & 0xffffffffn).toString(16).toUpperCase()}`;
