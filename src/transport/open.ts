/** The public surface of this folder: a Transport for every host of an inventory, by its `connection`. */
import type { Host } from '../inventory/cluster.ts';
import { localTransport } from './local.ts';
import type { Transport } from './port.ts';
import { type SshTransportOptions, sshTransport } from './ssh-transport.ts';

export type TransportOptions = SshTransportOptions;

export function openTransport(options: TransportOptions): Transport {
  const ssh = sshTransport(options);
  const local = localTransport();
  return {
    open: (host: Host) => (host.connection === 'local' ? local.open(host) : ssh.open(host)),
  };
}
