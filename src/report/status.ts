/** The cluster's status as a table for people and as JSON for programs. Pure. */

import { maintenanceWords } from '../base/maintenance-words.ts';
import { formatBytes } from '../base/units.ts';
import type { ClusterStatus, StatusRow } from '../observe/status.ts';
import { dutyWords } from '../resources/controller/duty.ts';
import { sinceWords } from '../resources/controller/outage.ts';
import { colours } from './colour.ts';
import { commandJson } from './diagnostic.ts';
import { preferenceNote } from './preference.ts';
import { shown } from './shown.ts';
import { table } from './table.ts';

const titles = [
  'server',
  'role',
  'preferred',
  'address',
  'state',
  'controller',
  'timeline',
  'lsn',
  'lag',
  'sync',
] as const;

function cells(row: StatusRow): readonly string[] {
  const lag = row.lagBytes === null ? '' : `${formatBytes(row.lagBytes)}, ${row.lagSeconds ?? 0} s`;
  return [
    row.server,
    row.role,
    row.preferred,
    row.address,
    row.maintenance ? `${row.state}, in maintenance` : row.state,
    row.controller,
    String(row.timeline ?? ''),
    row.lsn === null ? '' : `${row.atLeast ? '≥ ' : ''}${row.lsn}`,
    lag,
    row.syncState ?? '',
  ].map(shown);
}

export function statusText(status: ClusterStatus, colour: boolean): string {
  const c = colours(colour);
  const [head = '', ...rows] = table([titles, ...status.rows.map(cells)]);
  const notes = troubleLines(status);
  const away = status.rows.some((row) => row.server === status.preferredPrimary && row.maintenance !== null);
  const roles =
    status.primary !== null && status.primary !== status.preferredPrimary && !away
      ? [preferenceNote(status.primary, status.preferredPrimary)]
      : [];
  return [
    `cluster ${c.bold(shown(status.cluster))}${status.problem ? `  ${c.red(shown(status.problem))}` : ''}`,
    '',
    c.dim(head),
    ...rows,
    ...(notes.length + roles.length > 0 ? ['', ...roles, ...notes] : []),
    ...maintenanceLines(status),
    ...arbiterLines(status),
    ...dutyLines(status),
    '',
    `clients, to write:  ${status.readWrite}`,
    `clients, to read:   ${status.readOnly}`,
    ...(status.caFile === null ? [] : [`  those who sign:    pgduet ca > ${status.caFile}`]),
  ].join('\n');
}

function maintenanceLines({ rows }: ClusterStatus): readonly string[] {
  const lines = rows.flatMap(({ server, maintenance }) => {
    if (!maintenance) return [];
    const late = maintenance.overdue ? ' (overdue)' : '';
    return [shown(`${server}:  ${maintenanceWords(maintenance)}${late}`)];
  });
  return lines.length > 0 ? ['', ...lines] : [];
}

function arbiterLines({ arbiter }: ClusterStatus): readonly string[] {
  if (arbiter === null) return [];
  const { heardBy, unheardBy } = arbiter;
  const heard = heardBy.length > 0 ? `heard by ${heardBy.join(', ')}` : 'heard by nobody';
  const missed = unheardBy.map(({ server, why }) => `not by ${server} (${why})`);
  return ['', shown(`arbiter ${arbiter.arbiter}, ${arbiter.address}:  ${[heard, ...missed].join('; ')}`)];
}

/** All of them, as soon as one of them is not as the others. */
function dutyLines({ rows }: ClusterStatus): readonly string[] {
  const told = rows.flatMap(({ server, duty }) => (duty ? [{ server, words: dutyWords(duty) }] : []));
  if (new Set(told.map(({ words }) => words)).size < 2) return [];
  return ['', ...told.map(({ server, words }) => shown(`${server}:  ${words}`))];
}

/** The primary knows best whom it waits for; where it says nothing, the others are heard. */
function troubleLines(status: ClusterStatus): readonly string[] {
  const all = status.rows.filter((row) => row.why !== null);
  const leading = all.filter((row) => row.server === status.primary);
  const rows = leading.length > 0 ? leading : all;
  return rows.flatMap((row, index) => {
    if (rows.findIndex((other) => other.why === row.why) < index) return [];
    const since = row.since ? `, since ${sinceWords(row.since)}` : '';
    const lines = [shown(`${row.server} says ${row.controller}${since}`), `  why:   ${shown(row.why ?? '')}`];
    return row.toDo ? [...lines, `  to do: ${shown(row.toDo)}`] : lines;
  });
}

export const statusJson = (status: ClusterStatus): object => ({
  schema: 1,
  cluster: status.cluster,
  primary: status.primary,
  preferred_primary: status.preferredPrimary,
  problem: status.problem,
  servers: status.rows.map((row) => ({
    server: row.server,
    address: row.address,
    role: row.role,
    preferred_role: row.preferred,
    state: row.state,
    stopped: row.stopped,
    controller: row.controller,
    why: row.why,
    since: row.since,
    to_do: row.toDo,
    commands: row.commands.map(commandJson),
    timeline: row.timeline,
    lsn: row.lsn,
    at_least: row.atLeast,
    lag_bytes: row.lagBytes,
    lag_seconds: row.lagSeconds,
    sync_state: row.syncState,
    takeover: row.duty?.takeover ?? null,
    takeover_priority: row.duty?.priority ?? null,
    replication: row.duty?.replication ?? null,
    maintenance: row.maintenance && {
      by: row.maintenance.by,
      since: row.maintenance.since,
      until: row.maintenance.until,
      overdue: row.maintenance.overdue,
      reason: row.maintenance.reason,
      number: row.maintenance.number,
    },
  })),
  arbiter: status.arbiter && {
    arbiter: status.arbiter.arbiter,
    address: status.arbiter.address,
    heard_by: status.arbiter.heardBy,
    not_heard_by: status.arbiter.unheardBy,
  },
  register: status.register,
  clients: { read_write: status.readWrite, prefer_standby: status.readOnly, ca_file: status.caFile },
});
