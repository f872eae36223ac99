/**
 * What `pgduet recover` means: the server that is started is settled by the first observation, with all that it was decided by. Each later one has to show
 * the same. In: the intent, cluster and hosts. Out: a view or a refusal; the intent, settled. Pure.
 */
import { commandWords, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { maintenanceWords } from '../base/maintenance-words.ts';
import { stoppedBy } from '../base/stopped-words.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { LastPrimary } from '../observe/former.ts';
import {
  besidePrimary,
  goesOn,
  lastPrimary,
  reaches,
  solePrimary,
  startCommands,
} from '../observe/last-primary.ts';
import { endCommand } from '../observe/maintenance.ts';
import { type HostView, maintainedOf, survey, type View } from '../observe/survey.ts';
import { type DataDirectory, isFinished, leads } from '../resources/data/data-directory.ts';

export interface RecoverIntent {
  readonly kind: 'recover';
  readonly decided?: Decided;
}

/** By the first observation. */
interface Decided {
  readonly primary: string;
  readonly systemIdentifier: string;
  /** Where its data was, and on which timeline. */
  readonly timeline: number;
  readonly position: string;
  readonly lineage?: LastPrimary['lineage'];
  /** Its role is on its way: whoever may become primary, and where the data of each was. */
  readonly heirs: Readonly<Record<string, string>>;
  /** The control file of each server that gave its role away, and is started, too. */
  readonly joins: Readonly<Record<string, string>>;
  /** The control file of each former primary, which nobody may have touched since. */
  readonly formers: Readonly<Record<string, string>>;
  /** A person has stopped all of these, and none of them is to stay down. */
  readonly released: readonly string[];
}

type Hosts = ReadonlyMap<string, HostView>;
type Found = { readonly view: View } | { readonly refused: Diagnostic };

export function recoverSurvey(intent: RecoverIntent, cluster: Cluster, hosts: Hosts): Found {
  const found = findLast(cluster, hosts);
  if ('refused' in found) return found;
  const changed = intent.decided && changedSince(intent.decided, found.view);
  if (changed !== undefined) return { refused: outdatedDecision(changed) };
  const vain = vainWait(settleRecover(intent, cluster, found.view), cluster, found.view);
  return vain ? { refused: vain } : found;
}

/** An heir that the command does not start: the controllers of the others wait for its word, and would do so until the time is over. */
function vainWait(intent: RecoverIntent, cluster: Cluster, view: View): Diagnostic | undefined {
  const { hosts, last, maintained } = view;
  if (!settles(view)) return undefined;
  const heirs = last?.heirs ?? [];
  const stopped = heirs.flatMap((name) => {
    const record = hosts.get(name)?.stopped;
    return record && !recovers(intent, view, name) ? [{ name, words: stoppedBy(record) }] : [];
  });
  const worked = heirs.flatMap((name) => {
    const seen = maintained?.get(name);
    return seen ? [{ name, words: maintenanceWords(seen), end: endCommand(name, seen) }] : [];
  });
  const held = [...stopped, ...worked];
  if (held.length === 0) return undefined;
  return {
    code: stopped.length > 0 ? 'SAF062' : 'SAF015',
    what: held.map(({ name, words }) => `${name} is ${words}`).join('; '),
    why: `the role of ${view.primary} was on its way, and the controllers cannot end that without ${held.map(({ name }) => name).join(', ')}`,
    fix: `When ${held.length === 1 ? 'it' : 'they'} may run again start all controllers, which then end it: ${startCommands(cluster, hosts)}. Behind that: ${[...stopped.map(({ name }) => here`pgduet start ${name}`), ...worked.map(({ end }) => end)].map(commandWords).join('; ')}.`,
  };
}

/** Where the usual survey finds somebody, nothing has to be decided. */
function findLast(cluster: Cluster, hosts: Hosts): Found {
  const found = survey(cluster, hosts);
  // Of data that leads, and that nobody knows to be ours, nothing can be said.
  const strays = cluster.servers.some(({ name }) => isStray(hosts.get(name)?.data));
  const running = cluster.servers.some(
    ({ name }) => leads(hosts.get(name)?.data) && hosts.get(name)?.data?.running,
  );
  if ('view' in found && (running || !strays)) {
    const { view } = found;
    if (running) return { view: { ...view, last: besidePrimary(cluster, hosts, view.primary) } };
    const sole = solePrimary(cluster, hosts, view.primary);
    return 'refused' in sole ? sole : { view: { ...view, last: sole.last } };
  }
  const leaders = cluster.servers.filter(({ name }) => leads(hosts.get(name)?.data));
  const runs = leaders.some(({ name }) => hosts.get(name)?.data?.running);
  if ('refused' in found && (leaders.length < 2 || runs)) return found;
  const decided = lastPrimary(cluster, hosts);
  if ('refused' in decided) return decided;
  const { last } = decided;
  const systemIdentifier = hosts.get(last.primary)?.data?.control?.systemIdentifier ?? '';
  return { view: { hosts, primary: last.primary, systemIdentifier, last, ...maintainedOf(hosts) } };
}

const isStray = (data: DataDirectory | undefined): boolean =>
  isFinished(data) && data?.standbySignal === false && data.recorded === undefined;

export function settleRecover(intent: RecoverIntent, cluster: Cluster, view: View): RecoverIntent {
  if (intent.decided) return intent;
  const { primary, systemIdentifier = '', hosts, last } = view;
  const reached = (name: string) => hosts.get(name)?.data?.control?.reached;
  const formers = last?.formers ?? [];
  const stay = formers.filter(({ joins }) => !joins).map(({ name }) => name);
  const meant = cluster.servers.map(({ name }) => name).filter((name) => !stay.includes(name));
  const all = meant.every((name) => hosts.get(name)?.stopped !== undefined);
  const controls = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, controlOf(hosts.get(name))]));
  return {
    ...intent,
    decided: {
      primary,
      systemIdentifier,
      timeline: reached(primary)?.timeline ?? 0,
      position: reached(primary)?.position ?? '0/0',
      ...(last?.lineage ? { lineage: last.lineage } : {}),
      heirs: Object.fromEntries((last?.heirs ?? []).map((name) => [name, reached(name)?.position ?? '0/0'])),
      joins: controls(formers.filter(({ joins }) => joins).map(({ name }) => name)),
      formers: controls(stay),
      released: meant.filter((name) => name === primary || all),
    },
  };
}

const controlOf = (view: HostView | undefined): string => JSON.stringify(view?.data?.control ?? null);

/** In words; undefined where all is as it was, but that the right one, or one that may have got its role, may run by now. */
function changedSince(decided: Decided, view: View): string | undefined {
  const { primary, hosts } = view;
  const runs = hosts.get(primary)?.data?.running === true;
  const odd = primary === decided.primary ? changedData(decided, view) : oddHeir(decided, view);
  if (odd !== undefined) return odd;
  // Whoever gave its role away is touched once the receiver of the role runs, and not before.
  const still = { ...decided.formers, ...(runs ? {} : decided.joins) };
  const touched = Object.entries(still).find(([name, seen]) => {
    const former = hosts.get(name);
    return former?.data?.running !== false || controlOf(former) !== seen;
  });
  return touched && `${touched[0]}, which was primary before, was started meanwhile`;
}

function changedData(decided: Decided, { primary, hosts }: View): string | undefined {
  const { timeline, position, systemIdentifier } = decided;
  const control = hosts.get(primary)?.data?.control;
  return control?.systemIdentifier !== systemIdentifier ||
    control.reached.timeline !== timeline ||
    !reaches(control, position)
    ? `the data of ${primary} is not what it was`
    : undefined;
}

/** It has got the role that was on its way to it: its history goes through that of the former one, and it has lost nothing that it held. */
function oddHeir({ primary: former, systemIdentifier, lineage, heirs }: Decided, view: View) {
  const { primary, hosts } = view;
  const heir = hosts.get(primary);
  const held = heirs[primary];
  if (heir?.data?.running !== true || held === undefined)
    return `${primary} is primary now, and not ${former}`;
  const isSame = heir.data.control?.systemIdentifier === systemIdentifier;
  return isSame && lineage && goesOn(heir, lineage, held)
    ? undefined
    : `${primary} is primary, and its history does not go on from that of ${former}`;
}

const outdatedDecision = (what: string): Diagnostic => ({
  code: 'SAF090',
  what,
  why: 'what was decided on is not so any more, and another server may hold what was acknowledged',
  fix: 'Nothing more is done. Look who runs (pgduet status), then run the same command again.',
});

/** The command starts this server, or sees that it runs. */
export function recovers(intent: RecoverIntent, { primary, hosts, last }: View, name: string): boolean {
  const { data, stopped } = hosts.get(name) ?? {};
  if (!isFinished(data)) return false;
  if (name === primary) return true;
  const isMeant = data?.standbySignal === true || last?.formers.some((one) => one.name === name && one.joins);
  return isMeant === true && (!stopped || intent.decided?.released.includes(name) === true);
}

/** The controllers end a switch first: whoever they are started on, and it is not known before who follows whom. */
export const settles = ({ primary, hosts, last }: View): boolean =>
  hosts.get(primary)?.data?.running !== true &&
  last !== undefined &&
  (last.heirs.length > 0 || last.formers.some(({ joins }) => joins));
