/**
 * A Diagnostic is every message that a user may see: what happened, why it matters, what to do.
 * In: facts from any stage. Out: plain data; `report/` renders it. Codes never change their meaning;
 * all of them stand in `codes.ts`. A Diagnostic never holds a secret.
 */
import type { Code } from './codes.ts';
import type { Command } from './command.ts';
import type { Position } from './position.ts';

export interface Diagnostic {
  readonly code: Code;
  /** One line without a full stop; values in quotes. */
  readonly what: string;
  /** Why this is a problem. */
  readonly why: string;
  /** What the user can do, as a sentence; a choice has a line for each. */
  readonly fix: string;
  /** The commands that `fix` names between backquotes: `advised` in command.ts makes both. */
  readonly commands?: readonly Command[];
  /** Where in a file, if a file is to blame. */
  readonly at?: Position;
  /** The host that it happened on. */
  readonly host?: string;
  /** Lines that were seen, for example the end of stderr. */
  readonly evidence?: readonly string[];
}

/** An error that carries diagnostics up to the command line, with the exit status they deserve. */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];
  readonly exitCode: number;

  constructor(diagnostics: readonly Diagnostic[], exitCode: number) {
    super(diagnostics.map((d) => `${d.code} ${d.what}`).join('; '));
    this.name = 'DiagnosticError';
    this.diagnostics = diagnostics;
    this.exitCode = exitCode;
  }
}

/** A value, or every reason why there is none. Parsers return this; they never throw. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings?: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const failed = (...diagnostics: Diagnostic[]): { ok: false; diagnostics: Diagnostic[] } => ({
  ok: false,
  diagnostics,
});
