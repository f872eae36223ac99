/** The variables of the Mirroring Controller: where its program is, and what its own files are rendered from. Pure. */

import { isReadOnlyForUnit, isSystemDirectory } from '../../base/host-paths.ts';
import { programLine } from '../../base/program-line.ts';
import { initScriptFile, initScriptOf } from '../../base/service-managers.ts';
import { limitLines } from '../../base/unit-limits.ts';
import {
  checksFollowing,
  confByKeys,
  giveUpTimeMs,
  type NetworkConfContext,
  networkConfContext,
  type ServerConfContext,
  serverConf,
  serverConfContext,
  type UnitContext,
  unitPath,
} from '../../controller/config.ts';
import { controllerVersion } from '../../controller/version.ts';
import type { Cluster, Host, Server } from '../../inventory/cluster.ts';
import { commandKeys } from '../../inventory/controller-keys.ts';
import type { View } from '../../observe/survey.ts';
import { writtenPlaces } from '../../postgres/written-places.ts';
import { isManaged } from './host.ts';
import { type InitContext, serverScript } from './init-script.ts';

export interface ControllerVariables {
  readonly node: string;
  readonly bundle: string;
  readonly mcCtl: string;
  /** Of the program that pgduet brings. */
  readonly controllerVersion: string;
  readonly serverConf: ServerConfContext;
  readonly unit: UnitContext;
  readonly initScript: InitContext;
}

/** The controller's own files are rendered from the types that the controller reads them back with, and from nothing else. */
export const ownTemplates: Readonly<Record<string, 'serverConf' | 'networkConf' | 'unit' | 'initScript'>> = {
  'server.conf.hbs': 'serverConf',
  'network.conf.hbs': 'networkConf',
  'mcoi.service.hbs': 'unit',
  'rc.hbs': 'initScript',
};

interface ProgramFile {
  readonly folder: string;
  readonly name: string;
}

export const bundleFile: ProgramFile = { folder: '/usr/local/lib/pgduet', name: 'mc.cjs' };

export const commandFile = (name: 'mc_ctl' | 'mc_arb'): ProgramFile => ({ folder: '/usr/local/bin', name });

export const bundlePath = (server: Server, view: View): string =>
  installed(isManaged(server.host, view), server.multiplexing.managementDir, bundleFile);

export const mcCtlPath = (server: Server, view: View): string =>
  installed(isManaged(server.host, view), server.multiplexing.managementDir, commandFile('mc_ctl'));

/** A program is where every login finds it, or beside the files of its owner. */
export const installed = (managed: boolean, own: string, { folder, name }: ProgramFile): string =>
  `${managed ? folder : own}/${name}`;

/** Shell text that succeeds as long as another controller, or an arbiter, runs on this machine. */
export const otherControllers = ({ unit }: { readonly unit: string }): string =>
  `ls /etc/systemd/system/mcoi_*.service /etc/systemd/system/mcarb_*.service ${initScriptFile(initScriptOf('mcoi_*'))} ${initScriptFile(initScriptOf('mcarb_*'))} | grep -vxF -e /etc/systemd/system/${unit}.service -e ${initScriptFile(initScriptOf(unit))}`;

/** Those of the host's Node.js, or where it will be. */
export const nodePath = (host: Host, view: View): string =>
  view.hosts.get(host.name)?.facts?.node ?? '/usr/bin/node';

/** The same file on every server and on the arbiter. */
export const networkConfOf = ({ name, servers, arbiter }: Cluster): NetworkConfContext =>
  networkConfContext(
    name,
    servers.map((each) => ({ id: each.name, host: each.adminAddress, port: each.multiplexing.port })),
    arbiter ? [{ id: arbiter.name, host: arbiter.adminAddress, port: arbiter.port }] : [],
  );

/** After how many milliseconds the controller gives a silent peer up. */
export const giveUpMs = (server: Server): number => giveUpTimeMs(configurationOf(server));

/** `tablespaces`: those of the primary. */
export function controllerVariables(
  cluster: Cluster,
  server: Server,
  view: View,
  tablespaces: readonly string[],
): ControllerVariables {
  const node = nodePath(server.host, view);
  const bundle = bundlePath(server, view);
  const unit: UnitContext = {
    unit: server.unit,
    cluster: cluster.name,
    serverId: server.name,
    owner: server.postgres.owner,
    group: server.postgres.owner,
    managementDir: server.multiplexing.managementDir,
    dataDir: server.postgres.dataDir,
    writable: writable(server, tablespaces).map(unitPath),
    limits: limitLines(server.multiplexing.unitAllows),
    node,
    bundle,
  };
  return {
    node,
    bundle,
    mcCtl: mcCtlPath(server, view),
    controllerVersion,
    serverConf: serverConfContext(configurationOf(server, cluster), {
      cluster: cluster.name,
      serverId: server.name,
    }),
    unit,
    initScript: serverScript(cluster, server, view, mcCtlPath(server, view)),
  };
}

/** Where this server writes besides its data and management directories, as far as its unit has to allow it. */
function writable({ postgres, multiplexing }: Server, tablespaces: readonly string[]): readonly string[] {
  const { walDir, socketDir, settings } = postgres;
  const named = writtenPlaces(
    Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
  );
  const report = multiplexing.keys.core_file_path;
  const own = [walDir, report === undefined ? undefined : `${report}`].flatMap((path) => path ?? []);
  const places = [...own, socketDir, ...tablespaces, ...named.map(({ path }) => path)];
  return [...new Set(places)].filter((path) => isReadOnlyForUnit(path) && !isSystemDirectory(path)).sort();
}

/** What a server may do, in the words of its controller. */
export interface DutyVariables {
  readonly takeover: 'allowed' | 'never';
  readonly priority: number;
  readonly replication: 'synchronous' | 'asynchronous';
}

export const dutyVariables = ({ duty }: Server): DutyVariables => ({
  takeover: duty.failover === 'never' ? 'never' : 'allowed',
  priority: duty.priority,
  replication: duty.replication,
});

/** The words of the inventory, which the password file has, too. */
const addressesBeside = (server: Server, servers: readonly Server[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    servers
      .filter(({ name }) => name !== server.name)
      .map(({ name, logTransferAddress }) => [name, logTransferAddress]),
  );

/** A command of the configuration, as its program alone. */
export interface CommandVariables {
  readonly key: string;
  readonly path: string;
}

export function commandsOf(cluster: Cluster, name: string): readonly CommandVariables[] {
  const server = cluster.servers.find((one) => one.name === name);
  if (!server) return [];
  const { keys, arbitrationCommand } = server.multiplexing;
  const lines = {
    ...keys,
    arbitration_command: arbitrationCommand,
    unlock_command: server.postgres.unlockCommand,
  };
  return commandKeys.flatMap((key) => {
    const line = programLine(String(lines[key] ?? ''));
    return line.ok ? [{ key, path: line.path }] : [];
  });
}

const unlockOf = ({ postgres }: Server) => ({
  ...(postgres.unlockCommand ? { unlockCommand: postgres.unlockCommand } : {}),
  ...(postgres.unlockTimeoutMs ? { unlockCommandTimeoutMs: postgres.unlockTimeoutMs } : {}),
});

function configurationOf(server: Server, cluster?: Cluster) {
  const etcd = cluster?.etcd;
  const { heartbeat, failover, onHeartbeatLoss, arbitrationCommand, referenceAddresses } =
    server.multiplexing;
  const { takeover, priority, replication } = dutyVariables(server);
  return serverConf({
    dbInstance: server.postgres.dataDir,
    ...(server.postgres.binDir ? { postgresBinDir: server.postgres.binDir } : {}),
    ...unlockOf(server),
    heartbeatIntervalMs: heartbeat.intervalMs,
    heartbeatTimeoutMs: heartbeat.timeoutMs,
    heartbeatRetry: heartbeat.retries,
    heartbeatErrorAction: onHeartbeatLoss,
    failover,
    referenceAddresses,
    logTransferAddresses: addressesBeside(server, cluster?.servers ?? []),
    ...(arbitrationCommand ? { arbitrationCommand } : {}),
    takeover,
    takeoverPriority: priority,
    replication,
    ...(etcd ? { etcdEndpoints: etcd.endpoints, etcdUser: etcd.user, etcdPrefix: etcd.prefix } : {}),
    ...checksFollowing(heartbeat),
    ...confByKeys(server.multiplexing.keys),
  });
}
