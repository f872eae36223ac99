/** `npm run sim -- --exhaustive`: the small worlds one after the other, as long as the time lasts. In: options. Out: text, and whether all was well. */
import { type Searched, search } from './search.ts';
import { describeBounds, pairs, type SmallWorld, trio } from './worlds.ts';

export interface Options {
  readonly servers: number;
  readonly minutes: number;
}

const mostMegabytes = 3000;

/** One line for a person. */
export function describeSearch(world: SmallWorld, found: Searched): string {
  const { moments, depth, moves, decisions, seconds, megabytes, isWhole } = found;
  const end = isWhole ? 'all of it' : 'no further';
  const rate = Math.round(moments / seconds).toLocaleString('en');
  const figures = `${moments.toLocaleString('en')} moments by ${moves.toLocaleString('en')} moves, depth ${depth}, ${end}`;
  const cost = `${decisions.toLocaleString('en')} decisions, ${seconds.toFixed(1)} s, ${rate} moments/s, ${megabytes} MB`;
  return `${world.name} (${describeBounds(world)}): ${figures}; ${found.broken.length} broken; ${cost}`;
}

export function exhaustively({ servers, minutes }: Options, write: (text: string) => void): boolean {
  const worlds = servers === 2 ? pairs : [trio];
  const end = performance.now() + minutes * 60_000;
  let isWell = true;
  for (const world of worlds) {
    const seconds = (end - performance.now()) / 1000;
    if (seconds <= 0) {
      write(`${world.name} (${describeBounds(world)}): the time was over`);
      continue;
    }
    const found = search({ ...world, seconds, megabytes: mostMegabytes });
    for (const line of found.story) write(line);
    for (const broken of found.broken) write(`BROKEN ${broken}`);
    write(describeSearch(world, found));
    isWell &&= found.broken.length === 0;
  }
  return isWell;
}
