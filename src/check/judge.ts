/**
 * Everything that was seen of one cluster becomes its report. In: roles, plan, what the audits saw, clocks, hosts that could
 * not be reached. Out: hosts and findings. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { findingCodes } from '../base/finding-codes.ts';
import { type Cluster, type Host, type Role, serverOn, shownAddress } from '../inventory/cluster.ts';
import { preferredView } from '../observe/survey.ts';
import { type ClockObservation, clockProblems } from '../plan/clocks.ts';
import type { Plan, Resource } from '../plan/plan.ts';
import type { Observed } from '../resources/contract/kind.ts';
import { declaredSettings } from '../resources/postgres/declared-settings.ts';
import type { AnyAudit, AuditContext } from './audit.ts';
import { byGravity, type Finding, findingOf, findingOfDiagnostic } from './finding.ts';
import { planFindings, planUnseen } from './from-plan.ts';
import type { ClusterReport } from './report.ts';
import type { Roles } from './roles.ts';
import { type Unseen, unseenFindings } from './unseen.ts';

/** What all hosts of a cluster have shown. */
export interface Inspection {
  readonly cluster: Cluster;
  /** The version of this pgduet. */
  readonly version: string;
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
    hosts: hosts.map((host) => ({
      name: host.name,
      address: shownAddress(host),
      role: roleOf(host, inspection),
      preferredRole: serverOn(cluster, host.name)?.preferredRole ?? null,
      reached: !unreached.has(host.name),
      roundTrips: roundTrips[host.name] ?? 0,
    })),
    findings: [...findings].sort(byGravity),
  };
}

function roleOf({ name }: Host, { cluster, roles, unreached }: Inspection): Role | 'unknown' | 'none' {
  if (!serverOn(cluster, name)) return 'none';
  if (roles.primary === undefined || unreached.has(name)) return 'unknown';
  return name === roles.primary ? 'primary' : 'standby';
}

function allFindings(inspection: Inspection): readonly Finding[] {
  const { cluster, plan, roles } = inspection;
  const provision = `pgduet provision -i ${cluster.file}`;
  const planned = plan ? planFindings(plan, provision) : [];
  return [
    ...[...inspection.unreached].flatMap(([host, problems]) => unreachedFindings(host, problems)),
    ...(roles.refused ? [findingOfDiagnostic(roles.refused, 'danger', 'roles')] : []),
    ...planned,
    ...auditFindings(inspection, provision).filter((one) => !isEcho(one, planned)),
    ...unseenFindings([...(plan ? planUnseen(plan) : []), ...auditUnseen(inspection)]),
    ...clockProblems(inspection.clocks).map(clockFinding),
    ...preference(inspection, provision),
  ];
}

/** What stood in our block and is declared no more looks as if made by hand, too. */
const isEcho = ({ code, host, object }: Finding, planned: readonly Finding[]): boolean =>
  code === 'SET014' &&
  planned.some((other) => other.code === 'SET009' && other.host === host && other.object === object);

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
    const present = [...seen].flatMap(([host, observed]) =>
      observed.state === 'present' ? [[host, observed.value] as const] : [],
    );
    return audit.judge(context, new Map(present)).map((told) => findingOf(told, provision));
  });
}

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
