/**
 * What differs because a renewal of the secrets is under way: a server uses one of two values, the primary the other one, and both hear both.
 * That is one fact, and is told once, as SEC002. Pure.
 */
import { isOf, type Turn } from '../base/renewal.ts';
import type { Secret } from '../base/secret.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { clusterKeyFile, type HostView, type View } from '../observe/survey.ts';
import type { Finding } from './finding.ts';

type Told = Pick<Finding, 'code' | 'host' | 'object' | 'found'>;

export function isOfRenewal(cluster: Cluster, view: View, { code, host, object, found }: Told): boolean {
  const server = cluster.servers.find(({ name }) => name === host);
  const [mine, primary] = [view.hosts.get(server?.name ?? ''), view.hosts.get(view.primary)];
  if (!server || !mine || !primary) return false;
  if (code === 'FIL006' && object === clusterKeyFile(server))
    return turns(
      mine,
      primary,
      ({ renewal }) => renewal?.key,
      ({ clusterKey }) => clusterKey,
    );
  // Of several lines only the first one is known.
  const one = cluster.servers.length === 2 && found?.includes('another password') === true;
  if (code === 'PWD002' && one)
    return turns(
      mine,
      primary,
      ({ renewal }) => renewal?.password,
      ({ replicationPassword }) => replicationPassword,
    );
  return false;
}

/** Each of the two has the file, and uses a value that both files name. */
function turns(
  mine: HostView,
  primary: HostView,
  turnOf: (seen: HostView) => Turn | undefined,
  usedBy: (seen: HostView) => Secret | undefined,
): boolean {
  const seen = [mine, primary];
  return seen.every((one) => {
    const turn = turnOf(one);
    return (
      turn !== undefined &&
      seen.every((other) => {
        const value = usedBy(other);
        return value !== undefined && isOf(turn, value);
      })
    );
  });
}
