/**
 * A controller sees that another one does not run, and not why. Where a server has no data yet, or a copy that nobody has finished, its
 * advice to start it cannot work. In: the advice, and what stands on the hosts. Out: an advice that can be followed. Pure.
 */
import type { DataDirectory } from '../resources/data/data-directory.ts';

const isUnmade = ({ making, content }: DataDirectory): boolean =>
  making !== undefined || content !== 'cluster';

/** Clauses are put together by semicolons; the one behind a start says what to do if that fails. */
export function withoutVainStart(
  advice: string,
  dataOf: (server: string) => DataDirectory | undefined,
): string {
  const clauses = advice.split('; ').map((clause) => {
    const id = /\bon (\S+): mc_ctl start\b/.exec(clause)?.[1];
    const data = id === undefined ? undefined : dataOf(id);
    return id !== undefined && data && isUnmade(data) ? howToMake(id, data) : clause;
  });
  return [...new Set(clauses)].join('; ');
}

function howToMake(id: string, { making, content }: DataDirectory): string {
  const state = making === undefined ? `has no data (its directory is ${content})` : 'is not finished';
  const command =
    making === 'erase'
      ? 'pgduet teardown'
      : making === undefined || making === 'initdb'
        ? 'pgduet provision, or migrate where that was begun'
        : 'pgduet rebuild, or provision or migrate where one of them was making it';
  return `${id} ${state}, so that it cannot be started: run the same command again (${command})`;
}
