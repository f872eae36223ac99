/**
 * A start of the instance that is not the controller's: keystores are opened before it, as the controller would do. In: the command as the
 * inventory has it, and whose instance it is. Out: shell. What the command prints goes nowhere, since it may hold what opens the keystore. Pure text.
 */
import { programLine } from '../../base/program-line.ts';
import { quote, sh } from '../../base/shell.ts';
import { integer, optional, text } from './field.ts';

/** That of the controller. */
const standardSeconds = 60;

export const unlockFields = {
  unlock: optional(text('`postgres.unlock_command`: opens keystores before a start')),
  unlock_seconds: integer('how long that may take', standardSeconds),
};

export interface Unlocking {
  readonly unlock?: string | undefined;
  readonly unlockSeconds?: number;
  readonly id: string;
  readonly owner: string;
  readonly dataDir: string;
}

/** Shell: keystores are open behind it, or the step ends. */
export const unlocked = ({
  unlock,
  unlockSeconds = standardSeconds,
  id,
  owner,
  dataDir,
}: Unlocking): string => {
  const line = programLine(unlock ?? '');
  if (!line.ok) return ':';
  const words = ['timeout', '-s', 'KILL', String(unlockSeconds), line.path, ...line.args, id, dataDir];
  return `opened=0; ${sh`as ${owner} ${words}`} </dev/null >/dev/null 2>&1 || opened=$?
case $opened in
0) ;;
124 | 137) printf '%s\\n' ${quote(`unlock_command (${line.path}) did not end within ${unlockSeconds} s: nothing was started, and nothing was changed`)} >&2; exit 1 ;;
*) printf '%s\\n' ${quote(`unlock_command (${line.path}) ended with exit status`)}" $opened: nothing was started, and nothing was changed" >&2; exit 1 ;;
esac`;
};

/** A word of a unit's command line, where signs have a meaning. */
const unitWord = (word: string): string =>
  `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;

/** For ExecStartPre= of a unit that starts the instance by itself; empty where there is nothing to open. */
export const unlockedByUnit = ({ unlock, unlockSeconds, id, dataDir }: Omit<Unlocking, 'owner'>): string => {
  const line = programLine(unlock ?? '');
  if (!line.ok) return '';
  const silent = 'exec "$0" "$@" >/dev/null 2>&1';
  return [
    '/usr/bin/timeout',
    '-s',
    'KILL',
    `${unlockSeconds}`,
    '/bin/sh',
    '-c',
    ...[silent, line.path, ...line.args, id, dataDir].map(unitWord),
  ].join(' ');
};
