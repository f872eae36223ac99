/**
 * A controller sees that another one does not run, and not why. Where a server has no data yet, a copy that nobody has finished, or no management
 * directory any more, its advice to start it cannot work; where a person works on it, or has stopped it, it must not be followed. In: the advice,
 * and what stands on the hosts. Out: an advice that can be followed. Pure.
 */
import { here } from '../base/command.ts';
import { howToMake, withoutVainStart as withWayOf } from '../base/vain-start.ts';
import { type DataDirectory, lacksDirectory } from '../resources/data/data-directory.ts';
import { endCommand } from './maintenance.ts';

const isUnmade = ({ making, content }: DataDirectory): boolean =>
  making !== undefined || content !== 'cluster';

export function withoutVainStart(
  advice: string,
  dataOf: (server: string) => DataDirectory | undefined,
  isMaintained: (server: string) => boolean = () => false,
  isStopped: (server: string) => boolean = () => false,
): string {
  const kept = advice.split('; ').map((clause) => {
    const out = broughtBack(clause);
    if (out === undefined) return clause;
    if (lacksDirectory(dataOf(out)))
      return `${here`pgduet check`.run} says how the management directory of ${out} comes back`;
    if (isMaintained(out)) return `when the work is done: ${endCommand(out).run}`;
    return isStopped(out) ? `when it may run again: ${here`pgduet start ${out}`.run}` : clause;
  });
  return withWayOf(kept.join('; '), (id) => {
    const data = dataOf(id);
    return data && isUnmade(data) ? howToMake(id, data.making, data.content) : undefined;
  });
}

/** The last way, where a primary is lost for good, is for a server in maintenance, too. */
const broughtBack = (clause: string): string | undefined => {
  const [, started, rebuilt] =
    /\bon (\S+): mc_ctl start\b(?! --force-start)|\bpgduet rebuild ([\w.-]*\w)/.exec(clause) ?? [];
  return started ?? rebuilt;
};
