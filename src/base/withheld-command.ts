/**
 * A shell command of others as it may be shown: programs, names of options and of variables, placeholders, and directories of
 * ordinary names. Everything else may be a secret, whatever the program, and is withheld. Pure.
 */
import { isSecretName, withheld } from './withheld.ts';

/** Words that programs which archive WAL take, and that mean nothing else. */
const known: readonly string[] = [
  '!',
  '[',
  ']',
  'archive-get',
  'archive-push',
  'exit',
  'false',
  's3',
  'true',
  'wal-fetch',
  'wal-push',
];

/** Space, an operator, or a word with its quotes; a quote that is never closed reaches to the end. */
const piece = /(\s+)|([|&;()<>]+)|((?:[^\s|&;()<>'"\\]|\\[\s\S]?|'[^']*'?|"(?:[^"\\]|\\[\s\S])*"?)+)/g;

const placeholder = /^%[pfr]$/;
/** Where a file goes: lower-case names only, since a key of random characters has others. */
const place = /^(?:[a-z0-9._-]+:)?(?:\/(?:[a-z0-9._-]|%[pfr])+)+\/?$/;

/** Behind an option a path may be its value: only one that names the file is known to be none. */
const placeOfFile = /^(?=.*%[pfr])(?:\/(?:[a-z0-9._-]|%[pfr])+)+$/;

export function openCommand(command: string): string {
  let previous: string | undefined;
  return command.replace(piece, (_, space?: string, operator?: string, word?: string) => {
    if (space !== undefined) return space;
    if (operator !== undefined) {
      // What stands behind a redirection is no program.
      previous = /[<>]/.test(operator) ? '' : undefined;
      return operator;
    }
    const shown = openWord(word ?? '', previous);
    // A program may come behind assignments.
    previous = previous === undefined && shown.endsWith(`=${withheld}`) ? undefined : (word ?? '');
    return shown;
  });
}

/** `previous`: the word before it; undefined where a program is named. */
function openWord(word: string, previous: string | undefined): string {
  const variable = /^([A-Za-z_]\w*)=/.exec(word)?.[1];
  if (variable !== undefined) return `${variable}=${withheld}`;
  if (previous === undefined) return /^[\w./+-]+$/.test(word) || known.includes(word) ? word : withheld;
  const bare = word.replace(/^(["'])(.*)\1$/, '$2');
  if (placeholder.test(bare) || known.includes(word)) return word;
  if (previous.startsWith('-'))
    return isSecretName(previous) || !placeOfFile.test(bare) ? openOption(word) : word;
  if (place.test(bare)) return word;
  return openOption(word);
}

/** "-f", "--name", "--name=…"; a value may be glued to a short one. */
function openOption(word: string): string {
  const long = /^(--[a-z][a-z0-9-]*)(=.*)?$/s.exec(word);
  if (long) return long[2] === undefined ? word : `${long[1]}=${withheld}`;
  if (/^-[A-Za-z]$/.test(word)) return word;
  return /^-[A-Za-z]/.test(word) ? `${word.slice(0, 2)}${withheld}` : withheld;
}
