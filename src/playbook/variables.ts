/**
 * The variables that playbooks and templates may use: everything known about one host and its cluster, as plain values, from the
 * files of variables/. No secret is among them: a secret is named with `!secret` and never becomes text here. Pure.
 */

import type { NetworkConfContext } from '../controller/config.ts';
import { type Situation, targetOf } from '../intent/intent.ts';
import { leftAlone } from '../intent/maintenance.ts';
import { holder } from '../intent/teardown.ts';
import { type Cluster, type Host, mayTakeOver, registerOf, type Server } from '../inventory/cluster.ts';
import { heldBack } from '../observe/held.ts';
import type { View } from '../observe/survey.ts';
import { besideWord } from '../resources/data/own-files.ts';
import { type ArbiterVariables, arbiterInit, arbiterVariables } from './variables/arbiter.ts';
import { clientRules, clientsNeedTls } from './variables/client-rules.ts';
import {
  type CommandVariables,
  type ControllerVariables,
  commandsOf,
  controllerVariables,
  type DutyVariables,
  dutyVariables,
  giveUpMs,
  networkConfOf,
} from './variables/controller.ts';
import { type EtcdVariables, etcdVariables } from './variables/etcd.ts';
import { type FirewallVariables, firewallVariables } from './variables/firewall.ts';
import {
  type BareHostVariables,
  type HostVariables,
  hostVariables,
  hostWithoutServer,
  type MultiplexingVariables,
  multiplexingVariables,
  postgresVariables,
} from './variables/host.ts';
import { type IdentitiesVariables, identitiesVariables } from './variables/identities.ts';
import type { InitContext } from './variables/init-script.ts';
import { type MaintenanceVariables, maintenanceVariables } from './variables/maintenance.ts';
import { type MemoryVariables, memoryVariables } from './variables/memory.ts';
import { type NamesVariables, namesVariables } from './variables/names.ts';
import { type OperatingVariables, operatingVariables } from './variables/operating.ts';
import {
  barePlatform,
  type LibraryVariables,
  libraryVariables,
  type PlatformVariables,
  platformVariables,
} from './variables/platform.ts';
import { type RebuildVariables, rebuildVariables } from './variables/rebuild.ts';
import { type RecoveringVariables, recoveringVariables } from './variables/recovering.ts';
import { type RenewalVariables, renewalVariables } from './variables/renewal.ts';
import { type ReplicationVariables, replicationVariables } from './variables/replication.ts';
import { type ServerVariables, serverVariables } from './variables/server.ts';
import {
  type AdoptedVariables,
  adoptedVariables,
  copiedConfiguration,
  formerSlots,
  type SingleVariables,
  singleVariables,
} from './variables/single.ts';
import {
  type DroppedVariables,
  droppedVariables,
  type TeardownVariables,
  teardownVariables,
} from './variables/teardown.ts';
import { type OwnTlsVariables, ownTlsVariables, type TlsVariables, tlsVariables } from './variables/tls.ts';

export interface TablespaceVariables {
  readonly path: string;
}

/** What all hosts share, and who else there is. */
interface SlotVariables {
  readonly name: string;
}

interface SharedVariables {
  readonly cluster: {
    readonly name: string;
    readonly replicationUser: string;
    readonly systemIdentifier: string;
  };
  /** Without those in maintenance. */
  readonly standbys: readonly ServerVariables[];
  /** Those for whom commits wait as long as they are there. */
  readonly waitedFor: readonly ServerVariables[];
  /** Everybody who might take over is in maintenance: `yes` or `no`. */
  readonly alone: 'yes' | 'no';
  readonly others: readonly ServerVariables[];
  readonly servers: readonly ServerVariables[];
  /** In an `each`: the server or tablespace that is meant. */
  readonly item?: ServerVariables | TablespaceVariables | SlotVariables | CommandVariables | LibraryVariables;
  /** Those of the primary. */
  readonly tablespaces: readonly TablespaceVariables[];
  /** What stands beside PostgreSQL's own in the data directory of the server that keeps the data. */
  readonly besides: readonly { readonly path: string }[];
  /** Slots of a pair that was there before. */
  readonly formerSlots: readonly SlotVariables[];
  /** Programs that the controller of this host starts. */
  readonly commands: readonly CommandVariables[];
  /** Libraries that packages bring to this host. */
  readonly libraries: readonly LibraryVariables[];
  /** Those that a teardown takes away. */
  readonly dropped: readonly DroppedVariables[];
  readonly arbiter: ArbiterVariables;
  readonly etcd: EtcdVariables;
  /** Who answers who may act on a silence: the arbiter, an etcd, or the servers; empty where nobody does. */
  readonly register: readonly string[];
  readonly networkConf: NetworkConfContext;
  readonly renewal: RenewalVariables;
  readonly names: NamesVariables;
  readonly firewall: FirewallVariables;
}

/** The variables of a host without a server. */
export interface BareVariables extends SharedVariables {
  readonly host: BareHostVariables;
  readonly platform: Pick<PlatformVariables, 'nodePackage'>;
  readonly initScript: InitContext | undefined;
  readonly primary: ServerVariables | undefined;
  readonly target: ServerVariables | undefined;
}

export interface Variables extends SharedVariables, ControllerVariables {
  readonly host: HostVariables;
  readonly postgres: Readonly<Record<string, unknown>>;
  readonly multiplexing: MultiplexingVariables;
  readonly duty: DutyVariables;
  readonly platform: PlatformVariables;
  readonly primary: ServerVariables;
  /** The server that the command names; without one the first standby. */
  readonly target: ServerVariables;
  readonly replication: ReplicationVariables;
  readonly tls: TlsVariables;
  readonly ownTls: OwnTlsVariables;
  readonly identities: IdentitiesVariables;
  readonly hba: readonly { readonly line: string }[];
  readonly adopted: AdoptedVariables;
  readonly single: SingleVariables;
  /** What a copy of the primary is started with, by lower-case name; empty where it is not known, or looked at otherwise. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly teardown: TeardownVariables;
  readonly rebuild: RebuildVariables;
  readonly switch: { readonly maxWait: string };
  readonly failover: { readonly state: string };
  readonly maintenance: MaintenanceVariables;
  readonly detachment: { readonly state: string; readonly alone: string };
  readonly operating: OperatingVariables;
  readonly recovery: RecoveringVariables;
  readonly memory: MemoryVariables;
}

export function bareVariables(situation: Situation, host: Host): BareVariables {
  const shared = sharedVariables(situation, host.name);
  return {
    ...shared,
    host: hostWithoutServer(host, situation.view),
    platform: barePlatform(host, situation.view),
    initScript: arbiterInit(situation.cluster, situation.view, shared.arbiter.mcArb),
    primary: shared.servers.find(({ role }) => role === 'primary'),
    target: shared.servers.find(({ name }) => name === targetOf(situation)),
  };
}

function sharedVariables(situation: Situation, host: string): SharedVariables {
  const { cluster, view } = situation;
  const servers = cluster.servers.map((each) => serverVariables(each, view));
  const out = leftAlone(situation.intent, view);
  const standbys = servers.filter(({ role, name }) => role === 'standby' && !out.includes(name));
  const vain = inVain(situation);
  const waitedFor = standbys.filter(({ name }) => isCandidate(cluster, name) && !vain.has(name));
  const keeper = view.hosts.get(holder(situation) ?? '');
  return {
    cluster: {
      name: cluster.name,
      replicationUser: cluster.replicationUser,
      systemIdentifier: view.systemIdentifier ?? '',
    },
    servers,
    standbys,
    waitedFor,
    alone: waitedFor.length === 0 && out.length > 0 ? 'yes' : 'no',
    others: servers.filter(({ name }) => name !== host),
    dropped: droppedVariables(situation, servers),
    arbiter: arbiterVariables(cluster, view),
    etcd: etcdVariables(situation),
    register: registerOf(cluster),
    networkConf: networkConfOf(cluster),
    tablespaces: tablespacesOf(view).map((path) => ({ path })),
    renewal: renewalVariables(situation),
    names: namesVariables(cluster, host, view),
    firewall: firewallVariables(situation, host),
    formerSlots: formerSlots(view).map((name) => ({ name })),
    commands: commandsOf(cluster, host),
    libraries: libraryVariables(cluster, view, host),
    besides: (keeper?.data?.besides ?? []).map((one) => ({ path: besideWord(one) })),
  };
}

/** Where one server is to come back: others that a person has to rebuild first do not come while it is waited for. */
function inVain({ intent, view }: Situation): ReadonlySet<string> {
  if (intent.kind !== 'maintenance' && intent.kind !== 'rebuild') return new Set();
  return new Set([...heldBack(view)].filter((name) => name !== intent.host));
}

/** Of a primary that does not run, its links tell. */
function tablespacesOf({ hosts, primary }: View): readonly string[] {
  const host = hosts.get(primary);
  return host?.tablespaces ?? host?.data?.tablespaces ?? [];
}

/** What `pgduet failover` was asked for; for other verbs what the inventory declares. */
const switching = ({ intent }: Situation, { multiplexing }: Server): 'on' | 'off' => {
  if (intent.kind === 'failover') return intent.state;
  return multiplexing.failover === 'automatic' ? 'on' : 'off';
};

const isCandidate = (cluster: Cluster, name: string): boolean =>
  cluster.servers.some((server) => server.name === name && mayTakeOver(server));

/** What `pgduet detach` or `attach` was asked for. */
const detachmentOf = ({ intent }: Situation) =>
  intent.kind === 'detach'
    ? { state: intent.state, alone: `${intent.alone}` }
    : { state: 'in', alone: 'false' };

/** Empty where the command says nothing. */
const maxWaitOf = ({ intent }: Situation): string =>
  intent.kind === 'switch' ? `${intent.maxWait ?? ''}` : '';

export function variablesFor(situation: Situation, server: Server): Variables {
  const { cluster, view } = situation;
  const shared = sharedVariables(situation, server.name);
  const { servers, others } = shared;
  const me = hostVariables(server, view);
  const primary = servers.find(({ role }) => role === 'primary') ?? me;
  const target = servers.find(({ name }) => name === targetOf(situation)) ?? me;
  const adopted = adoptedVariables(view, server.name);
  const source = me.role === 'primary' ? others[0] : primary;
  const tls = tlsVariables(situation, server, source?.name);
  return {
    ...shared,
    host: me,
    postgres: postgresVariables(server, adopted.phase !== ''),
    multiplexing: multiplexingVariables(server),
    duty: dutyVariables(server),
    platform: platformVariables(server, view),
    primary,
    target,
    teardown: teardownVariables(situation, server, target, adopted.carried),
    rebuild: rebuildVariables(situation, target, server.name),
    switch: { maxWait: maxWaitOf(situation) },
    failover: { state: switching(situation, server) },
    maintenance: maintenanceVariables(situation),
    detachment: detachmentOf(situation),
    operating: operatingVariables(situation, server.name),
    recovery: recoveringVariables(situation, server.name),
    memory: memoryVariables(cluster, view, server.name),
    adopted,
    single: singleVariables(view, server),
    configuration: copiedConfiguration(view, server),
    replication: replicationVariables(situation, server, servers, source, giveUpMs(server), tls),
    tls,
    ownTls: ownTlsVariables(situation, server),
    identities: identitiesVariables(situation, server),
    hba: clientRules(server, clientsNeedTls(situation, server)),
    ...controllerVariables(cluster, server, view, tablespacesOf(view)),
  };
}
