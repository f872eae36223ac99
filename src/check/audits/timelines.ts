/**
 * Whether every standby's data is a part of the primary's history. Timelines alone do not say it: one that was away during a
 * switch is on an older timeline and can follow, unless it has WAL from beyond the place where the new one began. Pure.
 */
import { walNumber } from '../../postgres/controldata.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';
import { lastKnown, type Position, positionQuery } from './position.ts';

interface Facts {
  readonly recovery: boolean;
  readonly position: Position;
  /** The history file of the primary's timeline; null on a standby, and on the first timeline. */
  readonly history: string | null;
}

const query = `select json_build_object('recovery', pg_is_in_recovery(), 'position', ${positionQuery},
 'history', case when not pg_is_in_recovery() then pg_read_file('pg_wal/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history', 0, 1000000, true) end)`;

export const timelines: Audit<Facts> = {
  name: 'timelines',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (context, seen) => {
    const { primary } = context;
    const leader = primary === undefined ? undefined : seen.get(primary);
    if (primary === undefined || !leader || leader.recovery) return [];
    return context.cluster.servers
      .filter(({ name }) => name !== primary)
      .flatMap(({ name }) => judgeStandby(context, name, seen.get(name), primary, leader));
  },
};

function judgeStandby(
  { view }: AuditContext,
  host: string,
  facts: Facts | undefined,
  primary: string,
  leader: Facts,
): readonly Reported[] {
  const sameSystem = view.hosts.get(primary)?.data?.control?.systemIdentifier;
  const own = view.hosts.get(host)?.data?.control?.systemIdentifier;
  const position = lastKnown(view, host, facts?.position);
  // Another system is no standby of this one, which kind `standby` tells.
  if (!position || sameSystem !== own) return [];
  const end = endOfTimeline(position.timeline, leader);
  if (end !== undefined && (end === 'open' || walNumber(position.lsn) <= walNumber(end))) return [];
  return [
    {
      code: 'REP007',
      host,
      object: host,
      declared: `timeline ${leader.position.timeline} of ${primary}${end === undefined ? '' : `, which left timeline ${position.timeline} at ${end}`}`,
      found: `timeline ${position.timeline} at ${position.lsn}`,
    },
  ];
}

/** Where the primary's history leaves a timeline; 'open': it is on it; undefined: it has never been on it. */
function endOfTimeline(timeline: number, { position, history }: Facts): string | undefined {
  if (timeline === position.timeline) return 'open';
  const rows = (history ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  return rows.find(([number]) => Number(number) === timeline && number !== '')?.[1];
}
