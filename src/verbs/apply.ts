/**
 * The verbs that make hosts so: `provision`, `run PLAYBOOK` and those with a purpose of their own. Loads, runs, shows.
 * The plan is shown before anything is changed, and asked about once.
 */

import type { RunEvent } from '../apply/event.ts';
import type { Prelude } from '../apply/request.ts';
import { type Outcome, run } from '../apply/run.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { formatDuration } from '../base/units.ts';
import type { Intent } from '../intent/intent.ts';
import { leftAloneWith } from '../intent/maintenance.ts';
import { type Cluster, serversOnly } from '../inventory/cluster.ts';
import { preferredView, type View } from '../observe/survey.ts';
import { nextBatch } from '../plan/batch.ts';
import { isEmpty, type Plan, pending, postponed, troubles } from '../plan/plan.ts';
import { diagnosticJson } from '../report/diagnostic.ts';
import { plainReport } from '../report/plain.ts';
import {
  inMaintenanceWords,
  type LeftAlone,
  leftAloneJson,
  lookedAt,
  planJson,
  planText,
  postponedNote,
} from '../report/plan.ts';
import { jsonText, shown } from '../report/shown.ts';
import { authorityOf } from './authority.ts';
import { inventory } from './inventory.ts';
import { compiler, effectPlace, playbook } from './load.ts';
import { runPorts } from './ports.ts';
import { restartPolicy } from './restart-policy.ts';
import type { World } from './world.ts';

/** What a verb with a purpose of its own adds to a run. */
export interface Purpose {
  /** The run goes on without this host where it cannot be reached. */
  mayBeAway?(host: string): boolean;
  /** The host of an arbiter is not needed for it, and may be away. */
  readonly serversOnly?: boolean;
  /** Throws before any host is contacted when the options do not fit the cluster. */
  check?(cluster: Cluster): void;
  /** Whether PostgreSQL may be restarted there in passing, where a setting waits for it. */
  mayRestart?(host: string): boolean;
  /** Everything is looked at once more behind the yes, before anything is changed. */
  readonly looksBehindYes?: boolean;
  /** Asks in its own way. */
  confirm?(cluster: Cluster): Promise<boolean>;
  /** Said below the plan; a sentence each. */
  notes?(view: View, cluster: Cluster, plan: Plan, settled: Intent): readonly string[];
  /** What goes before the run, once the plan is agreed to. */
  prelude?(cluster: Cluster, first: { readonly view: View; readonly intent: Intent }): Prelude | undefined;
  /** Adds to an error what this verb offers as a way out. */
  explain?(problem: unknown): unknown;
  /** More fields for --json. */
  facts?(outcome: Outcome, cluster: Cluster): object;
  /** Gets everything that happens. */
  watch?(event: RunEvent): void;
  /** What is said at the end of a run that has done its work, or found it done. */
  proof(outcome: Outcome): string;
}

/** Runs a playbook; returns the exit status. */
export async function applyVerb(
  world: World,
  intent: Intent,
  playbookPath: string,
  purpose?: Purpose,
): Promise<number> {
  const verb = intent.kind;
  const { cluster: declared, warnings } = await inventory(world);
  const cluster = purpose?.serversOnly ? serversOnly(declared) : declared;
  const checkOnly = world.options.check;
  purpose?.check?.(cluster);
  const plays = playbook(playbookPath);
  const shown = await reporter(world, cluster, checkOnly);
  const compile = compiler(world, cluster, plays, playbookPath, await authorityOf(cluster));
  const plan: { seen?: Plan; view?: View } = {};
  const restarts = restartPolicy(world);
  try {
    const outcome = await run(
      {
        cluster,
        intent,
        compile,
        effectPlace,
        change: !checkOnly,
        mayRestart: (host) => restarts.mayRestart(host) && (purpose?.mayRestart?.(host) ?? true),
        confirm: async (shownPlan) => {
          const agreed = await (purpose?.confirm?.(cluster) ?? confirm(world, cluster));
          // A verb with a purpose of its own has announced what it stops.
          if (agreed && !purpose) await restarts.agree(shownPlan, plan.view?.primary ?? '');
          return agreed;
        },
        prelude: (first) => purpose?.prelude?.(cluster, first),
        ...(purpose?.looksBehindYes ? { looksBehindYes: true } : {}),
        leaveOutUnreachable: (host) => purpose?.mayBeAway?.(host) === true,
        lockOwner: world.lockOwner(verb),
        ...(world.options.limit ? { limit: world.options.limit } : {}),
      },
      runPorts(world, (event) => {
        if (event.kind === 'planned') {
          plan.seen = event.plan;
          plan.view = event.view;
          if (!world.options.json) {
            const leftAlone = leftAloneWith(intent, event.view, cluster);
            showPlan(world, cluster, { ...event, leftAlone }, warnings, checkOnly);
            showNotes(world, cluster, event, checkOnly, purpose);
          }
        }
        purpose?.watch?.(event);
        shown.emit(event);
      }),
    );
    await shown.finish(false);
    return conclude(world, { intent, cluster, outcome, checkOnly, warnings, purpose });
  } catch (problem) {
    await shown.finish(true);
    const error = purpose?.explain ? purpose.explain(problem) : problem;
    if (error instanceof DiagnosticError && world.options.json)
      printJson(world, intent, cluster, plan.seen, {
        exit: error.exitCode,
        diagnostics: error.diagnostics,
        ...(plan.view ? { view: plan.view } : {}),
      });
    throw error;
  }
}

async function reporter(world: World, cluster: Cluster, checkOnly: boolean) {
  // The tree needs a terminal of its own; with data piped away, lines are easier to follow.
  const wantsTree = world.terminal && process.stdout.isTTY === true;
  if (wantsTree && !world.options.verbose && !world.options.json && !checkOnly) {
    const { liveTree } = await import('../report/tree.ts');
    const tree = liveTree(cluster.hosts.map((host) => host.name));
    return { emit: (event: RunEvent) => tree.emit(event), finish: tree.finish };
  }
  const emit = plainReport({ verbose: world.options.verbose, elapsed: world.elapsed, write: world.say });
  return { emit, finish: async () => undefined };
}

function showPlan(
  world: World,
  cluster: Cluster,
  event: Extract<RunEvent, { kind: 'planned' }> & { readonly leftAlone: LeftAlone },
  warnings: readonly Diagnostic[],
  checkOnly: boolean,
): void {
  const { options } = world;
  const text = planText(event.plan, cluster, event.view, {
    colour: options.colour,
    diff: options.diff || checkOnly,
    all: options.verbose,
    leftAlone: event.leftAlone,
  });
  // A plan is the data of a check, and a preview of everything else.
  if (checkOnly) world.print(text);
  else world.say(text);
  if (pending(event.plan).length === 0) return;
  for (const warning of warnings) world.say(shown(`note: ${warning.what}: ${warning.why}`));
}

/** What stands on no host in particular; said also when nothing is changed, since something may be left behind. */
function showNotes(
  world: World,
  cluster: Cluster,
  event: Extract<RunEvent, { kind: 'planned' }>,
  checkOnly: boolean,
  purpose: Purpose | undefined,
): void {
  const notes = purpose?.notes?.(event.view, cluster, event.plan, event.intent) ?? [];
  if (notes.length > 0) (checkOnly ? world.print : world.say)(notes.map(shown).join('\n'));
}

async function confirm(world: World, cluster: Cluster): Promise<boolean> {
  if (world.options.yes) return true;
  if (!world.terminal) {
    throw new DiagnosticError(
      [
        {
          code: 'CLI002',
          what: 'there is no terminal to ask on, and --yes was not given',
          why: 'nothing is changed without a yes',
          fix: 'Add --yes once you have read the plan (pgduet … --check).',
        },
      ],
      exitCode.inputWrong,
    );
  }
  const answer = await world.ask(`Change cluster '${cluster.name}' as shown? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

interface Ended {
  readonly intent: Intent;
  readonly cluster: Cluster;
  readonly outcome: Outcome;
  readonly checkOnly: boolean;
  readonly warnings: readonly Diagnostic[];
  readonly purpose: Purpose | undefined;
}

function conclude(world: World, { intent, cluster, outcome, checkOnly, warnings, purpose }: Ended): number {
  const exit = exitOf(outcome);
  if (world.options.json) {
    const diagnostics = [...troubles(outcome.left), ...warnings];
    const facts = purpose?.facts?.(outcome, cluster);
    printJson(world, intent, cluster, outcome.plan, {
      exit,
      outcome,
      diagnostics,
      ...(facts ? { facts } : {}),
    });
    return exit;
  }
  const leftAlone = leftAloneWith(intent, outcome.view, cluster);
  // What was proven is so of those that were looked at.
  const scope =
    leftAlone.size > 0
      ? `\n${lookedAt(cluster, leftAlone)} were looked at; ${inMaintenanceWords(leftAlone)}.`
      : '';
  if (!checkOnly && !isEmpty(outcome.plan)) world.say(lastWord(cluster, outcome, leftAlone));
  // A check has shown them with its plan.
  if (!checkOnly) world.tell(troubles(outcome.left));
  if (purpose && isEmpty(outcome.left)) world.say(purpose.proof(outcome) + scope);
  if (world.options.verbose) world.say(roundTrips(world, outcome));
  return exit;
}

/** What can be done goes before what cannot; other roles than the preferred ones are neither. */
function exitOf({ left, view }: Outcome): number {
  if (isEmpty(left)) return exitCode.done;
  const degraded = troubles(left).length > 0 && nextBatch(left, view.primary).length === 0;
  return degraded ? exitCode.hostFailed : exitCode.changesPending;
}

function lastWord(cluster: Cluster, { confirmed, changed, left }: Outcome, leftAlone: LeftAlone): string {
  if (!confirmed) return 'Nothing was changed.';
  const made = `${cluster.name}: ${changed.length} changes made`;
  const open = pending(left).length;
  if (troubles(left).length > 0) return `${made}; the rest is up to you:`;
  if (open === 0 && postponed(left).length > 0) return [`${made}.`, ...postponedNote(left)].join('\n');
  return open === 0
    ? leftAlone.size > 0
      ? `${made}; the last look at ${lookedAt(cluster, leftAlone)} found nothing to do; ${inMaintenanceWords(leftAlone)}.`
      : `${made}; the last look found nothing to do.`
    : `${made}; ${open} are left because of --limit: run the same command without it.`;
}

function roundTrips(world: World, outcome: Outcome): string {
  const counts = Object.entries(outcome.roundTrips).map(([host, count]) => `${host} ${count}`);
  return `round trips: ${counts.join(', ')}; ${formatDuration(world.elapsed())} in all`;
}

interface JsonParts {
  readonly exit: number;
  readonly outcome?: Outcome;
  /** Of a run that was refused after its look. */
  readonly view?: View;
  readonly diagnostics: readonly Diagnostic[];
  /** What the verb has to say itself. */
  readonly facts?: object;
}

/** One document on stdout; `schema` is raised when a field changes its meaning. */
function printJson(
  world: World,
  intent: Intent,
  cluster: Cluster,
  plan: Plan | undefined,
  parts: JsonParts,
): void {
  const view = parts.outcome?.view ?? parts.view;
  world.print(
    jsonText(
      {
        schema: 1,
        verb: intent.kind,
        cluster: cluster.name,
        exit: parts.exit,
        primary: view?.primary ?? null,
        preferred_primary: preferredView(cluster).primary,
        left_alone: view ? leftAloneJson(leftAloneWith(intent, view, cluster)) : [],
        plan: plan ? planJson(plan) : [],
        changed: parts.outcome?.changed ?? [],
        round_trips: parts.outcome?.roundTrips ?? {},
        ms: Math.round(world.elapsed()),
        ...parts.facts,
        diagnostics: parts.diagnostics.map(diagnosticJson),
      },
      2,
    ),
  );
}
