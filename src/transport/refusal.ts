/**
 * Makes the errors of this folder: one Diagnostic with the exit status of its code.
 * Never put a secret into any of the texts.
 */
import { type Code, codes } from '../base/codes.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';

export function refusal(diagnostic: Diagnostic): DiagnosticError {
  const code: Code = diagnostic.code;
  return new DiagnosticError([diagnostic], codes[code].exit);
}

/** The last lines of what a host wrote, for `evidence`. Empty output gives no key at all. */
export function evidenceOf(output: string, limit = 8): { readonly evidence?: readonly string[] } {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines.length === 0 ? {} : { evidence: lines.slice(-limit) };
}
