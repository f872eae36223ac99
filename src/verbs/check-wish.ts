/** How a check was asked for on the command line. Small, since every command loads it. */
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { parseDurationMs } from '../base/units.ts';

export const checkFormats = ['text', 'json', 'nagios', 'junit', 'prometheus'] as const;
export type CheckFormat = (typeof checkFormats)[number];

export interface CheckWish {
  readonly inventories: readonly string[];
  readonly format: CheckFormat;
  /** Milliseconds between two looks; absent: one look. */
  readonly everyMs?: number;
  /** Who logs in, and stays that; absent: as the inventory says. */
  readonly login?: string;
}

/** As commander gives the options. */
export interface RawWish {
  readonly inventory?: readonly string[];
  readonly json?: boolean;
  readonly format?: CheckFormat;
  readonly watch?: string | true;
  readonly login?: string;
}

const shortestMs = 1000;
const usualMs = 60_000;

/** Texts for programs that ask again themselves are of one look. */
const watched: readonly CheckFormat[] = ['text', 'json'];

export function checkWish({
  inventory = ['inventory.yml'],
  json,
  format = 'text',
  watch,
  login,
}: RawWish): CheckWish {
  const everyMs = watchInterval(watch);
  const said = json ? 'json' : format;
  if (everyMs !== undefined && !watched.includes(said)) throw contradiction(said);
  return {
    inventories: [...new Set(inventory)],
    format: said,
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
function watchInterval(text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined;
  const everyMs = text === true ? usualMs : parseDurationMs(/^\d+$/.test(text) ? `${text}s` : text);
  if (everyMs !== undefined && everyMs >= shortestMs) return everyMs;
  const diagnostic: Diagnostic = {
    code: 'CLI004',
    what: `--watch takes a time of at least 1s, not '${text}'`,
    why: 'it is how long to wait between two looks',
    fix: "Write '--watch 60s' or '--watch 5min', for example.",
  };
  throw new DiagnosticError([diagnostic], exitCode.inputWrong);
}
