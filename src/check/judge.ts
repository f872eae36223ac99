/**
 * Everything that was seen of one cluster becomes its report. In: roles, plan, what the audits saw, clocks, hosts that could
 * not be reached. Out: hosts and findings. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { findingCodes } from '../base/finding-codes.ts';
import { sh } from '../base/shell.ts';
import { type Cluster, type Host, type Role, serverOn, shownAddress } from '../inventory/cluster.ts';
import { preferredView } from '../observe/survey.ts';
import { withoutVainStart } from '../observe/unmade.ts';
import { unseenPrimary } from '../observe/who-leads.ts';
import { type ClockObservation, clockProblems } from '../plan/clocks.ts';
import type { Plan, Resource } from '../plan/plan.ts';
import type { Observed } from '../resources/contract/kind.ts';
import { lacksDirectory } from '../resources/data/data-directory.ts';
import { declaredSettings } from '../resources/postgres/declared-settings.ts';
import type { AnyAudit, AuditContext } from './audit.ts';
import { away, keptWords } from './audits/away.ts';
import { type SecretTimes, secretDates, secretsAudit } from './audits/secrets.ts';
import { byGravity, type Finding, findingOf, findingOfDiagnostic, isoTime, openFinding } from './finding.ts';
import { planFindings, planUnseen } from './from-plan.ts';
import { isAboutMaintained, maintenanceFindings, outOf, withoutMaintained } from './maintained.ts';
import { isOfRenewal } from './renewing.ts';
import type { ClusterReport } from './report.ts';
import type { Roles } from './roles.ts';
import { type Unseen, unseenFindings, withoutStopped } from './unseen.ts';

/** What all hosts of a cluster have shown. */
export interface Inspection {
  readonly cluster: Cluster;
  /** The version of this pgduet. */
  readonly version: string;
  /** Our own clock, milliseconds since 1970. */
  readonly nowMs: number;
  readonly roles: Roles;
  /** Absent when the roles were refused. */
  readonly plan?: Plan;
  readonly resources: readonly Resource[];
  /** By audit, then by host. */
  readonly audited: readonly {
    readonly audit: AnyAudit;
    readonly seen: ReadonlyMap<string, Observed<unknown>>;
  }[];
  readonly clocks: readonly ClockObservation[];
  readonly unreached: ReadonlyMap<string, readonly Diagnostic[]>;
  readonly roundTrips: Readonly<Record<string, number>>;
}

/** What is told of one host only, if only one is asked for; the others are looked at all the same. */
export function clusterReport(inspection: Inspection, limit?: string): ClusterReport {
  const { cluster, roles, roundTrips, unreached } = inspection;
  const told = (name: string): boolean => limit === undefined || name === limit;
  const findings = allFindings(inspection).filter(({ host }) => host === null || told(host));
  // A host whose findings are not reported must not stand there as one that has none.
  const hosts = cluster.hosts.filter(({ name }) => told(name));
  return {
    cluster: cluster.name,
    inventory: cluster.file,
    primary: roles.primary ?? null,
    preferredPrimary: preferredView(cluster).primary,
    secrets: secretsSince(inspection),
    hosts: hosts.map((host) => ({
      name: host.name,
      address: shownAddress(host),
      role: roleOf(host, inspection),
      preferredRole: serverOn(cluster, host.name)?.preferredRole ?? null,
      reached: !unreached.has(host.name),
      roundTrips: roundTrips[host.name] ?? 0,
    })),
    findings: findings.map((one) => openFinding(possible(one, roles))).sort(byGravity),
  };
}

/** What is up to a person can be done as things stand; of a directory that is lost its own finding says what comes before a rebuild. */
function possible(one: Finding, roles: Roles): Finding {
  if (one.code === 'CTL016') return one;
  const out = outOf(roles);
  const dataOf = (server: string) => roles.view.hosts.get(server)?.data;
  const isStopped = (server: string) => roles.view.hosts.get(server)?.stopped !== undefined;
  const repair = withoutVainStart(one.repair, dataOf, (server) => out.has(server), isStopped);
  return repair === one.repair ? one : { ...one, repair, commands: [] };
}

function secretsSince({ audited }: Inspection): ClusterReport['secrets'] {
  const seen = audited.find(({ audit }) => audit.name === secretsAudit.name)?.seen ?? new Map();
  const times = [...seen].flatMap(([host, observed]) =>
    observed.state === 'present' ? [[host, observed.value as SecretTimes] as const] : [],
  );
  const { key, password } = secretDates(new Map(times));
  const iso = (seconds: number | null): string | null => (seconds === null ? null : isoTime(seconds));
  return { clusterKey: iso(key), replicationPassword: iso(password) };
}

function roleOf({ name }: Host, { cluster, roles, unreached }: Inspection): Role | 'unknown' | 'none' {
  if (!serverOn(cluster, name)) return 'none';
  if (roles.primary === undefined || unreached.has(name)) return 'unknown';
  return name === roles.primary ? 'primary' : 'standby';
}

/** Of a server in maintenance only that is told. */
function allFindings(inspection: Inspection): readonly Finding[] {
  const { cluster, roles, nowMs } = inspection;
  const provision = sh`pgduet provision -i ${cluster.file}`;
  const context = contextOf(inspection);
  const kept = presentOf(inspection.audited.find(({ audit }) => audit.name === away.name)?.seen ?? new Map());
  const out = maintenanceFindings(cluster, outOf(roles), nowMs, (name) => keptWords(context, kept, name)).map(
    (told) => findingOf(told, provision),
  );
  const others = otherFindings(withoutMaintained(inspection), provision);
  return [
    ...leaderless(inspection),
    ...out,
    ...others.filter((one) => !isAboutMaintained(one, outOf(roles))),
  ];
}

/**
 * Every server that was reached is in maintenance, and none of them leads. What their controllers say of that is not told, and that a host is away
 * is no word about the primary.
 */
function leaderless({ cluster, roles, unreached }: Inspection): readonly Finding[] {
  if (roles.primary !== undefined || roles.refused) return [];
  const names = cluster.servers.map(({ name }) => name);
  const away = names.filter((name) => unreached.has(name));
  const reached = names.filter((name) => !unreached.has(name));
  const out = outOf(roles);
  if (away.length === 0 || reached.length === 0 || !reached.every((name) => out.has(name))) return [];
  const told = unseenPrimary(away, `${reached.join(' and ')}, in maintenance, takes no role by itself`);
  return [findingOfDiagnostic(told, 'danger', 'roles')];
}

function otherFindings(inspection: Inspection, provision: string): readonly Finding[] {
  const { cluster, plan, roles } = inspection;
  const bare = isBare(inspection);
  const counting = bare && plan ? countingBeside(cluster, plan) : plan;
  const differing = counting ? planFindings(counting, provision) : [];
  if (bare && plan) return [bareFinding(cluster, provision), ...differing, ...clockFindings(inspection)];
  const planned = differing.filter((one) => !isOfRenewal(cluster, roles.view, one) && !isGuess(one, roles));
  return [
    ...[...inspection.unreached].flatMap(([host, problems]) => unreachedFindings(host, problems)),
    ...(roles.refused ? [findingOfDiagnostic(roles.refused, 'danger', 'roles')] : []),
    ...planned,
    ...auditFindings(inspection, provision).filter((one) => !isEcho(one, planned)),
    ...unseenFindings(
      withoutStopped([...(plan ? planUnseen(plan) : []), ...auditUnseen(inspection)], roles.view),
    ),
    ...clockFindings(inspection),
    ...preference(inspection, provision),
  ];
}

/**
 * No server has data, and none was ever ours: all that a plan says is that everything is to be made. A host that was not reached, or a
 * file that could not be read, may hold what says otherwise.
 */
function isBare({ cluster, roles, unreached }: Inspection): boolean {
  if (unreached.size > 0) return false;
  return cluster.servers.every(({ name }) => {
    const view = roles.view.hosts.get(name);
    const data = view?.data;
    if (!view || !data || !['absent', 'empty'].includes(data.content)) return false;
    const traces = [data.making, data.recorded, data.former, view.clusterKey, view.unread?.[0]];
    return traces.every((one) => one === undefined || one === false);
  });
}

const bareFinding = ({ servers, name }: Cluster, provision: string): Finding =>
  findingOf(
    {
      code: 'PRV001',
      host: null,
      object: name,
      declared: `servers on ${servers.map((server) => server.name).join(', ')}`,
      found: 'no data, and no controller of ours',
    },
    provision,
  );

/** Beside that counts what stands in the way of provisioning, and a host without a server: it may have been there before. */
const countingBeside = (cluster: Cluster, { decisions }: Plan): Plan => ({
  decisions: decisions.filter(
    ({ kind, resource }) => kind === 'refused' || !serverOn(cluster, resource.host),
  ),
});

/**
 * What stood in our block and is declared no more looks as if made by hand, too. And what is lost is told by who would make it anew, where another
 * server vouches for it.
 */
const isEcho = ({ code, host, object }: Finding, planned: readonly Finding[]): boolean => {
  const first = code === 'SET014' ? 'SET009' : code === 'CTL016' ? code : undefined;
  return planned.some((other) => other.code === first && other.host === host && other.object === object);
};

/** By way of a directory that is lost nobody can ask the controller: that there is none is no finding, since it may run. */
const isGuess = ({ code, host }: Finding, { view }: Roles): boolean =>
  ['CTL001', 'CTL007'].includes(code) && host !== null && lacksDirectory(view.hosts.get(host)?.data);

const unreachedFindings = (host: string, problems: readonly Diagnostic[]): readonly Finding[] => {
  const rule = findingCodes.LOK002;
  return problems.map((problem) => ({
    ...findingOfDiagnostic({ ...problem, host }, rule.severity, host),
    code: 'LOK002',
    what: `${host}: ${rule.title}`,
    found: [`${problem.code} ${problem.what}`, ...(problem.evidence ?? [])].join('; '),
    consequence: rule.consequence,
  }));
};

function auditFindings(inspection: Inspection, provision: string): readonly Finding[] {
  const context = contextOf(inspection);
  return inspection.audited.flatMap(({ audit, seen }) => {
    return audit.judge(context, presentOf(seen)).map((told) => findingOf(told, provision));
  });
}

const presentOf = (seen: ReadonlyMap<string, Observed<unknown>>): ReadonlyMap<string, unknown> =>
  new Map(
    [...seen].flatMap(([host, observed]) =>
      observed.state === 'present' ? [[host, observed.value] as const] : [],
    ),
  );

const auditUnseen = ({ audited }: Inspection): readonly Unseen[] =>
  audited.flatMap(({ audit, seen }) =>
    [...seen].flatMap(([host, observed]) =>
      observed.state === 'unknown' ? [{ host, what: audit.name, reason: observed.reason }] : [],
    ),
  );

function contextOf({ cluster, version, roles, resources }: Inspection): AuditContext {
  return {
    cluster,
    version,
    primary: roles.primary,
    view: roles.view,
    declaredSettings: (host) =>
      new Map(
        resources
          .filter((resource) => resource.host === host)
          .flatMap(declaredSettings)
          .map(([name, value]) => [name.toLowerCase(), value]),
      ),
  };
}

const clockFindings = ({ clocks }: Inspection): readonly Finding[] => clockProblems(clocks).map(clockFinding);

const clockFinding = (problem: Diagnostic): Finding => ({
  ...findingOfDiagnostic(problem, findingCodes.CLK001.severity, 'clock'),
  code: 'CLK001',
});

function preference({ cluster, roles }: Inspection, provision: string): readonly Finding[] {
  const preferred = preferredView(cluster).primary;
  const { primary } = roles;
  if (primary === undefined || primary === preferred || roles.refused) return [];
  return [
    findingOf(
      {
        code: 'PRF001',
        host: null,
        object: preferred,
        declared: `${preferred} is primary`,
        found: `${primary} is primary`,
      },
      provision,
    ),
  ];
}
