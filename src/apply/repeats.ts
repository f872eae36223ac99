/** A run that goes in a circle ends. In: the batches of a run, one after the other. Out: nothing, or an error that says what repeats. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { HostBatch } from '../plan/batch.ts';
import { refKey } from '../plan/plan.ts';
import { failure } from './failure-list.ts';

/**
 * The same change may be needed again when something else undoes it once, or was just at it; more is a circle. What is waited
 * for may come and go on a busy cluster; a wait changes nothing, and has a time limit of its own.
 */
const repeatsAllowed = { change: 2, wait: 10 } as const;

/** `repeats` counts what was done so far. */
export function countRepeats(batches: readonly HostBatch[], repeats: Map<string, number>): void {
  for (const { host, items } of batches) {
    for (const item of items) {
      if (item.kind !== 'change') continue;
      const key = `${refKey(item.resource)}\0${item.summary}`;
      const times = (repeats.get(key) ?? 0) + 1;
      repeats.set(key, times);
      const what = item.resource.kind.waits ? 'wait' : 'change';
      if (times > repeatsAllowed[what]) throw failure([circle(host, item.summary, what)]);
    }
  }
}

const circle = (host: string, summary: string, what: keyof typeof repeatsAllowed): Diagnostic => ({
  code: 'HST011',
  host,
  ...(what === 'wait'
    ? {
        what: `'${summary}' came true ${repeatsAllowed.wait} times and was over at the next look`,
        why: 'what is waited for does not last; going on would never end',
        fix: "Look at 'pgduet status' and the logs of the servers for what comes and goes, then run the same command again.",
      }
    : {
        what: `'${summary}' was done ${repeatsAllowed.change} times and is needed again`,
        why: 'something on the host undoes it, or it has no effect; going on would never end',
        fix: 'Look for another tool that writes the same thing on the host, then run the same command again.',
      }),
});
