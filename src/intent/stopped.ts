/**
 * What a server that a person has stopped forbids: to be rebuilt, to be renewed without, to be switched, or to be waited for by its standbys. In: the intent and
 * the view. Out: a refusal, or nothing. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { stoppedBy } from '../base/stopped-words.ts';
import type { View } from '../observe/survey.ts';
import type { Intent } from './intent.ts';
import { means, type StartIntent } from './operating.ts';

export function stoppedObstacle(intent: Intent, view: View): Diagnostic | undefined {
  switch (intent.kind) {
    case 'rebuild':
      return needed(view, [intent.host], 'a rebuild starts it');
    case 'renew':
      return needed(view, [...view.hosts.keys()], 'every server has to learn the new secrets');
    case 'start':
      return withoutPrimary(intent, view);
    case 'switch':
      return forSwitch(intent.to, view);
    case 'recover':
    case 'replace':
    case 'teardown':
    case 'provision':
    case 'migrate':
    case 'failover':
    case 'certificates':
    case 'reload':
    case 'restart':
    case 'stop':
    case 'run':
      return undefined;
  }
}

function needed(view: View, names: readonly string[], why: string): Diagnostic | undefined {
  const name = names.find((one) => view.hosts.get(one)?.stopped !== undefined);
  const record = name === undefined ? undefined : view.hosts.get(name)?.stopped;
  if (name === undefined || record === undefined) return undefined;
  const all = [...view.hosts.values()].every(({ data, stopped }) => !data || stopped);
  return {
    code: 'SAF062',
    what: `${all ? 'the cluster' : name} is not to run: ${stoppedBy(record)}`,
    why,
    ...advised`When it may run again: ${all ? here`pgduet start` : here`pgduet start ${name}`}, then run the same command again.`,
  };
}

/** The primary gives its role away, and a standby takes it. One that a person has started all the same is there. */
function forSwitch(to: string | undefined, view: View): Diagnostic | undefined {
  const down = [...view.hosts]
    .filter(([, { stopped, data }]) => stopped && data?.running === false)
    .map(([name]) => name);
  if (down.includes(view.primary))
    return needed(view, [view.primary], 'it is the primary, and gives its role away');
  const standbys = [...view.hosts]
    .filter(([name, { data }]) => data && name !== view.primary)
    .map(([name]) => name);
  const meant = to === undefined ? standbys : [to];
  return meant.every((name) => down.includes(name))
    ? needed(view, meant, 'it would become primary')
    : undefined;
}

function withoutPrimary(intent: StartIntent, { primary, hosts }: View): Diagnostic | undefined {
  const seen = hosts.get(primary);
  if (means(intent, primary) || seen?.data?.running !== false) return undefined;
  return {
    code: 'SAF064',
    what: `${primary}, which is primary, does not run${seen.stopped ? `: ${stoppedBy(seen.stopped)}` : ''}`,
    why: 'a standby waits for its primary before it starts',
    ...advised`Start the whole cluster (${here`pgduet start`}), or the primary first (${here`pgduet start ${primary}`}). If it is lost for good: see that its host stays off; then, on a standby whose controller runs, mc_ctl start --force-start and mc_ctl switch --force, which says what may be missing.`,
  };
}
