/**
 * What `pgduet recover` means: the server that is started is settled by the first observation, with all that it was decided by. Each later one has to show
 * the same. In: the intent, cluster and hosts. Out: a view or a refusal; the intent, settled. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { besidePrimary, lastPrimary, reaches } from '../observe/last-primary.ts';
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
  return changed === undefined ? found : { refused: outdatedDecision(changed) };
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
    return { view: { ...view, last: besidePrimary(cluster, hosts, view.primary) } };
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
  const reached = hosts.get(primary)?.data?.control?.reached;
  const formers = (last?.formers ?? []).map(({ name }) => name);
  const meant = cluster.servers.map(({ name }) => name).filter((name) => !formers.includes(name));
  const all = meant.every((name) => hosts.get(name)?.stopped !== undefined);
  return {
    ...intent,
    decided: {
      primary,
      systemIdentifier,
      timeline: reached?.timeline ?? 0,
      position: reached?.position ?? '0/0',
      formers: Object.fromEntries(formers.map((name) => [name, controlOf(hosts.get(name))])),
      released: meant.filter((name) => name === primary || all),
    },
  };
}

const controlOf = (view: HostView | undefined): string => JSON.stringify(view?.data?.control ?? null);

/** In words; undefined where all is as it was, but that the right one may run by now. */
function changedSince(decided: Decided, { primary, hosts }: View): string | undefined {
  const { timeline, position, systemIdentifier } = decided;
  if (primary !== decided.primary) return `${primary} is primary now, and not ${decided.primary}`;
  const control = hosts.get(primary)?.data?.control;
  if (
    control?.systemIdentifier !== systemIdentifier ||
    control.reached.timeline !== timeline ||
    !reaches(control, position)
  )
    return `the data of ${primary} is not what it was`;
  const touched = Object.entries(decided.formers).find(([name, seen]) => {
    const view = hosts.get(name);
    return view?.data?.running !== false || controlOf(view) !== seen;
  });
  return touched && `${touched[0]}, which was primary before, was started meanwhile`;
}

const outdatedDecision = (what: string): Diagnostic => ({
  code: 'SAF090',
  what,
  why: 'what was decided on is not so any more, and another server may hold what was acknowledged',
  fix: 'Nothing more is done. Look who runs (pgduet status), then run the same command again.',
});

/** The command starts this server, or sees that it runs. */
export function recovers(intent: RecoverIntent, { primary, hosts }: View, name: string): boolean {
  const { data, stopped } = hosts.get(name) ?? {};
  if (!isFinished(data)) return false;
  if (name === primary) return true;
  return data?.standbySignal === true && (!stopped || intent.decided?.released.includes(name) === true);
}
