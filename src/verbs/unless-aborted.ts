/** Looks of verbs that change nothing. Whoever was asked to stop does not wait for a host that does not answer. */
import { orAborted } from '../apply/hosts.ts';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';

export async function unlessAborted<T extends object>(look: Promise<T>, signal: AbortSignal): Promise<T> {
  look.catch(() => undefined);
  const seen = await orAborted(look, signal);
  if (seen === undefined || signal.aborted) throw interrupted();
  return seen;
}

const interrupted = (): DiagnosticError =>
  new DiagnosticError(
    [
      {
        code: 'RUN002',
        what: 'the look was interrupted',
        why: 'you asked to stop; nothing was changed',
        fix: 'Run the same command again.',
      },
    ],
    exitCode.interrupted,
  );
