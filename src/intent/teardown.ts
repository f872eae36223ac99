/** What follows for a teardown from the intent and what is observed: who goes, what has to happen before. Pure. */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { View } from '../observe/survey.ts';
import { isFinished, leads } from '../resources/data/data-directory.ts';
import { type Situation, targetOf } from './intent.ts';

/** This server goes. */
export const drops = (situation: Situation, host: string): boolean =>
  situation.intent.kind === 'teardown' &&
  !situation.intent.controllersOnly &&
  (situation.intent.allData || host !== targetOf(situation));

/** Who holds the data when all is done: what it has too need not be kept elsewhere. Where all of it goes, nobody does. */
export function holder(situation: Situation): string | undefined {
  const { intent, view } = situation;
  if (intent.kind !== 'teardown') return view.primary;
  return intent.allData ? undefined : targetOf(situation);
}

/** The server that stays is not primary yet. */
export const switches = (situation: Situation): boolean =>
  situation.intent.kind === 'teardown' &&
  !situation.intent.allData &&
  targetOf(situation) !== situation.view.primary;

/** The roles change, or have just been changed: the others have to follow before one is stopped. */
export function settles(situation: Situation): boolean {
  const { cluster, view, intent } = situation;
  if (intent.kind !== 'teardown') return false;
  const stopped = (name: string): boolean => view.hosts.get(name)?.data?.running === false;
  return (
    switches(situation) ||
    (intent.moved && cluster.servers.every(({ name }) => name === intent.keep || !stopped(name)))
  );
}

/** The server that stays is down, and no other one can have become primary: all of them are stopped standbys, or gone. */
export function revives(situation: Situation): boolean {
  const { cluster, view, intent } = situation;
  if (intent.kind !== 'teardown' || intent.allData || intent.controllersOnly) return false;
  const kept = targetOf(situation);
  const servers = cluster.servers.map(({ name }) => name);
  const others = servers.filter((name) => name !== kept && view.hosts.has(name));
  const missed = servers.some((name) => view.absent?.has(name));
  return isDown(view, kept) && !missed && others.every((name) => isHarmless(view, name));
}

/** A finished primary of ours that does not run. */
function isDown(view: View, name: string): boolean {
  const data = view.hosts.get(name)?.data;
  return leads(data) && data?.running === false;
}

/** No primary, and none that could become one. */
function isHarmless(view: View, name: string): boolean {
  const data = view.hosts.get(name)?.data;
  if (data === undefined || data.running) return false;
  return !isFinished(data) || data.standbySignal;
}

/** A server that was there before pgduet would pass for one of ours. What its data directory has of the record is no way back by itself. */
export function lostRecord({ hosts }: Pick<View, 'hosts'>): Diagnostic | undefined {
  const name = [...hosts].find(([, { data }]) => data?.recordLost)?.[0];
  if (name === undefined) return undefined;
  return {
    code: 'SAF085',
    what: `${name} was there before pgduet, and the record of what it was then is lost`,
    why: 'without it the server would not be given back as it was, or be deleted as one that pgduet made',
    ...advised`Its data directory has the record once more: ${here`pgduet provision`} brings it back; then run the same command again.`,
    host: name,
  };
}
