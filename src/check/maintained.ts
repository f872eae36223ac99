/**
 * Servers in maintenance: that is told, with who, why and until when, and nothing else of them. In: who is out, what was seen. Out: findings,
 * and what is left of the rest. Pure.
 */

import { commandWords } from '../base/command.ts';
import { maintenanceWords, momentOf } from '../base/maintenance-words.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { endCommand, isOverdue, type MaintenanceSeen } from '../observe/maintenance.ts';
import type { Finding, Reported } from './finding.ts';
import type { Roles } from './roles.ts';

type Out = ReadonlyMap<string, MaintenanceSeen>;

/** Whoever leads is in no maintenance, whatever is remembered of it. */
export const outOf = ({ view, primary }: Roles): Out =>
  new Map([...(view.maintained ?? [])].filter(([name]) => name !== primary));

/** `kept`: of the WAL that the server will ask for, as far as that is known. */
export const maintenanceFindings = (
  { servers }: Cluster,
  out: Out,
  nowMs: number,
  kept: (server: string) => string | undefined,
): readonly Reported[] =>
  servers.flatMap(({ name }) => {
    const seen = out.get(name);
    return seen ? findingsOf(name, seen, nowMs, kept(name)) : [];
  });

function findingsOf(
  name: string,
  seen: MaintenanceSeen,
  nowMs: number,
  kept: string | undefined,
): readonly Reported[] {
  const end = endCommand(name, seen);
  const repair = { repair: commandWords(end), commands: [end] };
  const common = { host: name, object: name, ...repair };
  const is: Reported = {
    ...common,
    code: 'MNT001',
    declared: 'nobody works on it',
    found: [maintenanceWords(seen), ...(kept === undefined ? [] : [kept])].join('; '),
    ...sinceOf(seen.since),
  };
  if (seen.until === null || !isOverdue(seen, nowMs)) return [is];
  const late: Reported = {
    ...common,
    code: 'MNT002',
    declared: `over by ${momentOf(seen.until)}`,
    found: maintenanceWords(seen),
    ...sinceOf(seen.until),
    repair: `ask who works there; ${repair.repair}`,
  };
  return [is, late];
}

/** Seconds since 1970; nothing where it is no time. */
function sinceOf(iso: string): { readonly since?: number } {
  const since = Date.parse(iso) / 1000;
  return Number.isNaN(since) ? {} : { since };
}

interface Seen {
  readonly roles: Roles;
  readonly audited: readonly { readonly seen: ReadonlyMap<string, unknown> }[];
  readonly clocks: readonly { readonly host: string }[];
  readonly unreached: ReadonlyMap<string, unknown>;
}

/** What was looked at, without what was seen on a server in maintenance, and without a host that is away for that. */
export function withoutMaintained<Inspection extends Seen>(inspection: Inspection): Inspection {
  const out = outOf(inspection.roles);
  if (out.size === 0) return inspection;
  const left = <T>(all: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...all].filter(([host]) => !out.has(host)));
  return {
    ...inspection,
    audited: inspection.audited.map((one) => ({ ...one, seen: left(one.seen) })),
    clocks: inspection.clocks.filter(({ host }) => !out.has(host)),
    unreached: left(inspection.unreached),
  };
}

/** Another server may tell of it, too. That it cannot follow any more, or soon cannot, is for whoever works there. */
export const isAboutMaintained = ({ code, host, object }: Finding, out: Out): boolean =>
  code !== 'REP010' && (out.has(object) || (host !== null && out.has(host)));
