/**
 * A finding: one thing of a cluster that is not as declared, or worth knowing, with all that a person needs to judge it.
 * In: differences of resources, what audits tell, diagnostics. Out: plain data for `report/`. Pure. Never holds a secret.
 */
import type { Code } from '../base/codes.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { type FindingCode, findingCodes } from '../base/finding-codes.ts';
import { type Severity, severities } from '../base/findings/rule.ts';
import type { Difference } from '../resources/contract/kind.ts';

/** Who repairs it: the next `pgduet provision`, or a person. Unknown things and notes may need nobody. */
export type RepairedBy = 'provision' | 'person';

export interface Finding {
  readonly code: FindingCode | Code;
  readonly severity: Severity;
  /** Null: the cluster as a whole. */
  readonly host: string | null;
  /** A path, a setting, a role. */
  readonly object: string;
  /** What is wrong, in one line without a full stop. */
  readonly what: string;
  readonly declared: string | null;
  readonly found: string | null;
  /** Where what was found comes from. */
  readonly source: string | null;
  /** ISO 8601, UTC. */
  readonly since: string | null;
  /** What will happen if nothing is done. */
  readonly consequence: string;
  readonly repairedBy: RepairedBy;
  /** A command, or what a person does. */
  readonly repair: string;
  /** A unified diff of a text: what stands there and what is declared. */
  readonly diff: { readonly name: string; readonly before: string; readonly after: string } | null;
}

/** What an audit tells: a difference, and whose. */
export interface Reported extends Difference {
  readonly host: string | null;
}

/** `provision` is the command that repairs what provision repairs. */
export function findingOf(told: Reported, provision: string): Finding {
  const rule = findingCodes[told.code];
  const repair = told.repair ?? rule.repair;
  const byProvision = repair === 'provision';
  const text = byProvision ? provision : repair;
  return {
    code: told.code,
    severity: rule.severity,
    host: told.host,
    object: told.object,
    what: `${told.object}: ${rule.title}`,
    declared: told.declared,
    found: told.found,
    source: told.source ?? null,
    since: told.since === undefined ? null : isoTime(told.since),
    consequence: rule.consequence,
    repairedBy: byProvision ? 'provision' : 'person',
    repair: text.replaceAll('{host}', told.host ?? 'the host').replaceAll('{object}', told.object),
    diff: null,
  };
}

/** Seconds since 1970 as ISO 8601. */
const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

export function findingOfDiagnostic(
  diagnostic: Diagnostic,
  severity: Severity,
  object = diagnostic.what,
): Finding {
  const { evidence = [] } = diagnostic;
  return {
    code: diagnostic.code,
    severity,
    host: diagnostic.host ?? null,
    object,
    what: diagnostic.what,
    declared: null,
    found: evidence.length > 0 ? evidence.join('; ') : null,
    source: null,
    since: null,
    consequence: diagnostic.why,
    repairedBy: 'person',
    repair: diagnostic.fix,
    diff: null,
  };
}

/** The most severe first; then by host, by code, by object. */
export const byGravity = (one: Finding, other: Finding): number =>
  severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
  (one.host ?? '').localeCompare(other.host ?? '') ||
  one.code.localeCompare(other.code) ||
  one.object.localeCompare(other.object);
