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
}

const shortestMs = 1000;
const usualMs = 60_000;

/** `--watch` alone looks every minute; `--watch 10s` every ten seconds. */
export function watchInterval(text: string | true | undefined): number | undefined {
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
