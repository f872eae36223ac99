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
 * SQL: of a standby what it has received and replayed; the timeline in its control file lags until the next restart point, so
 * the receiver's word goes first. The name of the present WAL file says that of a primary at once.
 */
export const positionQuery = `case when pg_is_in_recovery()
 then (select json_build_object('lsn', greatest(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()), 'timeline', coalesce((select received_tli from pg_stat_wal_receiver where status = 'streaming'), greatest(min_recovery_end_timeline, (select timeline_id from pg_control_checkpoint())))) from pg_control_recovery())
 else json_build_object('lsn', pg_current_wal_lsn(), 'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int) end`;

/** The last that is known of a server, whether it answers or not. */
export function lastKnown(view: View, host: string, asked: Position | undefined): Position | undefined {
  if (asked) return asked;
  const control = view.hosts.get(host)?.data?.control;
  return control && { lsn: control.reached.position, timeline: control.reached.timeline };
}
