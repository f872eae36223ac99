/**
 * A controller sees that another one does not run, and not why. In: its advice, and what stands on the hosts. Out: an advice that can be
 * followed. Pure.
 */
import { howToMake, withoutVainStart as withWayOf } from '../base/vain-start.ts';
import type { DataDirectory } from '../resources/data/data-directory.ts';

const isUnmade = ({ making, content }: DataDirectory): boolean =>
  making !== undefined || content !== 'cluster';

export function withoutVainStart(
  advice: string,
  dataOf: (server: string) => DataDirectory | undefined,
): string {
  return withWayOf(advice, (id) => {
    const data = dataOf(id);
    return data && isUnmade(data) ? howToMake(id, data.making, data.content) : undefined;
  });
}
