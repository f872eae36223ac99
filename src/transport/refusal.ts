/**
 * Makes the errors of this folder: one Diagnostic with the exit status of its code.
 * Never put a secret into any of the texts.
 */
import { type Code, codes } from '../base/codes.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { formatBytes } from '../base/units.ts';

export function refusal(diagnostic: Diagnostic): DiagnosticError {
  const code: Code = diagnostic.code;
  return new DiagnosticError([diagnostic], codes[code].exit);
}

/** A host that says more than `bytes` before it has answered. */
export const tooLong = (host: string, bytes: number): DiagnosticError =>
  refusal({
    code: 'CON010',
    what: `'${host}' said more than ${formatBytes(bytes)} in one answer`,
    why: 'no question of pgduet has such an answer; the rest was not read, and the connection was closed',
    fix: `Log in to '${host}' by hand as the same user: a login script may write without end, or a file that pgduet reads (postgresql.conf, pg_hba.conf) may have grown. Then run the same command again.`,
    host,
  });

/** The last lines of what a host wrote, for `evidence`. Empty output gives no key at all. */
export function evidenceOf(output: string, limit = 8): { readonly evidence?: readonly string[] } {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines.length === 0 ? {} : { evidence: lines.slice(-limit) };
}
