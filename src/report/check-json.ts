/**
 * What a check has found as one JSON document; its schema is schema/check.json and part of the contract of --json: all keys
 * are always there. In: a CheckReport. Out: plain data; what comes from a host is left as it is, since JSON escapes it. Pure.
 */
import type { Finding } from '../check/finding.ts';
import { type CheckReport, type ClusterReport, countOf } from '../check/report.ts';
import { commandJson } from './diagnostic.ts';
import { unifiedDiff } from './diff.ts';

export const checkJson = (report: CheckReport): object => ({
  schema: 1,
  verb: 'check',
  exit: report.exit,
  at: report.at,
  ms: report.ms,
  clusters: report.clusters.map(clusterJson),
});

const clusterJson = ({
  cluster,
  inventory,
  primary,
  preferredPrimary,
  secrets,
  hosts,
  findings,
}: ClusterReport) => ({
  cluster,
  inventory,
  primary,
  preferred_primary: preferredPrimary,
  secrets: {
    cluster_key: { since: secrets.clusterKey },
    replication_password: { since: secrets.replicationPassword },
  },
  hosts: hosts.map((host) => ({
    server: host.name,
    address: host.address,
    role: host.role,
    preferred_role: host.preferredRole,
    reached: host.reached,
    round_trips: host.roundTrips,
    counts: countOf(findings.filter((finding) => finding.host === host.name)),
  })),
  counts: countOf(findings),
  findings: findings.map(findingJson),
});

export const findingJson = ({ repairedBy, repair, commands, diff, ...finding }: Finding): object => ({
  code: finding.code,
  severity: finding.severity,
  host: finding.host,
  object: finding.object,
  what: finding.what,
  declared: finding.declared,
  found: finding.found,
  source: finding.source,
  since: finding.since,
  consequence: finding.consequence,
  mended_by: repairedBy,
  mend: repair,
  commands: commands.map(commandJson),
  diff: diff && unifiedDiff(diff.before, diff.after, diff.name),
});
