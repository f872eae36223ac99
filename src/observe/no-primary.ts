/** Why nobody can say who is primary: two lead, or none does, and what was seen of each. In: servers and their data. Out: a refusal. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Server } from '../inventory/cluster.ts';
import type { DataDirectory } from '../resources/data/data-directory.ts';

type DataOf = (server: Server) => DataDirectory | undefined;

/** What each of them shows, a line for each. */
export function evidence(servers: readonly Server[], dataOf: DataOf): readonly string[] {
  return servers.map((server) => {
    const data = dataOf(server);
    const { state, checkpoint, reached } = data?.control ?? {};
    const whose = data?.recorded === undefined ? ', not made by pgduet for this server' : '';
    return `${server.name}: ${data?.running ? 'running' : 'stopped'}${whose}, ${state ?? 'state unknown'}, timeline ${reached?.timeline ?? '?'}, checkpoint ${checkpoint ?? '?'}`;
  });
}

export const twoPrimaries = (servers: readonly Server[], dataOf: DataOf): Diagnostic => ({
  code: 'SAF003',
  what: `${servers.map(({ name }) => name).join(' and ')} are both primary`,
  why: 'each may hold commits that the other lacks; whatever is done next could lose some',
  fix: `Stop the clients and keep copies of the data of both. 'mc_ctl status' names the one that holds more of what was acknowledged, as far as that shows; the higher timeline does not tell it. Bring over what only the other one holds, stop that one (mc_ctl stop), then: pgduet rebuild. Where none of them runs, pgduet recover starts the one that is proven to hold everything.`,
  evidence: evidence(servers, dataOf),
});

/** Hosts that were not reached are `away`; `more` is known of the others. */
export const unseenPrimary = (away: readonly string[], more?: string): Diagnostic => {
  const names = away.join(', ');
  return {
    code: 'SAF004',
    what: `no server that can be reached is primary, and ${names} cannot be reached`,
    why: `the primary may be ${names}${more === undefined ? '' : `; ${more}`}`,
    fix: `Make ${names} reachable, then run the same command again. Where it is lost for good, 'mc_ctl status' on a standby says what is left to do.`,
  };
};

export const noPrimary = (servers: readonly Server[], dataOf: DataOf): Diagnostic => ({
  code: 'SAF004',
  what: 'no server is primary, and there are standbys',
  why: 'the primary may have been on a host that is not in the inventory, or its data is gone; a new one would not fit the standbys',
  fix: 'Find the last primary and name it in the inventory, or promote the standby that is ahead (mc_ctl switch), then run the same command again.',
  evidence: evidence(servers, dataOf),
});
