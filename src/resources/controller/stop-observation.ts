/**
 * What is looked at before a server is stopped, or let go: whether it runs, what keeps it down, what its controller says of the others. What forbids
 * the stop, and what a person should know before saying yes. In: the answer of the probe. Out: plain data and words. Pure.
 */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { readStoppedRecord, type StoppedRecord } from '../../base/stopped-words.ts';
import { hostService } from '../contract/host-service.ts';
import { type Observed, type Probe, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { replyLines } from '../contract/replies.ts';
import { closed } from '../contract/stat.ts';
import { stoppedProbe } from '../contract/stopped-record.ts';
import { isWhole } from '../contract/whole.ts';
import {
  type ControllerPlace,
  type ControllerReport,
  controllerProbe,
  readControllerStatus,
} from './controller-status.ts';
import { readSessions, type Sessions, sessionNotes, sessionsQuery } from './sessions.ts';

export interface StopPlace extends ControllerPlace {
  readonly dataDir: string;
  readonly unit?: string | undefined;
}

export interface StopObservation {
  readonly record?: StoppedRecord;
  /** Its unit starts it when the host boots. */
  readonly enabled: boolean;
  readonly controller: boolean;
  readonly instance: boolean;
  readonly standby: boolean;
  readonly report?: ControllerReport;
  readonly sessions?: Sessions;
}

export const stopProbe = (place: StopPlace): Probe => {
  const starter = hostService(place.unit);
  return {
    shell: `unseen ${quote(controllerPidFile(place))}
case $unseen in closed*) echo "$unseen"; exit;; esac
${stoppedProbe(place)}
${starter ? `if ${starter.isEnabled}; then echo 'unit enabled'; fi` : ''}
if controller ${quote(controllerPidFile(place))}; then echo 'controller runs'; fi
if postmaster ${quote(place.dataDir)}; then echo 'instance runs'; fi
if [ -f ${quote(`${place.dataDir}/standby.signal`)} ]; then echo 'role standby'; fi
echo looked
${controllerProbe(place)}`,
    sql: `json_build_object(${sessionsQuery})`,
  };
};

export function readStop(reply: ProbeReply, id: string): Observed<StopObservation> {
  const hidden = closed(reply.stdout.split('\n')[0] ?? '');
  if (hidden) return unknown(hidden);
  const end = reply.stdout.indexOf('\nlooked\n');
  const own = reply.stdout.startsWith('looked\n') ? '' : reply.stdout.slice(0, end);
  if (end < 0 && !reply.stdout.startsWith('looked\n'))
    return unknown(reply.stderr.trim() || 'the server could not be looked at');
  const lines = replyLines(own);
  const controller = lines.has('controller runs');
  const rest = reply.stdout.slice(own === '' ? 'looked\n'.length : end + '\nlooked\n'.length);
  const observation = readControllerStatus({ ...reply, stdout: rest }, id);
  if (controller && observation.state === 'unseen') return unknown(observation.reason);
  const stopped = lines.first('stopped');
  const sessions = readSessions(reply.sql);
  return present({
    ...(stopped === undefined ? {} : { record: readStoppedRecord(stopped) }),
    enabled: lines.has('unit enabled'),
    controller,
    instance: lines.has('instance runs'),
    standby: lines.has('role standby'),
    ...(observation.state === 'running' ? { report: observation.report } : {}),
    ...(sessions ? { sessions } : {}),
  });
}

/** What the command is about besides this server. */
export interface Stopping {
  readonly id: string;
  /** All servers that stop. */
  readonly names: readonly string[];
  /** The cluster stops as a whole. */
  readonly all: boolean;
  /** The primary gives its role to this server first. */
  readonly to?: string | undefined;
}

/** A former primary that is held back leads nobody. */
const leads = ({ standby, instance }: StopObservation): boolean => !standby && instance;

/** What forbids the stop of a server that runs. */
export function obstacle({ id, all, to }: Stopping, seen: StopObservation): Diagnostic | undefined {
  const { report, controller } = seen;
  if (report?.mirroring_status === 'switching')
    return {
      code: 'HST014',
      what: `a switch is under way: ${report.reason ?? 'the roles change'}`,
      why: 'a server that stops in the middle of it could leave the cluster without a primary',
      fix: `Run the same command again when 'pgduet status' shows who is primary. If it stays so: ${report.advice ?? ''}.`,
    };
  if (!leads(seen) || all) return undefined;
  if (!controller)
    return {
      code: 'SAF063',
      what: `${id} cannot be stopped now: no controller runs on it`,
      why: 'it is primary, and only its controller tells the others that this stop is no fault; a standby could take over',
      ...advised`Start it (${here`pgduet start ${id}`}), then run the same command again.`,
    };
  if (to !== undefined || !report || !isWhole(report.mirroring_status)) return undefined;
  return {
    code: 'SAF063',
    what: `${id} is primary, and a standby could take its place`,
    why: 'nobody could write until it is started again, although a server is there that could go on',
    ...advised`Give the role away first (${here`pgduet stop ${id} --switch-first`}), or stop the whole cluster (${here`pgduet stop`}).`,
  };
}

const inSync: readonly string[] = ['sync', 'quorum', 'potential'];

/** What a person should know before saying yes. */
export function stopNotes(stopping: Stopping, seen: StopObservation): readonly string[] {
  const sessions = seen.sessions ? sessionNotes(seen.sessions) : [];
  const lasts = `it stays down, also across a reboot of its host, until: pgduet start${stopping.all ? '' : ` ${stopping.id}`}`;
  return [
    ...whatFollows(stopping, seen),
    ...sessions,
    ...registerNote(stopping, seen),
    ...formerNote(stopping, seen),
    lasts,
  ];
}

function whatFollows({ id, names, all, to }: Stopping, seen: StopObservation): readonly string[] {
  const { report } = seen;
  if (leads(seen)) {
    if (all) return ['nobody can read or write until the cluster is started again'];
    if (to !== undefined) return [`it gives its role to ${to} first, and stops as a standby`];
    return ['nobody can write until it is started again: no standby may take over'];
  }
  if (all) return [];
  if (!report) return ['no controller runs on it: the others see a standby that fails'];
  const others = report.servers.filter(
    ({ server_id, sync_state }) =>
      server_id !== id && !names.includes(server_id) && inSync.includes(sync_state ?? ''),
  );
  if (others.length > 0) return [`commits go on with ${others.map(({ server_id }) => server_id).join(', ')}`];
  const mine = report.servers.find(({ server_id }) => server_id === id);
  // From a switch on the former primary is the last one, and a copy that nobody waits for is missed by nobody.
  if (mine?.replication === 'asynchronous') return ['commits do not wait for it'];
  return report.failover === 'disabled'
    ? [
        'automatic switching is off: commits wait for it from then on, until it is started again or taken out (mc_ctl detach on the primary)',
      ]
    : [
        'no other standby is in sync: commits are on the primary alone from then on, and nobody can take over from it',
      ];
}

/** Two servers that lead, and that are down: only their controllers know which of them has taken over. */
function formerNote({ id, all }: Stopping, { report }: StopObservation): readonly string[] {
  const mine = report?.servers.find(({ server_id }) => server_id === id);
  return all && mine?.host_role === 'none(inactivated primary)'
    ? [
        `it was primary, and was not rebuilt: pgduet start will not tell it from the present one. Rebuild it first (pgduet rebuild ${id}), or start each host by systemctl later`,
      ]
    : [];
}

function registerNote({ id, all }: Stopping, { report }: StopObservation): readonly string[] {
  if (all || !report?.register?.members.includes(id)) return [];
  return [
    'it is one of those that answer who may act when a server falls silent; meanwhile the next failure may need a person',
  ];
}
