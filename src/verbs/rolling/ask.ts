/** What the command line asks of a rolling update. In: options. Out: a request, or all that is wrong with it. */
import { type Diagnostic, DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { longestMs } from '../../base/maintenance-words.ts';
import { parseDurationMs } from '../../base/units.ts';
import { overrulable } from '../../rolling/preparation.ts';
import { meantPoints } from '../../rolling/proof.ts';
import type { OptionName } from '../options.ts';
import { flag, type Given, text, texts } from '../verb.ts';

/** What a new update does. */
export interface NewUpdate {
  readonly kind: 'new';
  /** Packages beside those of PostgreSQL; undefined: none at all. */
  readonly packages?: readonly string[];
  readonly refresh: boolean;
  readonly run?: string;
  readonly command?: string;
  readonly reboot: boolean;
  readonly pause: boolean;
  readonly validate?: string;
  readonly expectedMs: number;
  readonly rebootMs: number;
  /** Standbys in the order in which they are worked on; those that are not named come behind. */
  readonly first: readonly string[];
  readonly skip: readonly string[];
  readonly to?: string;
  readonly stay: boolean;
  readonly alone: boolean;
  readonly rebuild: boolean;
  readonly despite: readonly string[];
}

/** What is done with one that was begun. */
export interface OpenUpdate {
  readonly kind: 'continue' | 'abort';
  /** Points of the proof of a host that do not count from now on. */
  readonly despite: readonly string[];
  readonly run?: string;
  readonly skip: readonly string[];
  /** A command of which nobody knows how it ended: it is run again, or counts as done. */
  readonly again: boolean;
  readonly done: boolean;
}

const minuteMs = 60_000;
const ofNew = [
  'packages',
  'refresh',
  'command',
  'reboot',
  'pause',
  'validate',
  'for',
  'reboot-limit',
  'first',
  'to',
  'stay',
  'alone',
  'rebuild',
] as const satisfies readonly OptionName[];
const work = ['packages', 'run', 'command', 'reboot', 'pause'] as const satisfies readonly OptionName[];

export function asked(given: Given): NewUpdate | OpenUpdate {
  const abort = flag(given, 'abort');
  const skip = texts(given, 'skip');
  const isOpen = abort || flag(given, 'continue');
  const problems: Diagnostic[] = [];
  if (isOpen) {
    const foreign = ofNew.filter((name) => given.options.has(name));
    if (foreign.length > 0)
      problems.push(
        wrong(
          `--${foreign.join(', --')} cannot be given with --${abort ? 'abort' : 'continue'}`,
          'what is done was settled when the update began',
          `Leave it out; --abort ends the update, and then a new one can begin.`,
        ),
      );
    if (abort && flag(given, 'continue'))
      problems.push(
        wrong('--continue and --abort were both given', 'one goes on, the other ends it', 'Say one of them.'),
      );
    if (flag(given, 'again') && flag(given, 'done'))
      problems.push(
        wrong(
          '--again and --done were both given',
          'one runs the command once more, the other takes it as done',
          'Say one of them.',
        ),
      );
    const despite = points(given, meantPoints, problems);
    raise(problems);
    const run = text(given, 'run');
    return {
      kind: abort ? 'abort' : 'continue',
      skip,
      despite,
      again: flag(given, 'again'),
      done: flag(given, 'done'),
      ...(run === undefined ? {} : { run }),
    };
  }
  if (!work.some((name) => given.options.has(name)))
    problems.push(
      wrong(
        'nothing is said that is to be done on the hosts',
        'a rolling update takes every server out, one after the other, for some work',
        `Say at least one of: --${work.join(', --')}; or --continue, or --abort.`,
      ),
    );
  for (const name of ['again', 'done'] as const)
    if (flag(given, name))
      problems.push(
        wrong(
          `--${name} goes with --continue`,
          'it is about a command of an update that was begun',
          'Leave it out, or say --continue.',
        ),
      );
  const expectedMs = duration(given, 'for', 30 * minuteMs, problems);
  const rebootMs = duration(given, 'reboot-limit', 15 * minuteMs, problems);
  const despite = points(given, [...overrulable, ...meantPoints], problems);
  for (const name of ['command', 'validate'] as const)
    if (text(given, name)?.trim() === '' || text(given, name)?.includes('\0'))
      problems.push(
        wrong(
          `--${name} is empty`,
          'it is a line for the shell of root',
          `Write, for example, --${name} 'systemctl is-system-running'.`,
        ),
      );
  const packages = given.options.has('packages')
    ? packageNames(text(given, 'packages'), problems)
    : undefined;
  raise(problems);
  const [run, command, validate, to] = (['run', 'command', 'validate', 'to'] as const).map((name) =>
    text(given, name),
  );
  return {
    kind: 'new',
    ...(packages ? { packages } : {}),
    refresh: flag(given, 'refresh'),
    ...(run === undefined ? {} : { run }),
    ...(command === undefined ? {} : { command }),
    reboot: flag(given, 'reboot'),
    pause: flag(given, 'pause'),
    ...(validate === undefined ? {} : { validate }),
    expectedMs,
    rebootMs,
    first: texts(given, 'first'),
    skip,
    ...(to === undefined ? {} : { to }),
    stay: flag(given, 'stay'),
    alone: flag(given, 'alone'),
    rebuild: flag(given, 'rebuild'),
    despite,
  };
}

function points(given: Given, known: readonly string[], problems: Diagnostic[]): readonly string[] {
  const named = texts(given, 'despite');
  for (const name of named)
    if (!known.includes(name))
      problems.push(
        wrong(
          `--despite cannot name '${name}' here`,
          'it names a point that does not count; those of the preparation are over once the update has begun',
          `Say one of: ${known.join(', ')}.`,
        ),
      );
  return named;
}

function packageNames(given: string | undefined, problems: Diagnostic[]): readonly string[] {
  const names = (given ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const odd = names.filter((name) => !/^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?$/.test(name));
  if (odd.length > 0)
    problems.push(
      wrong(
        `'${odd.join("', '")}' is no name of a package`,
        'names are separated by commas',
        "Write '--packages openssl,libssl3'; PostgreSQL's own are always among them.",
      ),
    );
  return [...new Set(names)];
}

function duration(
  given: Given,
  name: 'for' | 'reboot-limit',
  fallback: number,
  problems: Diagnostic[],
): number {
  const said = text(given, name);
  if (said === undefined) return fallback;
  const ms = parseDurationMs(said.replace(/(\d)m$/, '$1min'));
  if (ms !== undefined && ms >= minuteMs && ms <= longestMs) return ms;
  problems.push(
    wrong(
      `--${name} takes a time of at least a minute, 400 days at most, not '${said}'`,
      name === 'for'
        ? 'it is how long one server is expected to be out'
        : 'it is how long a host may take to be back',
      `Write '--${name} 30m' or '--${name} 2h', for example.`,
    ),
  );
  return fallback;
}

const wrong = (what: string, why: string, fix: string): Diagnostic => ({ code: 'CLI004', what, why, fix });

function raise(problems: readonly Diagnostic[]): void {
  if (problems.length > 0) throw new DiagnosticError(problems, exitCode.inputWrong);
}
