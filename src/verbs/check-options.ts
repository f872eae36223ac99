/** The options of a check, read from the command line: what is checked, how it is reported, how often. */
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { parseDurationMs } from '../base/units.ts';
import { type CheckFormat, checkFormats, defaultInventory } from './options.ts';
import { flag, type Given, text, texts, word } from './verb.ts';

export interface CheckOptions {
  readonly inventories: readonly string[];
  readonly format: CheckFormat;
  /** Milliseconds between two observations; absent: one observation. */
  readonly everyMs?: number;
  /** Who logs in, and stays that; absent: as the inventory says. */
  readonly login?: string;
}

const shortestMs = 1000;
const usualMs = 60_000;

/** The other formats are for programs that ask again themselves. */
const watched: readonly CheckFormat[] = ['text', 'json'];

export function checkOptions(given: Given): CheckOptions {
  const inventories = texts(given, 'inventory');
  const login = text(given, 'login');
  const everyMs = flag(given, 'watch') ? watchInterval(text(given, 'watch')) : undefined;
  const format = flag(given, 'json') ? 'json' : (word(given, 'format', checkFormats) ?? 'text');
  if (everyMs !== undefined && !watched.includes(format)) throw contradiction(format);
  return {
    inventories: inventories.length > 0 ? [...new Set(inventories)] : [defaultInventory],
    format,
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(login === undefined ? {} : { login }),
  };
}

const contradiction = (format: CheckFormat): DiagnosticError =>
  new DiagnosticError(
    [
      {
        code: 'CLI003',
        what: `--watch does not go with --format ${format}`,
        why: 'that text is for a program which asks again by itself, and reads one look',
        fix: 'Leave out --watch, or use --format text or json.',
      },
    ],
    exitCode.inputWrong,
  );

/** `--watch` alone looks every minute; `--watch 10s` every ten seconds. */
function watchInterval(interval: string | undefined): number {
  if (interval === undefined) return usualMs;
  const everyMs = parseDurationMs(/^\d+$/.test(interval) ? `${interval}s` : interval);
  if (everyMs !== undefined && everyMs >= shortestMs) return everyMs;
  const diagnostic: Diagnostic = {
    code: 'CLI004',
    what: `--watch takes a time of at least 1s, not '${interval}'`,
    why: 'it is how long to wait between two looks',
    fix: "Write '--watch 60s' or '--watch 5min', for example.",
  };
  throw new DiagnosticError([diagnostic], exitCode.inputWrong);
}
