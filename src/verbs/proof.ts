/** What the last look of a run has seen, as lines to read: the proof of a verb that has a purpose. Pure. */
import type { Outcome } from '../apply/run.ts';

/** One line for each resource of these kinds, as it was seen last; the same words of several hosts once. */
export function proofOf({ left }: Outcome, kinds: readonly string[]): string {
  const lines = kinds.flatMap((kind) =>
    left.decisions.flatMap((decision) =>
      decision.kind === 'same' && decision.resource.kind.kind === kind ? [`  ${decision.reason}`] : [],
    ),
  );
  return ['As seen at the end:', ...new Set(lines)].join('\n');
}
