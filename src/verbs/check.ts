/**
 * `pgduet check`: one read-only look at one or more clusters, and what of them is not as declared. In: inventories and how
 * to say it. Out: a report on stdout and the exit status. Changes nothing, takes no lock.
 */
import type { RunEvent } from '../apply/event.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { audits } from '../check/audits.ts';
import { type CheckReport, exitOf } from '../check/report.ts';
import { type Cluster, withHosts } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import { type CheckChange, changeJson, changesOf, changeText } from '../report/check-change.ts';
import { checkJson } from '../report/check-json.ts';
import { checkJunit } from '../report/check-junit.ts';
import { checkNagios, failedNagios } from '../report/check-nagios.ts';
import { checkPrometheus } from '../report/check-prometheus.ts';
import { checkText } from '../report/check-text.ts';
import { jsonText } from '../report/shown.ts';
import { shippedPlaybook, shippedVersion } from '../shipped.ts';
import { authorityOf } from './authority.ts';
import { type CheckOptions, checkOptions } from './check-options.ts';
import { inspect, leaveAll, type Target } from './inspect.ts';
import { inventory } from './inventory.ts';
import { compiler, playbook } from './load.ts';
import { pause } from './pause.ts';
import { runPorts } from './ports.ts';
import type { Given } from './verb.ts';
import type { World } from './world.ts';

export async function check(world: World, given: Given): Promise<number> {
  const options = checkOptions(given);
  try {
    return await checkAll(world, options);
  } catch (error) {
    // Who runs a plugin reads its first line and its status only.
    if (options.format !== 'nagios' || !(error instanceof DiagnosticError)) throw error;
    const { text, exit } = failedNagios(error.diagnostics);
    world.print(text);
    return exit;
  }
}

async function checkAll(world: World, options: CheckOptions): Promise<number> {
  const targets = await targetsOf(world, options);
  try {
    return options.everyMs === undefined
      ? await once(world, options, targets)
      : await watch(world, options, options.everyMs, targets);
  } finally {
    await Promise.all(targets.map((target) => leaveAll(target, world.interrupted.aborted)));
  }
}

/** All mistakes of all inventories at once, before any host is contacted. */
async function targetsOf(world: World, { inventories, login }: CheckOptions): Promise<readonly Target[]> {
  const path = shippedPlaybook('provision');
  const plays = playbook(path);
  const loaded = await Promise.allSettled(inventories.map((file) => inventory(world, file)));
  const problems = loaded.flatMap((one) => (one.status === 'rejected' ? diagnosticsOf(one.reason) : []));
  if (problems.length > 0) throw new DiagnosticError(problems, exitCode.inputWrong);
  const { limit } = world.options;
  const clusters = loaded.flatMap((one) => (one.status === 'rejected' ? [] : [one.value.cluster]));
  return Promise.all(
    clusters.map(async (cluster) => {
      const compile = compiler(world, cluster, plays, path, await authorityOf(cluster));
      return {
        cluster: readerOf(cluster, login),
        compile: (view: View) => compile(view, { kind: 'provision' }),
        audits,
        version: shippedVersion(),
        open: new Map(),
        ...(limit === undefined ? {} : { limit }),
      };
    }),
  );
}

/** What is declared stays what the rightful login makes so; only who looks is another one. */
function readerOf(cluster: Cluster, login: string | undefined): Cluster {
  if (login === undefined) return cluster;
  return withHosts(cluster, ({ ssh: { password: _, becomePassword: __, ...ssh }, ...host }) => ({
    ...host,
    ssh: { ...ssh, user: login, become: 'none' as const },
  }));
}

function diagnosticsOf(problem: unknown): readonly Diagnostic[] {
  if (problem instanceof DiagnosticError) return problem.diagnostics;
  throw problem;
}

/** Looks at all clusters at the same time. */
async function look(world: World, targets: readonly Target[], began: number): Promise<CheckReport> {
  const ports = runPorts(world, verbose(world));
  const clusters = await Promise.all(targets.map((target) => inspect(target, ports)));
  return {
    clusters,
    at: new Date().toISOString(),
    ms: Math.round(world.elapsed() - began),
    exit: exitOf(clusters.flatMap(({ findings }) => findings)),
  };
}

/** What was sent to each host, for --verbose; nothing else happens that a person would wait for. */
const verbose =
  (world: World) =>
  (event: RunEvent): void => {
    if (!world.options.verbose) return;
    if (event.kind === 'opened') world.say(`${event.host}: connected in ${Math.round(event.ms)} ms`);
    if (event.kind === 'observed')
      world.say(`${event.host}: ${event.probes} questions answered in ${Math.round(event.ms)} ms`);
  };

async function once(world: World, options: CheckOptions, targets: readonly Target[]): Promise<number> {
  const report = await look(world, targets, 0);
  const { text, exit } = rendered(world, options, report);
  world.print(text);
  return exit;
}

/** The first look is reported whole; after that only what has changed. */
async function watch(
  world: World,
  options: CheckOptions,
  everyMs: number,
  targets: readonly Target[],
): Promise<number> {
  let before: CheckReport | undefined;
  for (;;) {
    const began = before === undefined ? 0 : world.elapsed();
    const report = await look(world, targets, began);
    const { text, exit } = rendered(world, options, report);
    if (before === undefined) world.print(text);
    else for (const change of changesOf(before, report)) world.print(changeLine(world, options, change));
    before = report;
    await pause(everyMs, world.interrupted);
    if (world.interrupted.aborted) return exit;
  }
}

const changeLine = (world: World, { format }: CheckOptions, change: CheckChange): string =>
  format === 'json' ? jsonText(changeJson(change)) : changeText(change, { colour: world.options.colour });

function rendered(world: World, options: CheckOptions, report: CheckReport): { text: string; exit: number } {
  const { colour, diff } = world.options;
  const { exit } = report;
  switch (options.format) {
    case 'json':
      return { text: jsonText(checkJson(report), options.everyMs === undefined ? 2 : 0), exit };
    case 'nagios':
      return checkNagios(report);
    case 'junit':
      return { text: checkJunit(report), exit };
    case 'prometheus':
      return { text: checkPrometheus(report), exit };
    case 'text':
      return {
        text: checkText(report, {
          colour,
          diff,
          ...(world.width === undefined ? {} : { width: world.width }),
        }),
        exit,
      };
  }
}
