/** `pgduet switch [--to HOST]`: the primary's role goes to a standby, with the proof of it and the time that it took. */
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { formatDuration, parseDurationMs } from '../base/units.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb, type Purpose } from './apply.ts';
import { proofOf } from './proof.ts';
import { type Given, text } from './verb.ts';
import type { World } from './world.ts';

export function switchRoles(world: World, given: Given): Promise<number> {
  const to = text(given, 'to');
  const maxWait = maxWaitSeconds(text(given, 'max-wait'));
  const intent = {
    kind: 'switch',
    ...(to ? { to } : {}),
    ...(maxWait === undefined ? {} : { maxWait }),
  } as const;
  return applyVerb(world, intent, shippedPlaybook('switch'), switching(world));
}

const longestSeconds = 86_400;

/** Whole seconds, as mc_ctl takes them; a number alone is seconds, too. */
export function maxWaitSeconds(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = (parseDurationMs(/^\d+$/.test(given) ? `${given}s` : given) ?? Number.NaN) / 1000;
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= longestSeconds) return seconds;
  const diagnostic = {
    code: 'CLI004',
    what: `--max-wait takes a time of whole seconds, a day at most, not '${given}'`,
    why: 'it is how long the primary waits for the standby before the switch is given up',
    fix: "Write '--max-wait 60s' or '--max-wait 5min', for example.",
  } as const;
  throw new DiagnosticError([diagnostic], exitCode.inputWrong);
}

function switching(world: World): Purpose {
  let began = 0;
  let switchMs: number | undefined;
  return {
    serversOnly: true,
    watch: (event) => {
      if (event.kind !== 'step' || !event.title.startsWith('switch ')) return;
      if (event.state === 'started') began = world.elapsed();
      if (event.state === 'done') switchMs = event.ms;
    },
    proof: (outcome) => {
      const proof = proofOf(outcome, ['switchover', 'replication', 'mirroring']);
      if (switchMs === undefined) return proof;
      return `${proof}\nThe switch took ${formatDuration(switchMs)}; the next one was possible ${formatDuration(world.elapsed() - began)} after its begin.`;
    },
  };
}
