/**
 * The host of a standby is a new one: what follows from that, and why nothing may begin (ADR 22). In: the intent and the view. Out: how far the
 * replacement has come, and refusals. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { isNew, newMembers } from '../observe/newcomers.ts';
import type { View } from '../observe/survey.ts';
import { isFinished } from '../resources/data/data-directory.ts';
import type { Intent } from './intent.ts';

export interface ReplaceIntent {
  readonly kind: 'replace';
  /** The server whose host is a new one. */
  readonly host: string;
  /** Who asks, and who has it in maintenance where that is somebody else; empty where nothing is said. */
  readonly by: string;
  readonly of: string;
  /** What the standbys log in with from now on, where the inventory gives nothing. */
  readonly password: Secret;
  /**
   * What the first observation has found. new: the former host is locked out first. entered: it is, and the new one takes its place.
   * known: it is no new host.
   */
  readonly stage?: 'new' | 'entered' | 'known';
}

export function settleReplace(intent: ReplaceIntent, view: View): ReplaceIntent {
  if (intent.stage) return intent;
  return { ...intent, stage: isNew(view.hosts.get(intent.host)) ? 'new' : 'known' };
}

/** The password that this run brings. */
export const broughtPassword = (intent: Intent): Secret | undefined =>
  intent.kind === 'replace' && (intent.stage === 'new' || intent.stage === 'entered')
    ? intent.password
    : undefined;

/** Looked at until the new host has entered; from then on the primary may count on it. */
export function replaceObstacles(
  { intent, intended }: { readonly intent: Intent; readonly intended: Intent },
  cluster: Cluster,
  view: View,
): readonly Diagnostic[] {
  if (intent.kind === 'provision') return newHosts(cluster, view);
  if (intent.kind !== 'replace' || intent.stage === 'entered') return [];
  const found = isPrimary(intent, view) ?? (intent.stage === 'known' ? undefined : isCounted(intent, view));
  // What this run does to a server that is known may stop it for a moment.
  const isFirst = intent !== intended;
  const known = intent.stage === 'known' && isFirst ? isKnown(intent, view) : undefined;
  return [found ?? known ?? []].flat();
}

function isPrimary({ host }: ReplaceIntent, view: View): Diagnostic | undefined {
  if (host !== view.primary) return undefined;
  return {
    code: 'SAF070',
    what: `${host} is the primary`,
    why: 'only a standby is replaced: it gets its data from the primary',
    ...advised`If it runs, make a standby primary first: ${here`pgduet switch`}; then run the same command again. If it is lost, a standby takes over: ${here`pgduet status`} says who is primary.`,
    host,
  };
}

/** A standby that runs is what a replacement ends with. */
function isKnown({ host }: ReplaceIntent, view: View): Diagnostic | undefined {
  const data = view.hosts.get(host)?.data;
  const follows =
    isFinished(data) &&
    data?.running === true &&
    data.standbySignal &&
    data.control?.systemIdentifier === view.systemIdentifier;
  if (follows) return undefined;
  return {
    code: 'SAF072',
    what: `the host of ${host} is no new one: a server of the cluster has run there, and does not follow the primary now`,
    why: 'what its controller remembers may be older than what it has promised elsewhere; with a copy of its disk there would be two of it',
    ...advised`If it is the host that it was: ${here`pgduet provision`}, or ${here`pgduet rebuild ${host}`}. If it is another one with the disk of the former host, or a copy: remove the data directory and the management directory of ${host} there, then run the same command again.`,
    host,
  };
}

/** The primary would take what the new host says for the word of the former one. */
function isCounted({ host }: ReplaceIntent, view: View): Diagnostic | undefined {
  const record = view.hosts.get(view.primary)?.record;
  const is = (names: readonly string[]): boolean => names.includes(host);
  const counted = (): string | undefined => {
    if (!record || record.primary !== view.primary)
      return `what ${view.primary}, the primary, has promised is not known: its controller has not written it down, or its file cannot be read`;
    if (is(record.believers))
      return `the former ${host} may believe that it may take over from ${view.primary}`;
    return is(record.voters) ? `commits on ${view.primary} still wait for ${host}` : undefined;
  };
  const what = counted();
  if (what === undefined) return undefined;
  return {
    code: 'SAF071',
    what,
    why: 'the new host would answer in its name, and if the former one is only cut off, both could become primary',
    ...advised`Make sure that the former host is off. The primary then leaves it out by itself in a moment, as far as ${here`pgduet status`} shows no reason against it (a register that does not answer, automatic switching that is off, on_heartbeat_loss: message); else ${here`pgduet detach ${host} --alone`} leaves it out on your word. Then run the same command again.`,
    host: view.primary,
  };
}

/** A new host in the place of a member: the former one has the key of the cluster, and would be heard under the same name. */
function newHosts(cluster: Cluster, view: View): readonly Diagnostic[] {
  return newMembers(cluster, view).map((name) => ({
    code: 'SAF073',
    what: `the host of ${name} is new, and ${view.primary} has had a standby of that name`,
    why: 'if the former host comes back it has the key of the cluster, is taken for the new one, and both could become primary',
    ...advised`${here`pgduet replace ${name}`} locks the former host out, and makes the new one a standby.`,
    host: name,
  }));
}
