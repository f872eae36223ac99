/** Several failures at once are told at once, with the exit status of the gravest. Pure. */
import { codes } from '../base/codes.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';

/** One error for many; a defect is passed on as it is. */
export function merged(problems: readonly unknown[]): unknown {
  const known = problems.filter((problem) => problem instanceof DiagnosticError);
  if (known.length < problems.length)
    return problems.find((problem) => !(problem instanceof DiagnosticError));
  return failure(known.flatMap((problem) => problem.diagnostics));
}

/** The gravest exit status wins: refusals over failures over what could not be reached. */
export function failure(diagnostics: readonly Diagnostic[]): DiagnosticError {
  const gravity = [
    exitCode.refused,
    exitCode.locked,
    exitCode.hostFailed,
    exitCode.unreachable,
    exitCode.inputWrong,
    exitCode.interrupted,
  ];
  const exits = diagnostics.map((diagnostic) => codes[diagnostic.code].exit);
  return new DiagnosticError(
    diagnostics,
    gravity.find((candidate) => exits.some((exit) => exit === candidate)) ?? exitCode.hostFailed,
  );
}
