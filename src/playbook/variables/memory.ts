/** The variables of a server whose management directory is lost, and for which another one vouches. Pure. */
import type { Cluster } from '../../inventory/cluster.ts';
import { lostObstacle } from '../../observe/lost-ways.ts';
import type { View } from '../../observe/survey.ts';

export interface MemoryVariables {
  /** The server that vouches; all of them empty where none is needed, none does, or something else is in the way. */
  readonly by: string;
  readonly address: string;
  readonly port: number | '';
  readonly systemIdentifier: string;
}

const nothing: MemoryVariables = { by: '', address: '', port: '', systemIdentifier: '' };

export function memoryVariables(cluster: Cluster, view: View, name: string): MemoryVariables {
  const vouched = view.vouched?.get(name);
  const witness = vouched && cluster.servers.find((server) => server.name === vouched.by);
  const lost = cluster.servers.find((server) => server.name === name);
  // What a provisioning would refuse `check` may not promise.
  if (!witness || !lost || lostObstacle(cluster, view.hosts, lost)) return nothing;
  const { logTransferAddress, postgres } = witness;
  // As the server writes it, which may be another form of it.
  const address = view.hosts.get(name)?.streams?.receiver?.host ?? logTransferAddress;
  return {
    by: witness.name,
    address,
    port: postgres.port,
    systemIdentifier: vouched.systemIdentifier,
  };
}
