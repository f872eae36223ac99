/** Several failures at once are reported at once, with the exit status of the most severe. Pure. */
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

/** The most severe exit status wins: refusals over failures over what could not be reached. */
export function failure(diagnostics: readonly Diagnostic[]): DiagnosticError {
  const severity = [
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
    severity.find((candidate) => exits.some((exit) => exit === candidate)) ?? exitCode.hostFailed,
  );
}

/** What was done, for the report. */
export interface Changed {
  readonly host: string;
  /** The resource, as the plan names it. */
  readonly resource: string;
  readonly summary: string;
}

export const isUnreachable = (error: unknown): error is DiagnosticError =>
  error instanceof DiagnosticError && error.exitCode === exitCode.unreachable;

const isInterruption = (error: unknown): boolean =>
  error instanceof DiagnosticError && error.exitCode === exitCode.interrupted;

/** An error behind an interrupt is the interrupt: the connection broke because we closed it. */
export function interruption(
  interrupted: boolean,
  error: unknown,
  changed: readonly Changed[],
  open: readonly string[],
): unknown {
  if (!interrupted || isInterruption(error)) return error;
  return failure([
    {
      code: 'RUN002',
      what: 'the run was interrupted',
      why: 'you asked to stop; what ran at that moment was ended on the hosts',
      fix: 'Run the same command again: it continues where this run stopped.',
      evidence: [
        `already changed: ${changed.length === 0 ? 'nothing' : changed.map((done) => `${done.host}: ${done.summary}`).join('; ')}`,
        `not done: ${open.length === 0 ? 'nothing' : open.join('; ')}`,
      ],
    },
  ]);
}
