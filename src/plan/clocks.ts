/** The clocks of the servers have to agree within a second: logs, timeouts and recovery targets are compared by them. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';

export interface ClockObservation {
  readonly host: string;
  /** The host's clock minus ours, milliseconds. */
  readonly offsetMs: number;
  /** How wrong that may be: half of the round trip, milliseconds. */
  readonly errorMs: number;
}

const toleranceMs = 1000;

/** Compares each host with the first one; the uncertainty of both looks is granted. */
export function clockProblems(observations: readonly ClockObservation[]): readonly Diagnostic[] {
  const [first, ...others] = observations;
  if (!first) return [];
  return others.flatMap((other) => {
    const apart = Math.abs(other.offsetMs - first.offsetMs);
    if (apart - other.errorMs - first.errorMs <= toleranceMs) return [];
    return [
      {
        code: 'HST007',
        what: `the clocks of '${first.host}' and '${other.host}' are ${(apart / 1000).toFixed(1)} s apart`,
        why: 'timeouts and logs of the two servers could not be compared; at most 1 s is allowed',
        fix: `Set up time synchronisation (chrony or systemd-timesyncd) on both hosts, then run the same command again.`,
        host: other.host,
      } satisfies Diagnostic,
    ];
  });
}
