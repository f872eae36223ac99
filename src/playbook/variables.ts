/**
 * The variables that playbooks and templates may use: everything known about one host and its cluster, as plain values, from the
 * files of variables/. No secret is among them: a secret is named with `!secret` and never becomes text here. Pure.
 */
import { type Situation, targetOf } from '../intent/intent.ts';
import type { Server } from '../inventory/cluster.ts';
import { type ControllerVariables, controllerVariables, giveUpMs } from './variables/controller.ts';
import {
  type HostVariables,
  hbaVariables,
  hostVariables,
  type MultiplexingVariables,
  multiplexingVariables,
  postgresVariables,
} from './variables/host.ts';
import { type RebuildVariables, rebuildVariables } from './variables/rebuild.ts';
import { type ReplicationVariables, replicationVariables } from './variables/replication.ts';
import { type ServerVariables, serverVariables } from './variables/server.ts';
import {
  type AdoptedVariables,
  adoptedVariables,
  type SingleVariables,
  singleVariables,
} from './variables/single.ts';
import {
  type DroppedVariables,
  droppedVariables,
  type TeardownVariables,
  teardownVariables,
} from './variables/teardown.ts';

export interface TablespaceVariables {
  readonly path: string;
}

export interface Variables extends ControllerVariables {
  readonly cluster: {
    readonly name: string;
    readonly replicationUser: string;
    readonly systemIdentifier: string;
  };
  readonly host: HostVariables;
  readonly postgres: Readonly<Record<string, unknown>>;
  readonly multiplexing: MultiplexingVariables;
  readonly primary: ServerVariables;
  readonly standbys: readonly ServerVariables[];
  readonly others: readonly ServerVariables[];
  readonly servers: readonly ServerVariables[];
  /** The server that the command names; without one the first standby. */
  readonly target: ServerVariables;
  readonly replication: ReplicationVariables;
  readonly hba: readonly { readonly line: string }[];
  /** In an `each`: the server or tablespace that is meant. */
  readonly item?: ServerVariables | TablespaceVariables;
  /** Those of the primary. */
  readonly tablespaces: readonly TablespaceVariables[];
  readonly adopted: AdoptedVariables;
  readonly single: SingleVariables;
  /** Those that a teardown takes away. */
  readonly dropped: readonly DroppedVariables[];
  readonly teardown: TeardownVariables;
  readonly rebuild: RebuildVariables;
}

export function variablesFor(situation: Situation, server: Server): Variables {
  const { cluster, view } = situation;
  const servers = cluster.servers.map((each) => serverVariables(each, view));
  const me = hostVariables(server, view);
  const primary = servers.find(({ role }) => role === 'primary') ?? me;
  const others = servers.filter(({ name }) => name !== server.name);
  const target = servers.find(({ name }) => name === targetOf(situation)) ?? me;
  const source = me.role === 'primary' ? others[0] : primary;
  return {
    cluster: {
      name: cluster.name,
      replicationUser: cluster.replicationUser,
      systemIdentifier: view.systemIdentifier ?? '',
    },
    host: me,
    postgres: postgresVariables(server),
    multiplexing: multiplexingVariables(server),
    primary,
    standbys: servers.filter(({ role }) => role === 'standby'),
    others,
    servers,
    target,
    dropped: droppedVariables(situation, servers),
    teardown: teardownVariables(situation, server, target),
    rebuild: rebuildVariables(situation, target),
    tablespaces: (view.hosts.get(primary.name)?.data?.tablespaces ?? []).map((path) => ({ path })),
    adopted: adoptedVariables(view),
    single: singleVariables(view, server),
    replication: replicationVariables(cluster, server, servers, source, giveUpMs(server)),
    hba: hbaVariables(server),
    ...controllerVariables(cluster, server, view),
  };
}
