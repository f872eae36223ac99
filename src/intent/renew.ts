/**
 * What follows for a renewal of the secrets from what is observed (ADR 16): which values go and which come, and how far it has come. It is read
 * from the hosts alone, so that any run goes on where another one was interrupted. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { isOf, type Renewal, type Turn } from '../base/renewal.ts';
import type { Secret } from '../base/secret.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { HostView, View } from '../observe/survey.ts';

export interface MadeSecrets {
  readonly clusterKey: Secret;
  readonly password: Secret;
}

/** One secret as the servers show it, the primary first. */
interface Shown {
  readonly used: readonly Secret[];
  /** Of the file of the primary, and of those of the others. */
  readonly own: Turn | undefined;
  readonly others: readonly Turn[];
  /** What the inventory gives; nothing else comes while nobody uses another value yet. */
  readonly given?: Secret | undefined;
}

/**
 * A turn that is under way is one about the value of the primary: its own file is the last one to go, so that without one nobody is behind
 * the new value, and only what has not been used anywhere yet is gone on with. Everything else is the remains of an earlier renewal.
 */
function turnOf({ used, own, others, given }: Shown, next: Secret): Turn | undefined {
  const [mine] = used;
  if (!mine) return undefined;
  if (own && isOf(own, mine)) return own;
  const begun = others.find(({ from, to }) => from.equals(mine) && (given === undefined || to.equals(given)));
  if (begun) return begun;
  const from = used.find((one) => !one.equals(next));
  return from && { from, to: next };
}

/** A secret that nobody uses yet is none to renew; nor is a password that the inventory gives and all servers use already. */
export function renewalFor(cluster: Cluster, view: View, made: MadeSecrets): Renewal {
  const [primary, ...others] = shownBy(cluster, view);
  const all = [primary, ...others];
  const key = turnOf(
    {
      used: all.flatMap((shown) => shown?.clusterKey ?? []),
      own: primary?.renewal?.key,
      others: others.flatMap((shown) => shown?.renewal?.key ?? []),
    },
    made.clusterKey,
  );
  const password = turnOf(
    {
      used: all.flatMap((shown) => shown?.replicationPassword ?? []),
      own: primary?.renewal?.password,
      others: others.flatMap((shown) => shown?.renewal?.password ?? []),
      given: cluster.replicationPassword,
    },
    cluster.replicationPassword ?? made.password,
  );
  // With no other server there is nobody to log in, and no file that would show which password is in use.
  const logsIn = cluster.servers.length > 1;
  return { ...(key ? { key } : {}), ...(password && logsIn ? { password } : {}) };
}

/** Why nothing may begin: a server uses a value that is neither the one that goes nor the one that comes. */
export function strayValue(cluster: Cluster, view: View, { key, password }: Renewal): Diagnostic | undefined {
  const isStray = (turn: Turn | undefined, used: Secret | undefined): boolean =>
    turn !== undefined && used !== undefined && !isOf(turn, used);
  return cluster.servers
    .flatMap(({ name }) => {
      const shown = view.hosts.get(name);
      if (isStray(key, shown?.clusterKey)) return [stray(name, 'cluster key')];
      return isStray(password, shown?.replicationPassword) ? [stray(name, 'replication password')] : [];
    })
    .at(0);
}

const stray = (host: string, what: string): Diagnostic => ({
  code: 'SAF034',
  host,
  what: `${host} uses another ${what} than the primary, and no renewal that is under way names it`,
  why: 'it would be locked out as soon as the others use the new one',
  ...advised`Run ${here`pgduet provision`}, which gives it the values of the primary; then run the same command again.`,
});

function shownBy(cluster: Cluster, view: View): readonly (HostView | undefined)[] {
  const others = cluster.servers.map(({ name }) => name).filter((name) => name !== view.primary);
  return [view.primary, ...others].map((name) => view.hosts.get(name));
}

/** Which secrets a run makes other ones: those whose new value was not used by all when it began. */
export interface Brought {
  readonly key: boolean;
  readonly password: boolean;
}

export const broughtBy = (cluster: Cluster, view: View, { key, password }: Renewal): Brought => ({
  key: key !== undefined && !isTurned(cluster, view, { key }),
  password: password !== undefined && !isTurned(cluster, view, { password }),
});

/** Every server uses the new values: what is left is to forget the old ones. */
export function isTurned(cluster: Cluster, view: View, { key, password }: Renewal): boolean {
  const uses = (turn: Turn | undefined, used: Secret | undefined): boolean =>
    turn === undefined || (used?.equals(turn.to) ?? false);
  return cluster.servers.every(({ name }) => {
    const shown = view.hosts.get(name);
    return uses(key, shown?.clusterKey) && uses(password, shown?.replicationPassword);
  });
}
