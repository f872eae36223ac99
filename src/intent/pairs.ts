/**
 * What a teardown may not do to a pair that was there before pgduet, and which roles its servers come back in. In: the intent and the view. Out: a
 * refusal, or nothing; a name. Pure.
 */
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import type { View } from '../observe/survey.ts';
import { isFinished } from '../resources/data/data-directory.ts';
import type { TeardownIntent } from './intent.ts';

/** Its record says that it was one of a pair. */
export const isOfPair = ({ hosts }: Pick<View, 'hosts'>, name: string): boolean =>
  ['primary', 'standby'].includes(hosts.get(name)?.data?.before ?? '');

/** A standby that runs, and that pgduet has neither made nor recorded: a migration of a pair may not have come to it. */
function isForeign({ hosts }: Pick<View, 'hosts'>, name: string): boolean {
  const data = hosts.get(name)?.data;
  return (
    data !== undefined &&
    isFinished(data) &&
    data.running &&
    data.standbySignal &&
    data.recorded === undefined
  );
}

/** Who was primary of the pair: in the roles that the records say it comes back. */
export const formerPrimary = ({ hosts }: Pick<View, 'hosts'>): string | undefined =>
  [...hosts].find(([, { data }]) => data?.before === 'primary')?.[0];

export function pairObstacle(intent: TeardownIntent, view: View): Diagnostic | undefined {
  const names = [...view.hosts.keys()];
  if (intent.keepData) return undefined;
  if (!intent.controllersOnly) {
    const kept = intent.allData ? undefined : (intent.keep ?? view.primary);
    const goes = names.find((name) => name !== kept && (isOfPair(view, name) || isForeign(view, name)));
    return goes === undefined ? undefined : wasThereBefore(goes);
  }
  const pair = names.filter((name) => isOfPair(view, name));
  if (pair.length === 0) return undefined;
  const made = names.filter(
    (name) => !pair.includes(name) && view.hosts.get(name)?.data?.recorded !== undefined,
  );
  const [first] = made;
  return first === undefined ? undefined : notOfPair(first, pair);
}

const wasThereBefore = (name: string): Diagnostic => ({
  code: 'SAF081',
  what: `${name} was one of a pair before pgduet, and its data would be deleted`,
  why: 'pgduet has not made it; what it holds, and how it was set up, belongs to whoever did',
  ...advised`Give the pair back as it was: ${here`pgduet teardown --controllers-only`}; or leave its data where it is: --keep-data.`,
  host: name,
});

const notOfPair = (name: string, pair: readonly string[]): Diagnostic => ({
  code: 'SAF082',
  what: `the pair cannot be given back as it was: ${name} has no record of what it was`,
  why: `${pair.join(' and ')} ${pair.length > 1 ? 'come' : 'comes'} back with files that know nothing of the role by which ${name} replicates; it was copied by pgduet, or its record is lost`,
  fix: `Where ${name} was one of the pair: bring <management_dir>/${name}.before.json back from a backup. Where pgduet has copied it: take it out first (stop it, remove it from the inventory, pgduet provision), then run the same command again.`,
  host: name,
});
