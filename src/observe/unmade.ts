/**
 * A controller sees that another one does not run, and not why. Where a server has no data yet, or a copy that nobody has finished, its
 * advice to start it cannot work; where a person works on it, it must not be followed. In: the advice, and what stands on the hosts. Out: an
 * advice that can be followed. Pure.
 */
import type { DataDirectory } from '../resources/data/data-directory.ts';
import { endCommand } from './maintenance.ts';

const isUnmade = ({ making, content }: DataDirectory): boolean =>
  making !== undefined || content !== 'cluster';

/** Clauses are put together by semicolons; the one behind a start says what to do if that fails. */
export function withoutVainStart(
  advice: string,
  dataOf: (server: string) => DataDirectory | undefined,
  isMaintained: (server: string) => boolean = () => false,
): string {
  const clauses = advice.split('; ').map((clause) => {
    const out = broughtBack(clause);
    if (out !== undefined && isMaintained(out)) return `when the work is done: ${endCommand(out).run}`;
    const id = /\bon (\S+): mc_ctl start\b/.exec(clause)?.[1];
    const data = id === undefined ? undefined : dataOf(id);
    return id !== undefined && data && isUnmade(data) ? howToMake(id, data) : clause;
  });
  return [...new Set(clauses)].join('; ');
}

/** The last way, where a primary is lost for good, is for a server in maintenance, too. */
const broughtBack = (clause: string): string | undefined => {
  const [, started, rebuilt] =
    /\bon (\S+): mc_ctl start\b(?! --force-start)|\bpgduet rebuild ([\w.-]*\w)/.exec(clause) ?? [];
  return started ?? rebuilt;
};

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
