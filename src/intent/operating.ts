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
  /** The standby that becomes primary before; absent: the primary stays, or is not meant. */
  readonly to?: string;
}

export type OperatingIntent = ReloadIntent | RestartIntent;

export const isOperating = (intent: { readonly kind: string }): intent is OperatingIntent =>
  intent.kind === 'reload' || intent.kind === 'restart';

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
  return { ...intent, found, ...(to === undefined ? {} : { to }) };
}

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
