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
  /** Its consumer means to go on behind a switch. */
  readonly failover: boolean;
}

interface Slots {
  readonly recovery: boolean;
  /** sync_replication_slots is on; null before PostgreSQL 17. */
  readonly follows: boolean | null;
  readonly slots: readonly Slot[];
}

/** As a row of JSON, a column that the version does not have is null in place of an error. */
const query = `select json_build_object('recovery', pg_is_in_recovery(), 'follows', current_setting('sync_replication_slots', true)::boolean, 'slots', coalesce(json_agg(json_build_object('name', j->>'slot_name', 'type', j->>'slot_type', 'database', j->>'database',
 'active', (j->>'active')::boolean, 'kept', pg_wal_lsn_diff(${reachedLsn}, (j->>'restart_lsn')::pg_lsn), 'wal', j->>'wal_status',
 'since', round(extract(epoch from (j->>'inactive_since')::timestamptz)), 'reason', j->>'invalidation_reason', 'synced', coalesce((j->>'synced')::boolean, false), 'failover', coalesce((j->>'failover')::boolean, false)) order by j->>'slot_name'), '[]'))
 from (select to_jsonb(s) j from pg_replication_slots s where not temporary) t`;

export const slots: Audit<Slots> = {
  name: 'replication slots',
  probe: () => ({ sql: query }),
  read: answer,
  judge: (context, seen) => [
    ...[...seen].flatMap(([host, all]) =>
      all.slots.flatMap((slot) => judgeSlot(context, host, slot, all.recovery)),
    ),
    ...notFollowed(context, seen),
  ],
};

/** A slot that is meant to go on behind a switch does so only on a standby that follows it. */
function notFollowed({ primary }: AuditContext, seen: ReadonlyMap<string, Slots>): readonly Reported[] {
  const meant = seen.get(primary ?? '')?.slots.filter(({ failover }) => failover) ?? [];
  const standbys = [...seen].filter(([host, { recovery, follows }]) => {
    return host !== primary && recovery && follows !== null;
  });
  return standbys.flatMap(([host, { follows, slots: theirs }]) =>
    meant.flatMap(({ name }): Reported[] => {
      const same = theirs.find((slot) => slot.name === name);
      if (same?.synced && follows) return [];
      const found = !follows
        ? `sync_replication_slots is off${same?.synced ? '; what was followed until then is out of date, and keeps WAL' : ''}`
        : same
          ? 'a slot of its own has that name, and stands in the way'
          : 'it is not followed yet';
      return [{ code: 'SLT004', host, object: name, declared: `the failover slot of ${primary}`, found }];
    }),
  );
}

function judgeSlot(context: AuditContext, host: string, slot: Slot, recovery: boolean): readonly Reported[] {
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
  // A slot that follows one of the primary is used once this server is primary, and then still bears the mark.
  if (
    active ||
    kept === null ||
    (slot.synced && recovery) ||
    (host === context.primary && isCopySlot(context, name))
  )
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
