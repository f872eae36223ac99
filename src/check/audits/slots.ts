/**
 * Replication slots: those that nobody uses and that keep WAL, and those that have lost it. The slots of base backups on
 * the primary are resources of kind `slot`, which tells of them. Pure.
 */
import { copySlotName } from '../../postgres/replication-names.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer, reachedLsn } from './answer.ts';
import { sizeWords } from './words.ts';

interface Slot {
  readonly name: string;
  readonly type: 'physical' | 'logical';
  readonly database: string | null;
  readonly active: boolean;
  /** Null: it keeps nothing. */
  readonly kept: number | null;
  /** From PostgreSQL 13 on. */
  readonly wal: 'reserved' | 'extended' | 'unreserved' | 'lost' | null;
  /** From PostgreSQL 17 on, like the reason and the marks of a slot that follows one of the primary. */
  readonly since: number | null;
  readonly reason: string | null;
  readonly synced: boolean;
}

/** As a row of JSON, a column that the version does not have is null in place of an error. */
const query = `select coalesce(json_agg(json_build_object('name', j->>'slot_name', 'type', j->>'slot_type', 'database', j->>'database',
 'active', (j->>'active')::boolean, 'kept', pg_wal_lsn_diff(${reachedLsn}, (j->>'restart_lsn')::pg_lsn), 'wal', j->>'wal_status',
 'since', round(extract(epoch from (j->>'inactive_since')::timestamptz)), 'reason', j->>'invalidation_reason', 'synced', coalesce((j->>'synced')::boolean, false)) order by j->>'slot_name'), '[]')
 from (select to_jsonb(s) j from pg_replication_slots s where not temporary) t`;

export const slots: Audit<readonly Slot[]> = {
  name: 'replication slots',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (context, seen) =>
    [...seen].flatMap(([host, all]) => all.flatMap((slot) => judgeSlot(context, host, slot))),
};

function judgeSlot(context: AuditContext, host: string, slot: Slot): readonly Reported[] {
  const { name, wal, reason, active, kept, since } = slot;
  if (wal === 'lost' || wal === 'unreserved')
    return [
      {
        code: 'SLT003',
        host,
        object: name,
        declared: 'all WAL that its user needs',
        found: `${kindOf(slot)}, ${wal === 'lost' ? 'its WAL is gone' : 'its WAL goes at the next checkpoint'}${reason === null ? '' : ` (${reason})`}`,
        ...sinceOf(since),
      },
    ];
  // A slot that follows one of the primary is used once this server is primary.
  if (active || kept === null || slot.synced || (host === context.primary && isCopySlot(context, name)))
    return [];
  return [
    {
      code: 'SLT002',
      host,
      object: name,
      declared: 'in use, or not there',
      found: `${kindOf(slot)}, nobody uses it, it keeps ${sizeWords(Math.max(0, kept))} of WAL`,
      ...sinceOf(since),
    },
  ];
}

const kindOf = ({ type, database }: Slot): string =>
  database === null ? `${type} slot` : `${type} slot of database ${database}`;

const sinceOf = (since: number | null): { since?: number } => (since === null ? {} : { since });

/** As the playbooks name the slot for the copy of a standby. */
const isCopySlot = ({ cluster, primary }: AuditContext, name: string): boolean =>
  cluster.servers
    .filter((server) => server.name !== primary)
    .some((server) => name === copySlotName(server.name));
