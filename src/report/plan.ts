/** A plan as text a person decides by, and as JSON. In: a plan and who is primary. Shows; never decides. Pure. */

import { maintenanceWords } from '../base/maintenance-words.ts';
import { type Cluster, serverOn, shownAddress } from '../inventory/cluster.ts';
import type { MaintenanceSeen } from '../observe/maintenance.ts';
import type { View } from '../observe/survey.ts';
import { type Decision, type Plan, pending, postponed, refusals, troubles } from '../plan/plan.ts';
import { restartedHosts } from '../plan/restarts.ts';
import type { Change } from '../resources/contract/kind.ts';
import { colours } from './colour.ts';
import { unifiedDiff } from './diff.ts';
import { preferenceNote } from './preference.ts';
import { shown } from './shown.ts';

export interface PlanOptions {
  readonly colour: boolean;
  /** Show the text of files before and after. */
  readonly diff: boolean;
  /** Show also what is right already. */
  readonly all: boolean;
  /** Servers in maintenance that the run leaves alone. */
  readonly leftAlone?: LeftAlone;
}

export type LeftAlone = ReadonlyMap<string, MaintenanceSeen>;

export function planText(plan: Plan, cluster: Cluster, view: View, options: PlanOptions): string {
  const c = colours(options.colour);
  const open = pending(plan);
  const lines: string[] = [];
  for (const host of cluster.hosts) {
    const mine = plan.decisions.filter(
      (decision) => decision.resource.host === host.name && (options.all || decision.kind !== 'same'),
    );
    if (mine.length === 0) continue;
    const server = serverOn(cluster, host.name);
    const role = server && (server.name === view.primary ? 'primary' : 'standby');
    lines.push([c.bold(host.name), ...(role ? [role] : []), shownAddress(host)].join('  '));
    for (const decision of mine) lines.push(...decisionLines(decision, options));
    lines.push('');
  }
  lines.push(...troubleLines(plan, options), ...roleNote(cluster, view));
  const restarted = restartedHosts(plan);
  if (restarted.length > 0) lines.push(`PostgreSQL is restarted on: ${restarted.join(', ')}`);
  lines.push(...postponedNote(plan));
  const leftAlone: LeftAlone = options.leftAlone ?? new Map();
  lines.push(...leftAloneLines(leftAlone));
  const where = leftAlone.size > 0 ? ` on ${lookedAt(cluster, leftAlone)}` : '';
  const refused = refusals(plan).length > 0;
  if (refused) lines.push('refused: nothing is changed');
  else lines.push(open.length === 0 ? `nothing to change${where}` : summary(open));
  return lines.join('\n');
}

const leftAloneLines = (leftAlone: LeftAlone): readonly string[] =>
  [...leftAlone].map(([name, seen]) => shown(`${name} is left alone: ${maintenanceWords(seen)}`));

/** "2 of 3 servers": what is said of a cluster says nothing of those that were left alone. */
export const lookedAt = ({ servers }: Cluster, leftAlone: LeftAlone): string =>
  `${servers.length - leftAlone.size} of ${servers.length} servers`;

/** "server2 is in maintenance" */
export const inMaintenanceWords = (leftAlone: LeftAlone): string =>
  `${[...leftAlone.keys()].join(', ')} ${leftAlone.size === 1 ? 'is' : 'are'} in maintenance`;

export const leftAloneJson = (leftAlone: LeftAlone): readonly object[] =>
  [...leftAlone].map(([server, { by, since, until, reason }]) => ({ server, by, since, until, reason }));

/** What is left by --restart never, or by a no to the question for it. */
export function postponedNote(plan: Plan): readonly string[] {
  const hosts = [...new Set(postponed(plan).map(({ resource }) => resource.host))];
  if (hosts.length === 0) return [];
  return [
    `Settings wait for a restart of PostgreSQL on ${hosts.join(', ')}: run provision with --restart when-needed for it.`,
  ];
}

function summary(open: readonly Decision[]): string {
  const changes = open.filter((decision) => decision.kind === 'change').length;
  const later = open.length - changes;
  return `${changes} to change${later > 0 ? `, ${later} to be decided on the way` : ''}`;
}

function troubleLines(plan: Plan, options: PlanOptions): readonly string[] {
  const c = colours(options.colour);
  return troubles(plan).flatMap(({ what, why, fix, evidence = [] }) => [
    c.red(shown(what)),
    `  why: ${shown(why)}`,
    ...evidence.map((line) => `  ${shown(line)}`),
    `  to do: ${shown(fix)}`,
    '',
  ]);
}

export function roleNote(cluster: Cluster, view: View): readonly string[] {
  const preferred = cluster.servers.find((server) => server.preferredRole === 'primary')?.name;
  // To whom somebody works on nobody switches.
  if (preferred === undefined || preferred === view.primary || view.maintained?.has(preferred)) return [];
  return [`${preferenceNote(view.primary, preferred)} This is no drift.`, ''];
}

function decisionLines(decision: Decision, options: PlanOptions): readonly string[] {
  const c = colours(options.colour);
  switch (decision.kind) {
    case 'same':
      return [c.dim(`  = ${described(decision)}: ${shown(decision.reason)}`)];
    case 'deferred':
      return [
        `  ${c.cyan('?')} ${described(decision)}  ${c.dim(`(${foretold(decision)} after ${shown(`${decision.waitsFor.host}: ${decision.waitsFor.id}`)})`)}`,
      ];
    case 'refused':
    case 'unseen':
      return [`  ${c.red('!')} ${shown(decision.diagnostic.what)}`];
    case 'degraded':
      return [`  ${c.red('!')} ${described(decision)}  ${c.dim('(degraded, see below)')}`];
    case 'postponed':
      return [
        `  ${c.yellow('~')} ${shown(decision.change.summary)}  ${c.dim(`(${shown(decision.change.reason)}; waits for a restart)`)}`,
      ];
    case 'change':
      return [
        `  ${c.yellow('~')} ${shown(decision.change.summary)}  ${c.dim(`(${shown(decision.change.reason)})`)}`,
        ...(decision.change.notes ?? []).map((note) => `      - ${shown(note)}`),
        ...diffLines(decision, options),
      ];
  }
}

const described = ({ resource }: Decision): string => shown(resource.kind.describe(resource.desired));

const foretold = ({ resource }: Decision): string =>
  resource.expect === 'same' ? 'right by then; looked at' : 'decided';

function diffLines(decision: Extract<Decision, { kind: 'change' }>, options: PlanOptions): readonly string[] {
  const { text } = decision.change;
  if (!options.diff || !text) return [];
  const c = colours(options.colour);
  return unifiedDiff(text.before, text.after, text.name).map((raw) => {
    const line = shown(raw);
    return `      ${line.startsWith('+') ? c.green(line) : line.startsWith('-') ? c.red(line) : c.dim(line)}`;
  });
}

/** One entry per resource that is not right; the schema is part of the contract of --json. */
export const planJson = (plan: Plan): readonly object[] => plan.decisions.flatMap(decisionJson);

function decisionJson(decision: Decision): readonly object[] {
  const base = { host: decision.resource.host, resource: decision.resource.id };
  switch (decision.kind) {
    case 'same':
      return [];
    case 'deferred':
      return [
        {
          ...base,
          state: 'deferred',
          expect: decision.resource.expect ?? 'change',
          waits_for: decision.waitsFor,
          reason: decision.reason,
        },
      ];
    case 'refused':
    case 'unseen':
      return [
        { ...base, state: decision.kind, code: decision.diagnostic.code, reason: decision.diagnostic.what },
      ];
    case 'degraded': {
      const { code, what, why, fix } = decision.diagnostic;
      return [{ ...base, state: 'degraded', code, reason: `${what}: ${why}`, to_do: fix }];
    }
    case 'postponed':
      return [{ ...base, state: 'postponed', ...changeJson(decision.change) }];
    case 'change':
      return [
        {
          ...base,
          state: 'change',
          ...(decision.resource.kind.waits ? { waits: true } : {}),
          ...changeJson(decision.change),
        },
      ];
  }
}

function changeJson({ summary, reason, effects, text, notes }: Change): object {
  const diff = text ? { diff: unifiedDiff(text.before, text.after, text.name) } : {};
  return { summary, reason, effects: effects ?? [], ...(notes ? { notes } : {}), ...diff };
}
