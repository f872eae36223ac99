/** The variables of the host itself: what pgduet may write there, and what the inventory says of its server. Pure. */

import {
  type InitToolName,
  initScriptOf,
  type ServiceManager,
  serviceWord,
} from '../../base/service-managers.ts';
import { stoppedBy } from '../../base/stopped-words.ts';
import { serverConfDefaults } from '../../controller/config.ts';
import type { Host, Server } from '../../inventory/cluster.ts';
import { serviceManagerOn } from '../../observe/service.ts';
import type { View } from '../../observe/survey.ts';
import { hardeningSettings, replicationConnections } from '../../postgres/hardening.ts';
import { unlockedByUnit } from '../../resources/contract/unlock.ts';
import { type ServerVariables, serverVariables } from './server.ts';

/** Those of every host, also of one without a server. */
export interface BareHostVariables {
  readonly name: string;
  readonly address: string;
  readonly privileged: boolean;
  /** Root on a host that starts services: /usr/local, /etc/services and what starts a service are ours to write. */
  readonly managed: boolean;
  /** It starts them by systemd: units. */
  readonly systemd: boolean;
  /** It starts them by init scripts: what switches those on and off; else empty. */
  readonly initTool: InitToolName | '';
  /** Services are restarted by needrestart behind updates. */
  readonly needrestart: boolean;
}

export type HostVariables = BareHostVariables &
  ServerVariables & {
    readonly unit: string;
    /** What starts it with the host, as the kinds take it; empty where nothing does. */
    readonly service: string;
    readonly initScript: string;
    /** The socket directory is neither the system's own nor the management directory: it has to be made. */
    readonly ownSocketDir: boolean;
    /** It is another one, which has to be open to the instance administrator. */
    readonly otherSocketDir: boolean;
    /** It is the management directory. */
    readonly socketsBeside: boolean;
    /** Who has stopped it and when, where it is to stay down. */
    readonly stopped: string;
  };

export interface MultiplexingVariables {
  readonly managementDir: string;
  readonly port: number;
  readonly failover: 'automatic' | 'manual';
  readonly referenceAddresses: string;
  /** Empty where no report is wanted. */
  readonly coreFilePath: string;
  /** Words of `base/unit-limits.ts`. */
  readonly unitAllows: readonly string[];
}

/** Made by the packages of PostgreSQL, with a mode of its own. */
const systemSocketDir = '/var/run/postgresql';

export const serviceManager = (host: Host, view: View): ServiceManager => serviceManagerOn(host, view.hosts);

/** Is pgduet to write into the system's own directories there? */
export const isManaged = (host: Host, view: View): boolean => serviceManager(host, view) !== 'none';

/** Of a host without a server, and of any other one. */
export function hostWithoutServer(host: Host, view: View): BareHostVariables {
  const manager = serviceManager(host, view);
  const managed = manager !== 'none';
  return {
    name: host.name,
    address: host.address,
    privileged: host.privileged,
    managed,
    systemd: manager === 'systemd',
    initTool: manager === 'systemd' || manager === 'none' ? '' : manager,
    needrestart: managed && view.hosts.get(host.name)?.facts?.needrestart === true,
  };
}

export function hostVariables(server: Server, view: View): HostVariables {
  const { host, multiplexing, postgres } = server;
  const bare = hostWithoutServer(host, view);
  const ownSocketDir =
    !bare.managed && ![multiplexing.managementDir, systemSocketDir].includes(postgres.socketDir);
  return {
    ...serverVariables(server, view),
    ...bare,
    unit: server.unit,
    service: serviceWord(serviceManager(host, view), server.unit),
    initScript: initScriptOf(server.unit),
    ownSocketDir,
    otherSocketDir: !ownSocketDir && postgres.socketDir !== multiplexing.managementDir,
    socketsBeside: postgres.socketDir === multiplexing.managementDir,
    stopped: stoppedWords(view, server.name),
  };
}

function stoppedWords(view: View, name: string): string {
  const record = view.hosts.get(name)?.stopped;
  return record ? stoppedBy(record) : '';
}

/** Strings for everything, since the playbook's values are text; lists and maps stay for templates. */
/** `adopted`: the server was there before, and loads what it loads. */
export function postgresVariables(server: Server, adopted: boolean): Readonly<Record<string, unknown>> {
  const { version, port, dataDir, walDir, owner, socketDir, maxConnections, hardening, tls } =
    server.postgres;
  const unlockSeconds = Math.ceil(
    (server.postgres.unlockTimeoutMs ?? serverConfDefaults.unlockCommandTimeoutMs) / 1000,
  );
  const unlock = server.postgres.unlockCommand ?? '';
  const settings = Object.fromEntries(
    Object.entries(server.postgres.settings).map(([name, value]) => [name, settingText(value)]),
  );
  const hardened = { tls: tls !== undefined && tls !== 'off', declared: settings, loads: !adopted };
  return {
    version,
    port,
    dataDir,
    walDir: walDir ?? '',
    owner,
    socketDir,
    ...listening(server),
    maxConnections: maxConnections ?? '',
    settings,
    unlock,
    unlockSeconds,
    unlockedByUnit: unlockedByUnit({ unlock, unlockSeconds, id: server.name, dataDir }),
    hardening: hardening ? hardeningSettings({ level: hardening, ...hardened }) : {},
    hardened: hardening ?? '',
    // Roles and schemas of a server that was there before are its own matter.
    closed: hardening !== undefined && !adopted,
    roleConnections: hardening && !adopted ? replicationConnections(settings) : 0,
  };
}

/** On an address that comes later it listens by a parameter of the kernel, one for each family. */
function listening({ postgres, host, logTransferAddress }: Server) {
  const { listen } = postgres;
  if (listen === undefined) return { listenAddresses: '*', listensAhead: false, listensAhead6: false };
  const all = [...new Set(['localhost', host.address, logTransferAddress, ...listen])];
  return {
    listenAddresses: all.join(', '),
    listensAhead: true,
    listensAhead6: all.some((address) => address.includes(':')),
  };
}

const settingText = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);

export const multiplexingVariables = ({ multiplexing }: Server): MultiplexingVariables => ({
  managementDir: multiplexing.managementDir,
  port: multiplexing.port,
  failover: multiplexing.failover,
  referenceAddresses: multiplexing.referenceAddresses.join(', '),
  coreFilePath: `${multiplexing.keys.core_file_path ?? ''}`,
  unitAllows: multiplexing.unitAllows,
});
