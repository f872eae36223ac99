/**
 * What a controller's report tells of the pair that nobody but a person may repair: switching that was turned on or off,
 * servers that do not hear each other, programs of different versions, a switch that is not possible. In: a report. Out:
 * differences. Pure.
 */

import { type Command, commandWords, onHost } from '../../base/command.ts';
import type { Difference } from '../contract/kind.ts';
import { isWhole } from '../contract/whole.ts';
import { type ControllerPlace, type ControllerReport, sinceOf } from './controller-status.ts';
import { isMaintained, onlyMaintained } from './maintained.ts';

interface Desired extends ControllerPlace {
  readonly failover?: 'automatic' | 'manual';
}

export function mirroringDifferences(
  desired: Desired,
  report: ControllerReport | undefined,
): readonly Difference[] {
  if (!report)
    return [
      { code: 'CTL007', object: desired.id, declared: 'switchable', found: 'no controller runs on it' },
    ];
  return [
    ...notSwitchable(desired, report),
    ...failover(desired, report),
    ...versions(report),
    ...unheard(desired, report),
  ];
}

function notSwitchable({ id }: Desired, report: ControllerReport): readonly Difference[] {
  const { mirroring_status, reason, advice, since } = report;
  if (isWhole(mirroring_status) || onlyMaintained(report)) return [];
  return [
    {
      code: 'CTL007',
      object: id,
      declared: 'switchable',
      found: reason ? `${mirroring_status}: ${reason}` : mirroring_status,
      source: `mc_ctl status on ${id}`,
      ...sinceOf(since),
      ...(advice ? { repair: advice } : {}),
    },
  ];
}

/** It may have been turned off for a maintenance, so nobody turns it on but a person. */
function failover(desired: Desired, report: ControllerReport): readonly Difference[] {
  const wanted = { automatic: 'enabled', manual: 'disabled' } as const;
  if (desired.failover === undefined || report.failover === wanted[desired.failover]) return [];
  const verb = desired.failover === 'automatic' ? 'enable-failover' : 'disable-failover';
  return [
    {
      code: desired.failover === 'automatic' ? 'CTL004' : 'CTL005',
      object: desired.id,
      declared: desired.failover,
      found: report.failover,
      source: `mc_ctl status on ${desired.id}`,
      ...repairedBy({
        ...onHost(desired.id)`${desired.mcCtl} ${verb} -M ${desired.managementDir}`,
        as: desired.owner,
      }),
    },
  ];
}

const repairedBy = (command: Command): Pick<Difference, 'repair' | 'commands'> => ({
  repair: commandWords(command),
  commands: [command],
});

/** Which of them is right is not known here: the next run brings the same program to all of them. */
function versions(report: ControllerReport): readonly Difference[] {
  const known = report.servers.flatMap(({ server_id, controller_version }) =>
    controller_version === null || controller_version === undefined || isMaintained(report, server_id)
      ? []
      : [{ id: server_id, version: controller_version }],
  );
  if (new Set(known.map(({ version }) => version)).size < 2) return [];
  return [
    {
      code: 'CTL006',
      object: known.map(({ id }) => id).join(', '),
      declared: 'one version everywhere',
      found: known.map(({ id, version }) => `${id}: ${version}`).join(', '),
    },
  ];
}

/** Not heard, although WAL flows between the two: it is the network of the controllers, and not the server. */
function unheard({ id }: Desired, report: ControllerReport): readonly Difference[] {
  const me = report.servers.find((row) => row.server_id === id);
  if (!me) return [];
  return report.servers
    .filter((row) => row.server_id !== id && !isMaintained(report, row.server_id))
    .filter((row) => row.host_status === 'abnormal' && flows(me, row))
    .map((row) => ({
      code: 'NET002',
      object: row.server_id,
      declared: 'heard by its controller',
      found: 'no heartbeat comes, and WAL flows',
      source: `mc_ctl status on ${id}`,
    }));
}

type Row = ControllerReport['servers'][number];

/** A primary sees the connection of its standby; a standby its own receiver, and whose WAL that is. */
const flows = (me: Row, peer: Row): boolean =>
  me.host_role === 'primary'
    ? peer.sync_state !== null && peer.sync_state !== undefined
    : me.host_role === 'standby' && me.db_proc_status === 'normal' && peer.host_role.includes('primary');
