/** Awaits a rejection that carries exactly one diagnostic, and hands that out. */
import { expect } from 'vitest';
import { type Diagnostic, DiagnosticError } from '../../src/base/diagnostic.ts';

export async function diagnosticOf(promise: Promise<unknown>): Promise<Diagnostic> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DiagnosticError);
  const [diagnostic] = (error as DiagnosticError).diagnostics;
  if (!diagnostic) throw new Error('an error without a diagnostic');
  expect(diagnostic.what).not.toMatch(/\.$/);
  expect(diagnostic.why).not.toBe('');
  expect(diagnostic.fix).not.toBe('');
  return diagnostic;
}
