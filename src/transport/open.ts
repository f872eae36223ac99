/**
 * The public surface of this folder: a Transport for every host of an inventory, by its `connection`. A way to reach hosts
 * is loaded with the first host that needs it: the library for ssh is the largest of all.
 */
import type { Host } from '../inventory/cluster.ts';
import type { Transport } from './port.ts';
import type { SshTransportOptions } from './ssh-transport.ts';

export type TransportOptions = SshTransportOptions;

export function openTransport(options: TransportOptions): Transport {
  const ssh = once(async () => (await import('./ssh-transport.ts')).sshTransport(options));
  const local = once(async () => (await import('./local.ts')).localTransport());
  return {
    open: async (host: Host) => (await (host.connection === 'local' ? local() : ssh())).open(host),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
