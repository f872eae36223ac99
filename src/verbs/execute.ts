/**
 * A verb in the real world, from its options to the exit status of the process. In: the verb and what the command line gave.
 * Out: the exit status; every way out of a verb goes through here. A defect of pgduet ends with status 70 and says so.
 */
import { codes } from '../base/codes.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { diagnosticJson } from '../report/diagnostic.ts';
import { jsonText } from '../report/shown.ts';
import { defaultInventory, restartWords } from './options.ts';
import { flag, type Given, namedHosts, text, type Verb, word } from './verb.ts';
import { type CommonOptions, realWorld, type World } from './world.ts';

export async function execute(verb: Verb, given: Given): Promise<void> {
  const abort = new AbortController();
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    // The second Ctrl-C does not wait for the hosts any more.
    if (signals > 1) process.exit(exitCode.interrupted);
    abort.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const world = realWorld(commonOptions(verb, given), abort.signal);
  try {
    const runVerb = await verb.load();
    process.exitCode = await runVerb(world, given);
  } catch (error) {
    process.exitCode = report(verb.name, world, error, abort.signal.aborted);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  // A connection that was still being made when the user asked to stop must not hold up the end.
  if (abort.signal.aborted) process.exit();
}

function commonOptions(verb: Verb, given: Given): CommonOptions {
  const limit = text(given, 'limit');
  const hostKey = text(given, 'host-key');
  return {
    inventory: text(given, 'inventory') ?? defaultInventory,
    check: flag(given, 'check'),
    diff: flag(given, 'diff'),
    yes: flag(given, 'yes'),
    json: flag(given, 'json') || text(given, 'format') === 'json',
    verbose: flag(given, 'verbose'),
    // NO_COLOR as its convention says: set and not empty means without.
    colour: !flag(given, 'no-color') && !process.env.NO_COLOR && process.stdout.isTTY === true,
    acceptNewHostKeys: flag(given, 'accept-new-host-keys'),
    restart: word(given, 'restart', restartWords) ?? 'ask',
    named: namedHosts(verb, given),
    ...(limit ? { limit } : {}),
    ...(hostKey ? { hostKey } : {}),
  };
}

function report(verb: string, world: World, error: unknown, interrupted: boolean): number {
  const failed = failureOf(error, interrupted);
  // With --json there is one document on stdout however a run ends; a verb that got far enough has printed its own.
  if (world.options.json && !world.printed())
    world.print(
      jsonText(
        { schema: 1, verb, exit: failed.exitCode, diagnostics: failed.diagnostics.map(diagnosticJson) },
        2,
      ),
    );
  world.tell(failed.diagnostics);
  return failed.exitCode;
}

function failureOf(error: unknown, interrupted: boolean): DiagnosticError {
  if (error instanceof DiagnosticError) return error;
  if (interrupted) {
    const diagnostic: Diagnostic = {
      code: 'RUN002',
      what: 'the run was interrupted',
      why: 'you asked to stop',
      fix: 'Run the same command again: it continues.',
    };
    return new DiagnosticError([diagnostic], exitCode.interrupted);
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const diagnostic: Diagnostic = {
    code: 'BUG001',
    what: 'pgduet met a case that it was not made for',
    why: 'this is a defect of pgduet, not of your input',
    fix: 'Report it with the lines below; running the same command again is safe.',
    evidence: stack.split('\n').slice(0, 12),
  };
  return new DiagnosticError([diagnostic], codes.BUG001.exit);
}
