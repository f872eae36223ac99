/**
 * A finding: one thing of a cluster that is not as declared, or worth knowing, with all that a person needs to judge it.
 * In: differences of resources, what audits tell, diagnostics. Out: plain data for `report/`. Pure. Never holds a secret.
 */
import type { Code } from '../base/codes.ts';
import { type Advised, type Command, filledIn } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { type FindingCode, findingCodes } from '../base/finding-codes.ts';
import { type Severity, severities } from '../base/findings/rule.ts';
import { withheld } from '../base/withheld.ts';
import { withoutSecrets } from '../postgres/withheld.ts';
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
  /** The commands that `repair` names. */
  readonly commands: readonly Command[];
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
  const { fix, commands } = adviceOf(told, provision);
  return {
    code: told.code,
    severity: rule.severity,
    host: told.host,
    object: told.object,
    what: `${told.object}: ${rule.title}`,
    declared: told.declared,
    found: otherThan(told),
    source: told.source ?? null,
    since: told.since === undefined ? null : isoTime(told.since),
    consequence: rule.consequence,
    repairedBy: (told.repair ?? rule.repair) === 'provision' ? 'provision' : 'person',
    repair: fix,
    commands,
    diff: null,
  };
}

/** What a kind says in words of its own it has made of its commands, too; a text of a code is read. */
function adviceOf(told: Reported, provision: string): Advised {
  const { host, object, repair = findingCodes[told.code].repair } = told;
  if (repair === 'provision') return { fix: provision, commands: [{ on: null, run: provision }] };
  const advice = filledIn(repair, host, object);
  return told.repair === undefined ? advice : { fix: advice.fix, commands: told.commands ?? [] };
}

/** What differs only in what is not shown would read as if it were the same. */
const otherThan = ({ declared, found }: Reported): string =>
  found === declared && found.includes(withheld) ? `${found} (another one; it is not shown)` : found;

/** Seconds since 1970 as ISO 8601. */
export const isoTime = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

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
    found: evidence.length > 0 ? evidence.map(withoutSecrets).join('; ') : null,
    source: null,
    since: null,
    consequence: diagnostic.why,
    repairedBy: 'person',
    repair: diagnostic.fix,
    commands: diagnostic.commands ?? [],
    diff: null,
  };
}

/** Line by line, before a reporter puts words of its own in front: what stands at the beginning of a line says what it is. */
export function openFinding(finding: Finding): Finding {
  const open = (text: string | null): string | null => (text === null ? null : withoutSecrets(text));
  return {
    ...finding,
    object: withoutSecrets(finding.object),
    what: withoutSecrets(finding.what),
    declared: open(finding.declared),
    found: open(finding.found),
    source: open(finding.source),
    consequence: withoutSecrets(finding.consequence),
    repair: withoutSecrets(finding.repair),
    commands: finding.commands.map((command) => ({ ...command, run: withoutSecrets(command.run) })),
  };
}

/** The most severe first; then by host, by code, by object. */
export const byGravity = (one: Finding, other: Finding): number =>
  severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
  (one.host ?? '').localeCompare(other.host ?? '') ||
  one.code.localeCompare(other.code) ||
  one.object.localeCompare(other.object);
