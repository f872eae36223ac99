/**
 * How far each server's data reaches, and on which timeline: asked of a server that runs, read from the control file of one
 * that does not. Pure.
 */
import type { View } from '../../observe/survey.ts';

export interface Position {
  readonly lsn: string;
  readonly timeline: number;
}

/**
 * SQL: the timeline of the WAL file that holds what was received last; no such file where it was recycled. A position at the
 * very beginning of a segment is the end of the one before.
 */
const receivedTimeline = `(select max(('x' || substr(name, 1, 8))::bit(32)::int)
 from (select (greatest(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()) - '0/1'::pg_lsn) as byte, bytes_per_wal_segment as segment from pg_control_init()) p, pg_ls_waldir()
 where name ~ ('^[0-9A-F]{8}' || upper(lpad(to_hex(div(byte, 4294967296)::bigint), 8, '0') || lpad(to_hex((byte % 4294967296)::bigint / segment), 8, '0')) || '$'))`;

/**
 * SQL: of a standby what it has received and replayed. The timeline in its control file lags until the next restart point, so
 * the receiver's word goes first, and where none is there the WAL files count too. The name of the present WAL file says that of
 * a primary at once.
 */
export const positionQuery = `case when pg_is_in_recovery()
 then (select json_build_object('lsn', greatest(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()), 'timeline', coalesce((select received_tli from pg_stat_wal_receiver where status = 'streaming'), greatest(min_recovery_end_timeline, (select timeline_id from pg_control_checkpoint()), ${receivedTimeline}))) from pg_control_recovery())
 else json_build_object('lsn', pg_current_wal_lsn(), 'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int) end`;

/** The last that is known of a server, whether it answers or not. */
export function lastKnown(view: View, host: string, asked: Position | undefined): Position | undefined {
  if (asked) return asked;
  const control = view.hosts.get(host)?.data?.control;
  return control && { lsn: control.reached.position, timeline: control.reached.timeline };
}
