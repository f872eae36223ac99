/**
 * What nobody may act on: a record that cannot be read, or one that names a unit of which neither root's own files nor systemd
 * say that it starts the server. In: what was seen of the record. Out: why it stands in the way, and what a person does; for a
 * step, the same question as shell. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { beforeFile, formerCondition, formerDropIn } from '../data/record.ts';
import type { RecordSeen } from '../data/record-form.ts';

interface Place {
  readonly managementDir: string;
  readonly id: string;
}

export type RecordProblem = Pick<Diagnostic, 'what' | 'why' | 'fix'>;

/** Undefined where there is no record, or one that may be acted on. */
export function recordProblem(
  place: Place,
  seen: RecordSeen,
  file = beforeFile(place),
): RecordProblem | undefined {
  if (seen.broken !== undefined)
    return {
      what: `the record '${file}' of what '${place.id}' was before cannot be read: ${seen.broken}`,
      why: 'it says who started the server and what its files were; nobody may guess that',
      fix: 'Bring it back from a backup, or use the version of pgduet that has written it. Once it is moved away, the server counts as one that pgduet made.',
    };
  const starter = seen.record?.starter;
  if (starter?.kind !== 'unit' || seen.confirmed.includes(starter.unit)) return undefined;
  return {
    what: `the record '${file}' says that ${starter.unit} started '${place.id}', and nothing of root's confirms it`,
    why: `the record belongs to the instance administrator, who could name any unit there; what root wrote at the migration is missing, ${formerDropIn(starter.unit)}`,
    fix: `If ${starter.unit} did start the server: write the lines '[Unit]' and '${formerCondition(place)}' into that file as root, run systemctl daemon-reload, then the same command again. If it did not, somebody has changed the record.`,
  };
}

/**
 * Shell, in front of what a step does to a unit of the record: what was seen of the host has come through what the administrator
 * writes, so the host is asked once more. Ends the step where neither root's own file nor systemd says that the unit starts
 * this server.
 */
export const confirmUnit = (
  place: Place & { readonly dataDir: string },
  unit: string,
): string => `postmaster ${quote(place.dataDir)} || :
if ! grep -qsxF ${quote(formerCondition(place))} ${quote(formerDropIn(unit))} &&
  { [ -z "$pid" ] || [ "$(systemctl show -p MainPID --value -- ${quote(unit)} 2>/dev/null)" != "$pid" ]; }; then
  printf '%s\\n' ${quote(`neither ${formerDropIn(unit)} nor systemd says that ${unit} starts '${place.id}': nothing is done to it`)} >&2
  exit 1
fi`;
