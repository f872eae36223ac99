/**
 * The smallest round that still fails: traits and verbs are left out as long as the same rule is broken without them.
 * In: a draw that fails, and how to try one. Out: the smallest that was found. It judges nothing itself.
 */
import type { Draw, Verb } from './draw.ts';

/** Whether a draw fails as the whole one did. */
export type Fails = (draw: Draw) => Promise<boolean>;

export async function reduced(draw: Draw, fails: Fails): Promise<Draw> {
  const fewerTraits = await without(draw, draw.traits, (traits) => ({ ...draw, traits }), fails);
  return without(
    fewerTraits,
    fewerTraits.verbs,
    (verbs) => ({ ...fewerTraits, verbs }),
    async (one) => isOrdered(one.verbs) && (await fails(one)),
  );
}

/** First halves are left out, then one at a time: what is innocent mostly goes at once. */
async function without<Item>(
  draw: Draw,
  all: readonly Item[],
  having: (items: readonly Item[]) => Draw,
  fails: Fails,
): Promise<Draw> {
  let left = all;
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length; ) {
      const fewer = [...left.slice(0, at), ...left.slice(at + size)];
      if (fewer.length < left.length && (await fails(having(fewer)))) left = fewer;
      else at += size;
    }
  }
  return left === all ? draw : having(left);
}

/** What was broken is repaired next: as a person knows it, or as messages advise it. */
function follows(verb: Verb, before: Verb | undefined): boolean {
  if (before === 'fault') return verb === 'rebuild' || verb === 'follow';
  if (before === 'halt') return verb === 'follow';
  return verb !== 'rebuild';
}

/** Nothing can be switched before it is made, and only what has failed is rebuilt. */
export function isOrdered(verbs: readonly Verb[]): boolean {
  const made = verbs.indexOf('make');
  const early: readonly Verb[] = ['validate', 'look'];
  return (
    verbs.length > 0 &&
    verbs.every(
      (verb, at) => early.includes(verb) || (at >= made && made >= 0 && follows(verb, verbs[at - 1])),
    )
  );
}
