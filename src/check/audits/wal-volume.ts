/**
 * How much WAL the primary writes, beside what is set for it: whether a standby that is away for the declared time finds the WAL that it
 * needs, and whether WAL makes checkpoints before their time. Measured, never guessed: too little to go by is told of by nobody. Pure.
 */
import { type CheckpointCounts, versionFacts } from '../../postgres/versions.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';
import { durationWords, sizeWords } from './words.ts';

interface Volume {
  readonly recovery: boolean;
  readonly keepBytes: number;
  readonly maxWalBytes: number;
  readonly checkpointSeconds: number;
  /** Since the oldest segment that is kept was full. */
  readonly written: { readonly bytes: number; readonly seconds: number } | null;
  readonly checkpoints: {
    readonly timed: number;
    readonly requested: number;
    readonly since: number | null;
  } | null;
  /** Since these statistics were reset; null before PostgreSQL 14, which does not count it. */
  readonly counted: { readonly bytes: number; readonly seconds: number } | null;
}

/** A segment's number in its name, without the timeline. `b`: bytes of a segment. */
const number = `('x' || substr(name, 9, 8))::bit(32)::bigint * (4294967296 / b) + ('x' || substr(name, 17, 8))::bit(32)::bigint`;

const query = ({
  view,
  timed,
  requested,
  walBytes,
}: CheckpointCounts): string => `select json_build_object('recovery', pg_is_in_recovery(),
 'keepBytes', pg_size_bytes(current_setting('wal_keep_size')), 'maxWalBytes', pg_size_bytes(current_setting('max_wal_size')),
 'checkpointSeconds', extract(epoch from current_setting('checkpoint_timeout')::interval),
 'written', (select json_build_object('bytes', here - (n + 1) * b, 'seconds', round(extract(epoch from now() - modification)))
   from (select ${number} n, modification, b, here from pg_ls_waldir(),
     (select bytes_per_wal_segment b, case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') end here from pg_control_init()) s
     where name ~ '^[0-9A-F]{24}$') w where (n + 1) * b <= here order by n limit 1),
 'checkpoints', (select json_build_object('timed', ${timed}, 'requested', ${requested}, 'since', round(extract(epoch from stats_reset))) from ${view}),
 'counted', ${
   walBytes
     ? `(select json_build_object('bytes', wal_bytes, 'seconds', round(extract(epoch from now() - stats_reset))) from pg_stat_wal)`
     : 'null'
 })`;

export const walVolume: Audit<Volume> = {
  name: 'the WAL that is written',
  probe: ({ postgres }) => ({ sql: query(versionFacts(postgres.version).checkpoints) }),
  read: answer,
  judge: (context, seen) => {
    const { primary } = context;
    const volume = primary === undefined ? undefined : seen.get(primary);
    if (primary === undefined || !volume || volume.recovery) return [];
    return [...tooLittleKept(context, primary, volume), ...tooManyCheckpoints(primary, volume)];
  },
};

const hour = 3600;
/** What is measured over less says nothing of hours, unless it has filled all that is kept. */
const leastSeconds = 600;

function tooLittleKept({ cluster }: AuditContext, primary: string, volume: Volume): readonly Reported[] {
  const { written, keepBytes } = volume;
  const kept = cluster.servers.find(({ name }) => name === primary)?.multiplexing.walKept;
  if (!kept || !written || written.seconds <= 0) return [];
  if (written.seconds < leastSeconds && written.bytes < keepBytes) return [];
  const perHour = (written.bytes / written.seconds) * hour;
  const needed = (perHour * kept.downtimeMs) / 1000 / hour;
  if (needed <= keepBytes) return [];
  return [
    {
      code: 'REP016',
      host: primary,
      object: 'wal_keep_size',
      declared: `WAL for ${durationWords(kept.downtimeMs)} without a standby, in ${sizeWords(keepBytes)}`,
      found: `${sizeWords(perHour)} an hour, measured over ${durationWords(written.seconds * 1000)}: ${sizeWords(needed)} are needed (wal_per_hour: ${roundedUp(perHour)})`,
    },
  ];
}

const fewestCheckpoints = 20;
/** PostgreSQL begins one when so much of max_wal_size is full, by its default of checkpoint_completion_target. */
const shareFull = 1 / 1.9;

/** Those that people and copies ask for are few, and write little WAL each. */
function tooManyCheckpoints(primary: string, volume: Volume): readonly Reported[] {
  const { checkpoints, counted, maxWalBytes, checkpointSeconds } = volume;
  if (!checkpoints || !counted || counted.seconds <= 0) return [];
  const { timed, requested, since } = checkpoints;
  const all = timed + requested;
  if (all < fewestCheckpoints || requested <= timed) return [];
  const each = counted.bytes / all;
  if (each < (maxWalBytes * shareFull) / 2) return [];
  const inTime = (counted.bytes / counted.seconds) * checkpointSeconds;
  const wanted = Math.max(2 * maxWalBytes, inTime / shareFull);
  return [
    {
      code: 'SET018',
      host: primary,
      object: 'max_wal_size',
      declared: `a checkpoint every ${durationWords(checkpointSeconds * 1000)} (checkpoint_timeout)`,
      found: `${requested} of ${all} began before, with ${sizeWords(each)} of WAL each and max_wal_size ${sizeWords(maxWalBytes)}: ${roundedUp(wanted)} would do`,
      ...(since === null ? {} : { since }),
    },
  ];
}

/** As a setting takes it. */
function roundedUp(bytes: number): string {
  const [unit, factor] = bytes > 4 * 1024 ** 3 ? ['GB', 1024 ** 3] : ['MB', 1024 ** 2];
  return `${Math.ceil(bytes / Number(factor))}${unit}`;
}
