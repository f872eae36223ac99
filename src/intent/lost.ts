/**
 * What a management directory that is lost forbids (ADR 25): everything that changes something but a provisioning, which brings it back where another
 * server vouches for the data. In: the command and the looks of the hosts. Out: why it cannot begin. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { lostObstacle, lostServers } from '../observe/lost-ways.ts';
import type { HostView } from '../observe/survey.ts';
import type { Intent } from './intent.ts';

/** `looked`: the hosts that the command does not leave alone. */
export function lostObstacles(
  command: Intent['kind'] | 'rolling-update',
  cluster: Cluster,
  looked: ReadonlyMap<string, HostView>,
): readonly Diagnostic[] {
  return lostServers(cluster, looked).flatMap((server) => {
    const told = lostObstacle(cluster, looked, server);
    // What is only not mounted is not brought back by a provisioning.
    if (command === 'provision' || told?.code === 'SAF008') return told ?? [];
    return forbidden(server);
  });
}

const forbidden = ({ name, multiplexing }: Server): Diagnostic => ({
  code: 'SAF086',
  what: `the management directory of ${name} is lost (${multiplexing.managementDir})`,
  why: 'what stood there said whose data this is, and what the controller has promised; this command goes by it',
  ...advised`${here`pgduet provision`} brings it back, or says what is in the way; then run the same command again.`,
  host: name,
});
