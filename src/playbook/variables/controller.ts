/** The variables of the Mirroring Controller: where its program is, and what its own files are rendered from. Pure. */
import {
  confByKeys,
  giveUpTimeMs,
  type NetworkConfContext,
  networkConfContext,
  type ServerConfContext,
  serverConf,
  serverConfContext,
  type UnitContext,
} from '../../controller/config.ts';
import { controllerVersion } from '../../controller/version.ts';
import type { Cluster, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { isManaged } from './host.ts';

export interface ControllerVariables {
  readonly node: string;
  readonly bundle: string;
  readonly mcCtl: string;
  /** Of the program that pgduet brings. */
  readonly controllerVersion: string;
  readonly serverConf: ServerConfContext;
  readonly networkConf: NetworkConfContext;
  readonly unit: UnitContext;
}

/** The controller's own files are rendered from the types that the controller reads them back with, and from nothing else. */
export const ownTemplates: Readonly<Record<string, 'serverConf' | 'networkConf' | 'unit'>> = {
  'server.conf.hbs': 'serverConf',
  'network.conf.hbs': 'networkConf',
  'mcoi.service.hbs': 'unit',
};

export const bundlePath = (server: Server, view: View): string =>
  isManaged(server.host, view)
    ? '/usr/local/lib/pgduet/mc.cjs'
    : `${server.multiplexing.managementDir}/mc.cjs`;

export const mcCtlPath = (server: Server, view: View): string =>
  isManaged(server.host, view) ? '/usr/local/bin/mc_ctl' : `${server.multiplexing.managementDir}/mc_ctl`;

/** Shell text that succeeds as long as another cluster of this machine has a controller. */
export const otherControllers = ({ unit }: Server): string =>
  `ls /etc/systemd/system/mcoi_*.service | grep -vxF /etc/systemd/system/${unit}.service`;

/** After how many milliseconds the controller gives a silent peer up. */
export const giveUpMs = (server: Server): number => giveUpTimeMs(configurationOf(server));

export function controllerVariables(cluster: Cluster, server: Server, view: View): ControllerVariables {
  const node = view.hosts.get(server.name)?.facts?.node ?? '/usr/bin/node';
  const bundle = bundlePath(server, view);
  return {
    node,
    bundle,
    mcCtl: mcCtlPath(server, view),
    controllerVersion,
    serverConf: serverConfContext(configurationOf(server), { cluster: cluster.name, serverId: server.name }),
    networkConf: networkConfContext(
      cluster.name,
      cluster.servers.map((each) => ({
        id: each.name,
        host: each.adminAddress,
        port: each.multiplexing.port,
      })),
    ),
    unit: {
      unit: server.unit,
      cluster: cluster.name,
      serverId: server.name,
      owner: server.postgres.owner,
      group: server.postgres.owner,
      managementDir: server.multiplexing.managementDir,
      dataDir: server.postgres.dataDir,
      node,
      bundle,
    },
  };
}

function configurationOf(server: Server) {
  const { heartbeat, failover, onHeartbeatLoss, arbitrationCommand, referenceAddresses } =
    server.multiplexing;
  return serverConf({
    dbInstance: server.postgres.dataDir,
    heartbeatIntervalMs: heartbeat.intervalMs,
    heartbeatTimeoutMs: heartbeat.timeoutMs,
    heartbeatRetry: heartbeat.retries,
    heartbeatErrorAction: onHeartbeatLoss,
    failover,
    referenceAddresses,
    ...(arbitrationCommand ? { arbitrationCommand } : {}),
    ...confByKeys(server.multiplexing.keys),
  });
}
