/**
 * The hosts of a rolling update while it lasts: a session each, the lock that keeps a second update away, and looks. A host that goes down for
 * its work is opened again. In: a cluster and ports. Out: what the hosts show. Changes nothing but the lock.
 */
import { type HostState, lookAt, openHost, probesFor } from '../../apply/hosts.ts';
import { hostView } from '../../apply/observation.ts';
import type { RunPorts } from '../../apply/request.ts';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { lostObstacles } from '../../intent/lost.ts';
import type { Cluster, Server } from '../../inventory/cluster.ts';
import { survey, type View } from '../../observe/survey.ts';
import { type Asked, directoryOf, type HostSeen, lookScript, readHost } from '../../rolling/place.ts';
import type { Reply } from '../../transport/port.ts';

export interface FleetSeen {
  readonly view: View;
  readonly hosts: ReadonlyMap<string, HostSeen>;
  /** Why a host is away, by server. */
  readonly away: ReadonlyMap<string, DiagnosticError>;
}

export interface Fleet {
  readonly cluster: Cluster;
  /** Opens what is not open, and looks at everything that is. */
  look(): Promise<FleetSeen>;
  run(server: string, script: string): Promise<Reply>;
  state(server: string): HostState;
  /** The next use opens it anew. */
  drop(server: string): Promise<void>;
  close(): Promise<void>;
}

export interface FleetOptions {
  /** Nobody locks who only looks. */
  readonly locks: boolean;
  readonly owner: string;
}

export const askedOf = (cluster: Cluster, { name, postgres }: Server): Asked => ({
  directory: directoryOf(cluster.name, name),
  dataDir: postgres.dataDir,
  ...(postgres.walDir ? { walDir: postgres.walDir } : {}),
});

export function openFleet(cluster: Cluster, ports: RunPorts, options: FleetOptions): Fleet {
  const states = new Map<string, HostState>();
  const locked = new Set<string>();
  const open = async (server: Server): Promise<HostState> => {
    const known = states.get(server.name);
    if (known) return known;
    const state = await openHost(cluster, server.host, ports);
    states.set(server.name, state);
    // What a broken connection has left there may hold our own lock until it has heard nothing for a while.
    if (options.locks)
      await lockUpdate(cluster, state, {
        owner: options.owner,
        waitMs: locked.has(server.name) ? ownLockWaitMs : 0,
      });
    locked.add(server.name);
    return state;
  };
  const drop = async (name: string): Promise<void> => {
    const state = states.get(name);
    states.delete(name);
    await state?.session.close();
  };
  const serverOf = (name: string): Server => {
    const server = cluster.servers.find((one) => one.name === name);
    if (!server) throw new Error(`the server '${name}' is not one of the cluster`);
    return server;
  };
  return {
    cluster,
    look: () => lookAll(cluster, ports, { open, drop }),
    run: async (name, script) => {
      const { session } = await open(serverOf(name));
      return session.run(script);
    },
    state: (name) => {
      const state = states.get(name);
      if (!state) throw new Error(`'${name}' is not open`);
      return state;
    },
    drop,
    close: async () => {
      await Promise.all([...states.keys()].map(drop));
    },
  };
}

/** Longer than a shell without a connection stays (transport/remote-shell.ts, ssh keepalive). */
const ownLockWaitMs = 120_000;

async function lockUpdate(
  cluster: Cluster,
  { host, session }: HostState,
  { owner, waitMs }: { readonly owner: string; readonly waitMs: number },
): Promise<void> {
  const reply = await session.lock({ cluster: `${cluster.name}.${host.name}.update`, owner, waitMs });
  if (reply.held) return;
  throw new DiagnosticError(
    [
      {
        code: 'RUN001',
        what: `another rolling update of cluster '${cluster.name}' is under way`,
        why: 'two at once would take two servers out',
        fix: 'Wait until it has ended. The lock goes away with the process that holds it.',
        host: host.name,
        evidence: [`held by: ${reply.owner}`],
      },
    ],
    exitCode.locked,
  );
}

interface Hands {
  open(server: Server): Promise<HostState>;
  drop(name: string): Promise<void>;
}

async function lookAll(cluster: Cluster, ports: RunPorts, hands: Hands): Promise<FleetSeen> {
  const hosts = new Map<string, HostSeen>();
  const away = new Map<string, DiagnosticError>();
  const views = new Map<string, ReturnType<typeof hostView>>();
  const lookAtOne = async (server: Server): Promise<void> => {
    const state = await hands.open(server);
    const survey = lookAt(ports, state, probesFor(cluster, server.host, []));
    const [reply] = await Promise.all([state.session.run(lookScript(askedOf(cluster, server))), survey]);
    hosts.set(server.name, readHost(reply.stdout));
    views.set(server.name, hostView(cluster, state, ports));
  };
  // Of two updates that begin at once, both may be refused.
  const failures = await Promise.all(
    cluster.servers.map(async (server) => {
      try {
        await lookAtOne(server);
        return undefined;
      } catch (error) {
        if (!isAway(error)) return error;
        await hands.drop(server.name);
        away.set(server.name, error);
        return undefined;
      }
    }),
  );
  const problem = failures.find((one) => one !== undefined);
  if (problem !== undefined) throw problem;
  const lost = lostObstacles('rolling-update', cluster, views);
  if (lost.length > 0) throw new DiagnosticError(lost, exitCode.refused);
  const found = survey(cluster, views);
  if ('refused' in found) throw unsettled(found.refused, away);
  return { view: found.view, hosts, away };
}

export const isAway = (error: unknown): error is DiagnosticError =>
  error instanceof DiagnosticError &&
  error.diagnostics.every(({ code }) => code === 'CON001' || code === 'CON007');

/** Where a host is away, that is what stands in the way. */
function unsettled(
  refused: DiagnosticError['diagnostics'][number],
  away: ReadonlyMap<string, DiagnosticError>,
): DiagnosticError {
  const others = [...away.values()].flatMap(({ diagnostics }) => diagnostics);
  return new DiagnosticError(
    [...others, refused],
    others.length > 0 ? exitCode.unreachable : exitCode.refused,
  );
}
