/**
 * What is said before a unit takes more away from what runs in it than the one that is there: which limits are new, and which drop-in would
 * not be enough any more. In: the text that is to be, what was seen. Out: notes, differences, a refusal. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { holdsPrivileges, newLimits } from '../../base/unit-limits.ts';
import type { Difference } from '../contract/kind.ts';
import type { UnitObservation } from './unit-observation.ts';

interface Rendered {
  readonly name: string;
  readonly content: string;
  readonly allows: readonly string[];
}

type Seen = Pick<UnitObservation, 'text' | 'gains' | 'raises'>;

/** For the plan. `before`: the text that is there. */
export function limitNotes(
  { name, content, allows }: Rendered,
  before?: string,
): { readonly notes?: readonly string[] } {
  const more = before === undefined ? [] : newLimits(before, content);
  const notes = [
    ...(more.length > 0
      ? [
          `what starts behind the next start of ${name}.service may do less; what runs goes on as it is. New are ${more.join(', ')}: docs/security.md says what they take away, and how a command that needs more is declared`,
        ]
      : []),
    ...(allows.length > 0
      ? [`its commands may do more than usual, as multiplexing.unit_allows says: ${allows.join(', ')}`]
      : []),
  ];
  return notes.length > 0 ? { notes } : {};
}

const isBarred = ({ content }: Rendered, { gains }: Seen): boolean =>
  gains.length > 0 && holdsPrivileges(content);

const isRaised = ({ content }: Rendered, { raises }: Seen): boolean =>
  raises.length > 0 && holdsPrivileges(content);

/** Systemd takes capabilities away before it gives any, and ends with 218 where it cannot give one that is gone. */
const wouldNotStart = ({ name }: Rendered, raises: readonly string[]): Diagnostic => ({
  code: 'SAF095',
  what: `a drop-in gives capabilities (AmbientCapabilities in ${raises.join(', ')}), and ${name}.service as it is to be takes them away`,
  why: 'systemd could not start the unit any more, and with it neither controller nor instance; nothing has been changed',
  fix: `Write CapabilityBoundingSet= with the same capabilities into that drop-in, or unit_allows: [privileges] into multiplexing of the inventory; then systemctl daemon-reload, and run the same command again.`,
});

/** A drop-in that could be enough for sudo beside the text that is there, and is not beside the one that is to be. */
export function stricter(desired: Rendered, seen: Seen): Diagnostic | undefined {
  if (isRaised(desired, seen) && !holdsPrivileges(seen.text)) return wouldNotStart(desired, seen.raises);
  if (!isBarred(desired, seen) || holdsPrivileges(seen.text)) return undefined;
  const paths = seen.gains.join(', ');
  return {
    code: 'SAF095',
    what: `a drop-in is there to let commands gain privileges (NoNewPrivileges=no in ${paths}), and ${desired.name}.service as it is to be does not let them`,
    why: 'a command that relies on it, such as fencing_command, would fail from the next start of the unit on, when it is needed; nothing has been changed',
    fix: `Write unit_allows: [privileges] into multiplexing of the inventory, which does without the drop-in. If no command needs it, remove ${paths}.`,
  };
}

/** The same where the unit is as it is to be already. */
export function barredDropIn(desired: Rendered, seen: Seen): readonly Difference[] {
  const told = (found: string): Difference => ({
    code: 'UNT010',
    object: `${desired.name}.service`,
    declared: 'multiplexing.unit_allows without privileges',
    found,
  });
  return [
    ...(isBarred(desired, seen) ? [told(`NoNewPrivileges=no in ${seen.gains.join(', ')}`)] : []),
    ...(isRaised(desired, seen)
      ? [
          told(
            `AmbientCapabilities without CapabilityBoundingSet in ${seen.raises.join(', ')}: the unit will not start`,
          ),
        ]
      : []),
  ];
}
