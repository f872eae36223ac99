/**
 * What an operator asks of servers that are there: `reload`, `restart`, `stop`, `start`. Which servers a command means, how the first
 * observation has found them, and who becomes primary first. In: the intent, cluster and view. Out: the intent, settled. Pure.
 */
import { type Cluster, mayTakeOver, type Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';

/** When each server had read its files, or was started, by its name: what is the same still has to be done. */
export type Found = Readonly<Record<string, string>>;

export interface ReloadIntent {
  readonly kind: 'reload';
  /** None: all. */
  readonly hosts: readonly string[];
  readonly found?: Found;
}

export interface RestartIntent {
  readonly kind: 'restart';
  readonly hosts: readonly string[];
  /** Only where a setting waits for it. */
  readonly pending: boolean;
  readonly switchFirst: boolean;
  readonly found?: Found;
  /** Standbys that were in sync: each is so again before the next server is restarted. */
  readonly inSync?: readonly string[];
  /** The standby that becomes primary before; absent: the primary stays, or is not meant. */
  readonly to?: string;
}

export interface StopIntent {
  readonly kind: 'stop';
  readonly hosts: readonly string[];
  readonly switchFirst: boolean;
  /** Who asks for it. */
  readonly by: string;
  /** As of a restart. */
  readonly to?: string;
  /** The first observation was made. */
  readonly begun?: true;
}

export interface StartIntent {
  readonly kind: 'start';
  readonly hosts: readonly string[];
}

export type OperatingIntent = ReloadIntent | RestartIntent | StopIntent | StartIntent;

const kinds: readonly string[] = ['reload', 'restart', 'stop', 'start'];

export const isOperating = (intent: { readonly kind: string }): intent is OperatingIntent =>
  kinds.includes(intent.kind);

/** Whether the command is about this server. */
export const means = ({ hosts }: Pick<OperatingIntent, 'hosts'>, name: string): boolean =>
  hosts.length === 0 || hosts.includes(name);

export function settleReload(intent: ReloadIntent, cluster: Cluster, view: View): ReloadIntent {
  if (intent.found) return intent;
  return { ...intent, found: marks(cluster, view, 'loaded') };
}

export function settleRestart(intent: RestartIntent, cluster: Cluster, view: View): RestartIntent {
  if (intent.found) return intent;
  const found = intent.pending ? {} : marks(cluster, view, 'started');
  const waits = (view.hosts.get(view.primary)?.running?.waiting.length ?? 0) > 0;
  const moves = intent.switchFirst && means(intent, view.primary) && (!intent.pending || waits);
  const to = moves ? preferredStandby(cluster, view) : undefined;
  const inSync = view.hosts.get(view.primary)?.running?.inSync ?? [];
  return { ...intent, found, inSync, ...(to === undefined ? {} : { to }) };
}

/** A role that is given away first goes to a server that goes on; where none does, nobody needs it. */
export function settleStop(intent: StopIntent, cluster: Cluster, view: View): StopIntent {
  if (intent.begun) return intent;
  const moves = intent.switchFirst && means(intent, view.primary);
  const to = moves ? preferredStandby(cluster, view, ({ name }) => !means(intent, name)) : undefined;
  return { ...intent, begun: true, ...(to === undefined ? {} : { to }) };
}

/** The servers that the command is about, in the order of the inventory. */
export const meant = (intent: OperatingIntent, { servers }: Cluster): readonly string[] =>
  servers.map(({ name }) => name).filter((name) => means(intent, name));

const marks = (cluster: Cluster, view: View, of: 'loaded' | 'started'): Found =>
  Object.fromEntries(
    cluster.servers.flatMap(({ name }) => {
      const mark = view.hosts.get(name)?.running?.[of];
      return mark === undefined ? [] : [[name, mark]];
    }),
  );

/** Of the standbys that may take over the one that is preferred; the first of several. */
export function preferredStandby(
  cluster: Cluster,
  view: View,
  allowed: (server: Server) => boolean = () => true,
): string | undefined {
  const candidates = cluster.servers.filter(
    (server) =>
      server.name !== view.primary &&
      mayTakeOver(server) &&
      !view.maintained?.has(server.name) &&
      allowed(server),
  );
  const highest = Math.max(...candidates.map(({ duty }) => duty.priority));
  return candidates.find(({ duty }) => duty.priority === highest)?.name;
}
