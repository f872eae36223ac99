/**
 * Whether the simulation notices that a rule was taken out of the core. In: a bundle without the rule, and seeds to search. Out: what
 * failed. The seed that noticed it when that was last looked up (noticed.json, which `npm run sim -- --mutations` writes) is tried
 * first; when the core has changed so much that it no longer does, the search finds another one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mutation, worldsOf } from './mutations.ts';
import { runSeeds } from './pool.ts';
import type { Found } from './worker.ts';

/** The seed that notices a rule, by its words. */
export type Noticed = Readonly<Record<string, number>>;

export const noticedFile = (root: string): string => join(root, 'test/sim/noticed.json');
export const noticedSeeds = (root: string): Noticed =>
  JSON.parse(readFileSync(noticedFile(root), 'utf8')) as Noticed;

/** So many seeds are searched before a rule counts as not noticed. */
export const seedsForMutation = 60_000;

export interface Search {
  readonly from: number;
  readonly count: number;
}

export async function search(bundle: string, mutation: Mutation, { from, count }: Search): Promise<Found> {
  const { kinds } = mutation;
  return runSeeds(bundle, { from, count, kinds, worlds: worldsOf(mutation), enough: 1 });
}

export async function notice(
  bundle: string,
  mutation: Mutation,
  seeds: Noticed,
  range: Search,
): Promise<Found> {
  const seed = seeds[mutation.rule];
  const known = seed === undefined ? null : await search(bundle, mutation, { from: seed, count: 1 });
  return known !== null && known.failed.length > 0 ? known : search(bundle, mutation, range);
}
