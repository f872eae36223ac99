/** What the last look of a run has seen, as lines to read: the proof of a verb that has a purpose. Pure. */
import type { Outcome } from '../apply/run.ts';
import { shown } from '../report/shown.ts';

/** One line for each resource of these kinds, as it was seen last; the same words of several hosts once. */
export const proofOf = (outcome: Outcome, kinds: readonly string[]): string =>
  ['As seen at the end:', ...proofLines(outcome, kinds).map((line) => `  ${line}`)].join('\n');

export function proofLines({ left }: Outcome, kinds: readonly string[]): readonly string[] {
  const lines = kinds.flatMap((kind) =>
    left.decisions.flatMap((decision) =>
      decision.kind === 'same' && decision.resource.kind.kind === kind ? [shown(decision.reason)] : [],
    ),
  );
  return [...new Set(lines)];
}
