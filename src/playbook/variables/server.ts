/** The variables of one server, as the others see it. Pure. */
import type { Role, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { copySlotName, standbySlotName } from '../../postgres/replication-names.ts';

export interface ServerVariables {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly adminAddress: string;
  readonly logTransferAddress: string;
  readonly port: number;
  readonly mcPort: number;
  /** Slot for the base backup of this server; letters, digits and underscores only. */
  readonly copySlot: string;
  /** Slot that it streams through where standbys follow logical slots. */
  readonly standbySlot: string;
}

export function serverVariables(server: Server, view: View): ServerVariables {
  return {
    name: server.name,
    role: server.name === view.primary ? 'primary' : 'standby',
    address: server.host.address,
    adminAddress: server.adminAddress,
    logTransferAddress: server.logTransferAddress,
    port: server.postgres.port,
    mcPort: server.multiplexing.port,
    copySlot: copySlotName(server.name),
    standbySlot: standbySlotName(server.name),
  };
}
