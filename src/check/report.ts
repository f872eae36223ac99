/**
 * What a check has found, for all clusters that it was asked for, and the exit status that follows. Data for `report/`. Pure.
 */
import { codes } from '../base/codes.ts';
import { exitCode } from '../base/exit-codes.ts';
import { type Severity, severities } from '../base/findings/rule.ts';
import type { Role } from '../inventory/cluster.ts';
import type { Finding } from './finding.ts';

export interface HostReport {
  readonly name: string;
  /** "this machine" for a local connection. */
  readonly address: string;
  /** As it was seen; unknown when nobody can say, none on a host without a server. */
  readonly role: Role | 'unknown' | 'none';
  /** Null on a host without a server. */
  readonly preferredRole: Role | null;
  readonly reached: boolean;
  /** How often this look has asked the host; the connection itself is not counted. */
  readonly roundTrips: number;
}

export interface ClusterReport {
  readonly cluster: string;
  /** Path of the inventory as given. */
  readonly inventory: string;
  readonly primary: string | null;
  readonly preferredPrimary: string;
  /** Since when each secret has been there at least, ISO 8601; null where that cannot be seen. */
  readonly secrets: { readonly clusterKey: string | null; readonly replicationPassword: string | null };
  /** In the order of the inventory. */
  readonly hosts: readonly HostReport[];
  /** The most severe first. */
  readonly findings: readonly Finding[];
}

export interface CheckReport {
  readonly clusters: readonly ClusterReport[];
  /** ISO 8601, UTC: when the look was taken. */
  readonly at: string;
  /** How long it took, the start of the program included. */
  readonly ms: number;
  readonly exit: number;
}

export type Counts = Readonly<Record<Severity, number>>;

export const countOf = (findings: readonly Finding[]): Counts =>
  Object.fromEntries(
    severities.map((severity) => [severity, findings.filter((one) => one.severity === severity).length]),
  ) as Record<Severity, number>;

/**
 * Refused to protect data, then unreachable, then what differs from the declaration (or what provision would repair), then
 * what is degraded, dangerous or unseen; notes are nothing to act on.
 */
export function exitOf(findings: readonly Finding[]): number {
  const has = (test: (finding: Finding) => boolean): boolean => findings.some(test);
  if (has(isRefusal)) return exitCode.refused;
  if (has(({ code }) => code === 'LOK002')) return exitCode.unreachable;
  const severe = findings.filter(({ severity }) => severity !== 'note');
  if (severe.some(({ severity, repairedBy }) => severity === 'drift' || repairedBy === 'provision'))
    return exitCode.changesPending;
  return severe.length > 0 ? exitCode.hostFailed : exitCode.done;
}

/** Diagnostics that stop every verb which changes something. */
export const isRefusal = ({ code }: Finding): boolean =>
  code in codes && codes[code as keyof typeof codes].exit === exitCode.refused;
