/** Which hosts of an inventory are one machine, as far as the inventory tells. Pure. */
import { canonicalAddress, isLoopback } from './addresses.ts';
import type { DraftHost } from './draft.ts';

const sshPort = 22;

/**
 * A word for the machine. All local hosts are this one, and so is a loopback address, unless another SSH port
 * says that it is forwarded to a container or a guest.
 */
export function machineOf(host: DraftHost): string | undefined {
  if (host.connection === 'local') return 'this machine';
  if (host.address === undefined) return undefined;
  const port = host.ssh.port ?? sshPort;
  if (isLoopback(host.address) && port === sshPort) return 'this machine';
  return `${canonicalAddress(host.address)}:${port}`;
}

export function sharesMachine(one: DraftHost, other: DraftHost): boolean {
  const machine = machineOf(one);
  return machine !== undefined && machine === machineOf(other);
}

/** Every two hosts, each pair once and in the order of the inventory. */
export function pairs(hosts: readonly DraftHost[]): [DraftHost, DraftHost][] {
  return hosts.flatMap((one, index) =>
    hosts.slice(index + 1).map((other): [DraftHost, DraftHost] => [one, other]),
  );
}

/** Whether no network can come between them. */
export const onOneMachine = (hosts: readonly DraftHost[]): boolean =>
  pairs(hosts).every(([one, other]) => sharesMachine(one, other));

/** Two hosts that differ in nothing: one address was copied, rather than one machine shared on purpose. */
export function areTwins(one: DraftHost, other: DraftHost): boolean {
  return (
    one.connection === 'ssh' &&
    other.connection === 'ssh' &&
    sharesMachine(one, other) &&
    one.port === other.port &&
    one.controllerPort === other.controllerPort &&
    one.dataDir === other.dataDir &&
    one.managementDir === other.managementDir
  );
}
