/**
 * Who is primary where `pgduet migrate` finds a pair that was there before: nothing of it is recorded yet, so that the usual survey knows only that
 * there are standbys. In: the looks of the hosts. Out: a view, or what the usual survey refuses. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { isFinished } from '../resources/data/data-directory.ts';
import { type HostView, survey, type View } from './survey.ts';

export function standingSurvey(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { view: View } | { refused: Diagnostic } {
  const usual = survey(cluster, hosts);
  if ('view' in usual) return usual;
  const finished = cluster.servers.flatMap(({ name }) => {
    const data = hosts.get(name)?.data;
    return data && isFinished(data) ? [{ name, data }] : [];
  });
  const leading = finished.filter(({ data }) => !data.standbySignal);
  const [primary] = leading;
  const systemIdentifier = primary?.data.control?.systemIdentifier;
  const isOne = finished.every(({ data }) => data.control?.systemIdentifier === systemIdentifier);
  if (leading.length !== 1 || !primary?.data.running || systemIdentifier === undefined || !isOne)
    return usual;
  return { view: { hosts, primary: primary.name, systemIdentifier } };
}

/** A standby of this primary that was there before pgduet, and has not been copied by it. */
export function wasThere({ hosts, primary, systemIdentifier }: View, name: string): boolean {
  const data = hosts.get(name)?.data;
  if (name === primary || !data || !isFinished(data) || !data.standbySignal) return false;
  return (
    data.before === 'standby' ||
    (data.recorded === undefined &&
      systemIdentifier !== undefined &&
      data.control?.systemIdentifier === systemIdentifier)
  );
}
