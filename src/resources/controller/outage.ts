/**
 * Servers that are out of a cluster and do not come back by themselves, as a controller's report tells: why, and what a
 * person can do. In: a report. Out: a message, or nothing where a moment of patience is enough. Pure.
 */
import { type Advised, advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { ControllerReport } from './controller-status.ts';
import { isMaintained } from './maintained.ts';

type Row = ControllerReport['servers'][number];

interface Outage {
  readonly server: string;
  readonly why: string;
  readonly advice: Advised;
}

/** `id` was primary, and another server is primary now. */
export const isFormerPrimary = ({ servers }: ControllerReport, id: string): boolean =>
  servers.some((row) => row.server_id === id && row.host_role === 'none(inactivated primary)') &&
  servers.some((row) => row.server_id !== id && row.host_role === 'primary');

/** What brings a former primary back. */
export const rebuildAdvice = (server: string): Advised =>
  advised`Find out what happened (journalctl on ${server}), then: ${here`pgduet rebuild ${server}`}`;

/** "2026-11-20T12:00:03.123Z" → "2026-11-20 12:00:03 UTC", as mc_ctl shows it. */
export const sinceWords = (since: string): string => since.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

function outageOf(report: ControllerReport, row: Row): Outage | undefined {
  const server = row.server_id;
  // Whoever has it in maintenance brings it back.
  if (isMaintained(report, server)) return undefined;
  // Until it is known who is primary nobody is rebuilt; what the controller advises comes first.
  if ((report.undecided ?? []).length > 0) return undefined;
  if (isFormerPrimary(report, server)) {
    const now = report.servers.find((other) => other.host_role === 'primary')?.server_id ?? '';
    const why = `it was primary, ${now} has taken over, and it is held back so that nothing on it is lost`;
    return { server, why, advice: rebuildAdvice(server) };
  }
  if (row.detached) {
    const advice = advised`When it may come back: ${here`pgduet attach ${server}`}`;
    return { server, why: 'a person has taken it out (pgduet detach, or mc_ctl detach)', advice };
  }
  if (row.parted) {
    const primary = report.servers.find((other) => other.host_role === 'primary')?.server_id ?? 'its primary';
    const why = `it holds WAL that ${primary} does not have, which was acknowledged to nobody, and cannot follow it`;
    return { server, why, advice: advised`Run: ${here`pgduet rebuild ${server}`}` };
  }
  if (row.disk_status.startsWith('abnormal')) {
    const advice = advised`Repair the disk of ${server}, then run the same command again`;
    return { server, why: `a disk has failed: ${row.disk_status}`, advice };
  }
  return undefined;
}

/** Undefined when no server is out for good. */
export function outage(report: ControllerReport): Diagnostic | undefined {
  const found = report.servers.flatMap((row) => outageOf(report, row) ?? []);
  if (found.length === 0) return undefined;
  const names = found.map(({ server }) => server).join(', ');
  const without = report.mirroring_status === 'switchable' ? '' : '; commits do not wait for a standby';
  return {
    code: 'HST013',
    what: `the cluster is degraded: ${names} ${found.length === 1 ? 'is' : 'are'} out`,
    why: `${found.map(({ server, why }) => `${server}: ${why}`).join('; ')}${without}`,
    fix: `${found.map(({ advice }) => advice.fix).join('. ')}.`,
    commands: found.flatMap(({ advice }) => advice.commands),
    evidence: [`mirroring status: ${report.mirroring_status}, since ${sinceWords(report.since)}`],
  };
}
