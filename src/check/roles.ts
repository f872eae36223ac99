/**
 * Who is primary, for a look that goes on although a host is away or shows little. In: what the reached hosts show.
 * Out: a view to compile for, and what is wrong with the roles. Unlike the survey of a run it never ends the work:
 * a check only reads. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import {
  type HostView,
  maintainedOf,
  preferredView,
  survey,
  type View,
  vouchedFor,
} from '../observe/survey.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { leads, unreadable } from '../resources/data/data-directory.ts';

export interface Roles {
  readonly view: View;
  /** Undefined when nobody can say who is primary; the view then names the likeliest. */
  readonly primary?: string;
  /** Two primaries, or none: no server is compared with what its role asks for. */
  readonly refused?: Diagnostic;
}

/** Asked besides the survey: a login that may not look into the data directory can still be recognised by what the server says. */
export const recoveryProbe: Probe = { sql: 'select to_json(pg_is_in_recovery())' };

export const readRecovery = (reply: ProbeReply | undefined): boolean | undefined =>
  typeof reply?.sql === 'boolean' ? reply.sql : undefined;

/** `looked` holds the reached ones; `recovering` what their servers say of themselves. */
export function rolesOf(
  cluster: Cluster,
  looked: ReadonlyMap<string, HostView>,
  recovering: ReadonlyMap<string, boolean | undefined>,
): Roles {
  const seen = vouchedFor(cluster, looked);
  const { hosts } = seen;
  const absent = cluster.servers.filter(({ name }) => !hosts.has(name));
  const blind = cluster.servers.filter(({ name }) => hosts.has(name) && hosts.get(name)?.data === undefined);
  const whole = absent.length + blind.length === 0;
  const found = survey(cluster, hosts);
  const away = absent.length > 0 ? { absent: new Set(absent.map(({ name }) => name)) } : {};
  if ('view' in found && (whole || leads(hosts.get(found.view.primary)?.data)))
    return { view: { ...found.view, ...away }, primary: found.view.primary };
  const systemIdentifier = identifierOf(hosts);
  const guess = (primary: string): View => ({
    ...seen,
    primary,
    ...away,
    ...maintainedOf(hosts),
    ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
  });
  if ('refused' in found && (whole || found.refused.code === 'SAF003'))
    return { view: guess(preferredView(cluster).primary), refused: found.refused };
  const answering = cluster.servers.filter(({ name }) => recovering.get(name) === false);
  if (answering.length === 1 && answering[0])
    return { view: guess(answering[0].name), primary: answering[0].name };
  return { view: guess(likeliest(cluster, [...absent, ...blind], recovering)) };
}

/** Not a standby by its own word, and preferred if there are several. */
function likeliest(
  cluster: Cluster,
  unseen: readonly Server[],
  recovering: ReadonlyMap<string, boolean | undefined>,
): string {
  const preferred = preferredView(cluster).primary;
  const possible = unseen.filter(({ name }) => recovering.get(name) !== true).map(({ name }) => name);
  return possible.includes(preferred) ? preferred : (possible[0] ?? preferred);
}

/** Where the primary cannot be asked whose data it has, the others know it, as long as they agree. */
function identifierOf(hosts: ReadonlyMap<string, HostView>): string | undefined {
  const known = new Set([...hosts.values()].flatMap(({ data }) => data?.recorded ?? []));
  known.delete(unreadable);
  return known.size === 1 ? [...known][0] : undefined;
}
