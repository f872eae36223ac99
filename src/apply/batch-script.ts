/**
 * A batch of one host becomes one script: the steps in order, each announced on stderr, then the next look.
 * The first step that fails ends the batch; nothing behind it is done. Behind a step that is outdated only the look is. Pure.
 */

import type { HostBatch } from '../plan/batch.ts';
import { type EffectPlace, effectScript, effectTitle } from '../resources/contract/effects.ts';
import { outdated, type Step } from '../resources/contract/kind.ts';

/** One thing to run, with the words to show for it. */
export interface NumberedStep extends Step {
  readonly number: number;
}

export function batchSteps(batch: HostBatch, place: EffectPlace | undefined): readonly NumberedStep[] {
  const steps = batch.items.flatMap((item): readonly Step[] =>
    item.kind === 'change'
      ? item.steps
      : [{ title: effectTitle(item.effect), script: effectScript(item.effect, place) }],
  );
  return steps.map((step, number) => ({ ...step, number }));
}

/** `look` is the script of the observation that follows. */
export function batchScript(
  preamble: string,
  steps: readonly NumberedStep[],
  look: string,
  nonce: string,
): string {
  const body = steps.map(
    (step) => `if [ -z "$outdated" ]; then
printf '%s\\n' '${nonce} step ${step.number} begin' >&2
( set -e
${step.script}
)
status=$?
printf '\\n%s\\n' "${nonce} step ${step.number} end $status" >&2
${step.outdated === undefined ? '' : `if [ $status -eq ${outdated} ]; then outdated=yes; status=0; fi\n`}if [ $status -ne 0 ]; then exit 90; fi
fi`,
  );
  return `${preamble}\noutdated=\n${body.join('\n')}\n${look}`;
}

export type StepMark =
  | { readonly number: number; readonly state: 'begin' }
  | { readonly number: number; readonly state: 'end'; readonly status: number };

/** A line of stderr that announces a step, or undefined. */
export function readMark(line: string, nonce: string): StepMark | undefined {
  const match = new RegExp(`^${nonce} step (\\d+) (begin|end)(?: (\\d+))?$`).exec(line);
  if (!match) return undefined;
  const number = Number(match[1]);
  return match[2] === 'begin'
    ? { number, state: 'begin' }
    : { number, state: 'end', status: Number(match[3]) };
}

/** What a step wrote to stderr: the text between its two marks. */
export function stepNoise(stderr: string, nonce: string, number: number): string {
  const begin = stderr.indexOf(`${nonce} step ${number} begin\n`);
  if (begin < 0) return '';
  const text = stderr.slice(begin).split('\n').slice(1).join('\n');
  const end = text.indexOf(`\n${nonce} step ${number} end`);
  return end < 0 ? text : text.slice(0, end);
}
