/**
 * The contract of an audit: something to look at that no single resource declares, such as the settings of one server beside
 * those of another, roles, slots, the archiver. Pure, like a resource kind: it says how to look (`probe`, `read`) and what
 * of that is worth telling (`judge`). It changes nothing. Its probes travel in the one look of a host.
 */
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { Observed, Probe, ProbeReply } from '../resources/contract/kind.ts';
import type { Reported } from './finding.ts';

export interface AuditContext {
  readonly cluster: Cluster;
  /** The version of this pgduet. */
  readonly version: string;
  /** Who is primary, as it was seen; undefined when nobody can say. */
  readonly primary: string | undefined;
  readonly view: View;
  /** Names of settings that a resource declares for this host, lower case, with their values. */
  declaredSettings(host: string): ReadonlyMap<string, string>;
}

export interface Audit<F> {
  /** What it looks at, in a few words: "replication slots". */
  readonly name: string;
  /** The same for every role, so that one round trip is enough. */
  probe(server: Server, cluster: Cluster): Probe;
  /** "Could not look" is never "absent"; absent: there is nothing to judge. */
  read(reply: ProbeReply, server: Server): Observed<F>;
  /** `seen` holds the servers that could be looked at. */
  judge(context: AuditContext, seen: ReadonlyMap<string, F>): readonly Reported[];
}

export type AnyAudit = Audit<unknown>;

/** Forgets the type of what an audit sees, for the list of all audits. */
export const anyAudit = <F>(audit: Audit<F>): AnyAudit => audit as unknown as AnyAudit;
