/**
 * Servers that a person has in maintenance, as a controller's report tells: what they do not do is no fault, and no switch to them is
 * missed. In: a report. Out: plain answers. Pure.
 */
import type { ControllerReport } from './controller-status.ts';

type Row = ControllerReport['servers'][number];

/** One that is only about to be, does all that it did. */
export const isMaintained = ({ maintenance = [] }: ControllerReport, id: string): boolean =>
  maintenance.some(({ server, stage }) => server === id && stage === 'open');

const mayTakeOver = ({ takeover, replication }: Row): boolean =>
  takeover !== 'never' && replication !== 'asynchronous';

/**
 * The servers whose maintenance is all that a switch is missed for: a primary serves, and everybody who might take over from it is out for
 * that. Undefined where a switch is possible, or where something else stands in its way, too.
 */
export function onlyMaintained(report: ControllerReport): readonly string[] | undefined {
  const { mirroring_status: status, reason, servers } = report;
  if (status !== 'not-switchable' && status !== 'switched') return undefined;
  const primary = servers.find(
    ({ host_role, instance }) => host_role === 'primary' && instance === 'running',
  );
  const others = servers.filter((row) => row !== primary);
  const out = others.map(({ server_id }) => server_id).filter((id) => isMaintained(report, id));
  const left = others.filter((row) => !out.includes(row.server_id) && mayTakeOver(row));
  if (!primary || out.length === 0 || left.length > 0) return undefined;
  // A controller that stands still, or that sees two primaries, gives that as its reason.
  return out.every((id) => reason?.includes(`${id} is in maintenance `)) ? out : undefined;
}
