/**
 * Every code of a difference that `pgduet check` may tell, with how severe it is, what happens if nothing is done, and
 * what repairs it. `docs/check.md` is made from this table. A code never changes its meaning; a new meaning gets a new code.
 * FIL files · DIR directories · PKG packages · PWD password file · UNT units · SET settings · HBA client rules · ROL roles · HRD hardening ·
 * SLT slots · ARC archive · REP replication · PEE one server beside another · CTL controller · MNT maintenance · ARB arbiter · NET network · FWL firewall ·
 * CLK clocks · SEC secrets · TLS certificates · PRF preferences · PRV whether anything was provisioned · LOK what could not be looked at · RES any other resource.
 */
import { clusterCodes } from './findings/cluster.ts';
import { firewallCodes } from './findings/firewall.ts';
import { hostsCodes } from './findings/hosts.ts';
import { postgresCodes } from './findings/postgres.ts';
import { tlsCodes } from './findings/tls.ts';

export const findingCodes = {
  ...hostsCodes,
  ...postgresCodes,
  ...clusterCodes,
  ...tlsCodes,
  ...firewallCodes,
} as const;

export type FindingCode = keyof typeof findingCodes;
