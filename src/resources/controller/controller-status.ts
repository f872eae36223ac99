/** What `mc_ctl status --json` says on a host: shared by the kinds `controller` and `mirroring` and by `pgduet status`. Pure. */

import { quote, sh } from '../../base/shell.ts';
import { absent, type Observed, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { closed } from '../contract/stat.ts';

export interface ControllerPlace {
  /** The server identifier. */
  readonly id: string;
  readonly managementDir: string;
  readonly owner: string;
  readonly mcCtl: string;
}

/** The fields of the report that are read here; the whole of it is described in docs/mc_ctl.md. */
export interface ControllerReport {
  readonly mirroring_status: string;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly since: string;
  readonly failover: 'enabled' | 'disabled';
  /** Servers that may still become primary. Absent in what an older controller says. */
  readonly undecided?: readonly string[];
  /** What this controller hears of the arbiter. Absent in what an older controller says. */
  readonly arbiters?: readonly {
    readonly id: string;
    readonly status: 'online' | 'offline';
    readonly why: string | null;
  }[];
  /** What the promise of the primary names: the places that answer who may act on a silence, in the order of their names. */
  /** Marks of the cluster keys that it speaks and hears. Absent in what an older controller says. */
  readonly cluster_key?: {
    readonly speaks: string;
    readonly hears: readonly string[];
    readonly renewal: boolean;
  };
  /** By what each peer is heard. Absent in what an older controller says, and one without a key. */
  readonly identities?: Readonly<Record<string, 'proven' | 'former' | 'open' | 'none'>>;
  readonly versions?: { readonly controller: string };
  readonly register?: {
    readonly term: number;
    readonly members: readonly string[];
    readonly answers: boolean;
  } | null;
  /** Servers that are in maintenance, or about to be. Absent in what an older controller says. */
  readonly maintenance?: readonly {
    readonly server: string;
    readonly stage: 'asked' | 'open';
    readonly by: string;
    readonly since: string;
    readonly until: string | null;
    readonly overdue: boolean;
    readonly seconds_left: number | null;
    readonly reason: string;
  }[];
  readonly servers: readonly {
    readonly server_id: string;
    readonly host_role: string;
    readonly host_status: string;
    readonly db_proc_status: string;
    readonly disk_status: string;
    readonly instance: string;
    /** Since when the instance is in this state, ISO 8601. */
    readonly since?: string;
    /** Absent in what an older controller says. */
    readonly detached?: boolean;
    readonly parted?: boolean;
    readonly timeline: number | null;
    readonly lsn: string | null;
    readonly sync_state: string | null;
    /** Commits wait for it, also while it is not heard. Absent in what an older controller says. */
    readonly waited_for?: boolean;
    readonly lag_bytes: number | null;
    readonly controller_version: string | null;
    /** What the server may do. Absent in what an older controller says. */
    readonly takeover?: 'allowed' | 'never' | null;
    readonly takeover_priority?: number | null;
    readonly replication?: 'synchronous' | 'asynchronous' | null;
  }[];
}

export type ControllerObservation =
  | { readonly state: 'running'; readonly report: ControllerReport; readonly instance: string }
  | { readonly state: 'stopped' }
  | { readonly state: 'missing' }
  | { readonly state: 'unseen'; readonly reason: string };

const mcCtl = (place: ControllerPlace, verb: string, by = `as ${quote(place.owner)}`): string =>
  `${by} ${quote(place.mcCtl)} ${verb} ${sh`-M ${place.managementDir} --local-server ${place.id}`}`;

export const controllerProbe = (
  place: ControllerPlace,
): string => `unseen ${quote(`${place.managementDir}/network.conf`)}
case $unseen in closed*) echo "$unseen"; exit;; esac
if [ ! -x ${quote(place.mcCtl)} ] || [ ! -f ${quote(`${place.managementDir}/network.conf`)} ]; then echo missing; exit; fi
if ! controller ${quote(controllerPidFile(place))}; then echo stopped; exit; fi
# The controller renews this file at every heartbeat. Good news that is fresh spares the start of mc_ctl; bad news may
# be over by now, and mc_ctl makes the controller look again.
shown=${quote(`${place.managementDir}/${place.id}.status.json`)}
written=$(stat -c %.3Y "$shown" 2>/dev/null || echo 0)
report=
if [ -f "$shown" ] && [ $((\${now:-$(date +%s)} - \${written%.*})) -le 1 ]; then report=$(fresh_text "$shown" "$written"); fi
case $report in *'"mirroring_status":"switchable"'*) printf '%s\\n' "$report";; *) ${mcCtl(place, 'status --json', 'reader')};; esac`;

export function readControllerStatus(reply: ProbeReply, id: string): ControllerObservation {
  const text = reply.stdout.trim();
  if (text === 'missing' || text === 'stopped') return { state: text };
  const hidden = closed(text);
  if (hidden) return { state: 'unseen', reason: hidden };
  try {
    const report = JSON.parse(text) as ControllerReport;
    const mine = report.servers.find((server) => server.server_id === id);
    return { state: 'running', report, instance: mine?.instance ?? 'unknown' };
  } catch {
    return { state: 'unseen', reason: reply.stderr.trim() || text || 'mc_ctl gave no answer' };
  }
}

/** "2026-11-20T12:00:03.123Z" as seconds since 1970; nothing where it is no time. */
export function sinceOf(iso: string | undefined): { readonly since?: number } {
  const time = Date.parse(iso ?? '') / 1000;
  return Number.isNaN(time) ? {} : { since: time };
}

export { mcCtl as mcCtlCommand };

/** The report of a kind that examines nothing else: a controller that does not run is none. */
export function readReport(reply: ProbeReply, id: string): Observed<ControllerReport> {
  const observation = readControllerStatus(reply, id);
  if (observation.state === 'unseen') return unknown(observation.reason);
  return observation.state === 'running' ? present(observation.report) : absent;
}
