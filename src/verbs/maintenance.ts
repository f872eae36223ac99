/** `pgduet maintenance begin|end HOST`: a standby is left out for as long as somebody works on its host, and comes back. */
import { hostname, userInfo } from 'node:os';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { foreignTo, isPlain, longestMs, longestName, longestReason } from '../base/maintenance-words.ts';
import { parseDurationMs } from '../base/units.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import { argument, flag, type Given, text } from './verb.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;

export function maintenance(world: World, given: Given): Promise<number> {
  const goal = argument(given, 'goal') === 'begin' ? 'begin' : 'end';
  const host = argument(given, 'host');
  const foreign = foreignTo[goal].find((name) => given.options.has(name));
  if (foreign)
    throw wrong(
      `maintenance ${goal} does not take --${foreign}`,
      `it says something about the ${goal === 'begin' ? 'end' : 'begin'} of a maintenance`,
      `Leave it out, or see 'pgduet maintenance --help'.`,
    );
  const expected = minutes(text(given, 'for'));
  const reason = line('reason', text(given, 'reason') ?? '', longestReason);
  const of = line('of', text(given, 'of') ?? '', longestName);
  const by = line(
    'by',
    text(given, 'by') ?? `${userInfo().username}@${hostname()}`.slice(0, longestName),
    longestName,
  );
  const intent = {
    kind: 'maintenance',
    goal,
    host,
    by,
    reason,
    of,
    expected,
    replace: flag(given, 'replace'),
    alone: flag(given, 'alone'),
  } as const;
  return applyVerb(world, intent, shippedPlaybook('maintenance'), {
    serversOnly: true,
    // The host that is worked on may be away, and whoever is not heard hears of it later.
    mayBeAway: () => true,
    notes: (view) =>
      view.absent?.has(host)
        ? [
            `${host} cannot be reached: it hears of ${goal === 'begin' ? 'this' : 'the end'} when it hears another server`,
          ]
        : [],
    facts: ({ view }) => ({ maintenance: { host, in_maintenance: view.maintained?.has(host) ?? false } }),
    proof: (outcome) => proofOf(outcome, ['maintenance', 'replication', 'mirroring']),
  });
}

const wrong = (what: string, why: string, fix: string): DiagnosticError =>
  new DiagnosticError([{ code: 'CLI004', what, why, fix }], exitCode.inputWrong);

/** In the words of mc_ctl, whose `m` is taken, too; empty where nothing is said. */
function minutes(given: string | undefined): string {
  if (given === undefined) return '';
  const ms = parseDurationMs(given.replace(/(\d)m$/, '$1min'));
  if (ms !== undefined && ms >= minuteMs && ms <= longestMs) return `${Math.ceil(ms / minuteMs)}m`;
  throw wrong(
    `--for takes a time of at least a minute, 400 days at most, not '${given}'`,
    'it is how long the work is expected to take: nothing happens by itself when it is over, but check calls it overdue',
    "Write '--for 30m', '--for 2h' or '--for 1d', for example.",
  );
}

/** It stands in the logs and in the status of every server. */
function line(name: 'reason' | 'of' | 'by', value: string, longest: number): string {
  if (isPlain(value, longest)) return value;
  throw wrong(
    `--${name} takes one line of at most ${longest} characters`,
    'it stands in the logs and in the status of every server',
    'Say it in fewer words, without line breaks.',
  );
}
