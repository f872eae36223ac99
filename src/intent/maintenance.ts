/**
 * What a command does about servers that a person has in maintenance: it leaves them alone, is about one of them, or needs all servers and
 * waits. In: the intent and the view. Out: who is left alone, or why the command cannot go on. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { MaintenanceSeen } from '../observe/maintenance.ts';
import type { View } from '../observe/survey.ts';
import type { Intent } from './intent.ts';

/** The server that the command works on although, or because, it is in maintenance. */
function about(intent: Intent): string | undefined {
  if (intent.kind === 'rebuild') return intent.host;
  return intent.kind === 'maintenance' && intent.goal === 'end' ? intent.host : undefined;
}

/** Servers for which nothing is declared as long as they are in maintenance. */
export function leftAlone(intent: Intent, { maintained }: View): readonly string[] {
  if (!maintained) return [];
  const meant = about(intent);
  return [...maintained.keys()].filter((name) => name !== meant);
}

const moment = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** "in maintenance by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 12:00 UTC: new disks". */
export function maintenanceWords({ by, since, until, reason }: MaintenanceSeen): string {
  const expected = until === null ? '' : `, expected until ${moment(until)} UTC`;
  return `in maintenance by ${by} since ${moment(since)} UTC${expected}${reason === '' ? '' : `: ${reason}`}`;
}

/** Why the command has to wait for the end of a maintenance; nothing where it need not. */
export function maintenanceObstacles(intent: Intent, { maintained, absent }: View): readonly Diagnostic[] {
  if (!maintained) return [];
  const needsAll = intent.kind === 'renew' || intent.kind === 'migrate' || intent.kind === 'teardown';
  return [...maintained].flatMap(([name, seen]): Diagnostic[] => {
    const isTarget = intent.kind === 'switch' && intent.to === name;
    // A teardown that is forced goes on without a host that is lost.
    if (!isTarget && (!needsAll || absent?.has(name))) return [];
    return [
      {
        code: 'SAF015',
        what: `${name} is ${maintenanceWords(seen)}`,
        why: isTarget
          ? 'it takes no role meanwhile'
          : 'this command changes every server, and nobody works on that one meanwhile but who has it in maintenance',
        ...advised`End it when the work there is done: ${here`pgduet maintenance end ${name}`}.`,
        host: name,
      },
    ];
  });
}
