/** Why nobody can say who is primary, and what a person does about it. In: the servers, and what is known of their data. Out: a refusal. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Server } from '../inventory/cluster.ts';
import { type DataDirectory, lacksDirectory } from '../resources/data/data-directory.ts';

export type DataOf = (server: string) => DataDirectory | undefined;

/** What each of them shows, a line for each. */
export function evidence(servers: readonly Server[], dataOf: DataOf): readonly string[] {
  return servers.map(({ name }) => {
    const data = dataOf(name);
    const { state, checkpoint, reached } = data?.control ?? {};
    const whose =
      data?.recorded !== undefined
        ? ''
        : lacksDirectory(data)
          ? ', without its management directory'
          : ', not made by pgduet for this server';
    return `${name}: ${data?.running ? 'running' : 'stopped'}${whose}, ${state ?? 'state unknown'}, timeline ${reached?.timeline ?? '?'}, checkpoint ${checkpoint ?? '?'}`;
  });
}

/** All of them run, or none does. */
export function twoPrimaries(servers: readonly Server[], dataOf: DataOf): Diagnostic {
  const names = servers.map(({ name }) => name).join(' and ');
  const both = servers.length > 2 ? 'all' : 'both';
  const [what, fix] = servers.some(({ name }) => dataOf(name)?.running)
    ? [
        `${names} are ${both} primary`,
        `Stop the clients and keep copies of the data of each. 'mc_ctl status' names the one that holds more of what was acknowledged, as far as that shows; the higher timeline does not tell it. Bring over what only another one holds, stop that one (mc_ctl stop), then: pgduet rebuild.`,
      ]
    : [
        `${names} were ${both} primary, and none of them runs`,
        'Start none of them by hand. `pgduet recover --check` says which one is proven to hold everything that was acknowledged, and what the others alone hold; `pgduet recover` starts that one.',
      ];
  return {
    code: 'SAF003',
    what,
    why: 'each may hold commits that the other lacks; whatever is done next could lose some',
    fix,
    evidence: evidence(servers, dataOf),
  };
}

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

/** Data that leads, and nothing says that it is ours. */
export function unknownPrimary(
  leaders: readonly Server[],
  servers: readonly Server[],
  dataOf: DataOf,
): Diagnostic {
  const words = leaders.map((server) => {
    const data = dataOf(server.name);
    const how = data?.running ? 'runs as primary' : 'was primary, and does not run';
    const { managementDir } = server.multiplexing;
    return lacksDirectory(data)
      ? `${server.name} ${how}, and its management directory ${managementDir} is lost`
      : `${server.name} ${how}, and ${managementDir} does not say that it is of this cluster`;
  });
  const wayBack = leaders.some(({ name }) => lacksDirectory(dataOf(name)))
    ? 'pgduet provision brings the management directory back, or says what is in the way.'
    : 'Bring the management directory back where it was: mount its file system, or move it back.';
  return {
    code: 'SAF004',
    what: 'no server is known to be the primary of this cluster',
    why: words.join('; '),
    fix: `Make no standby primary: ${leaders.map(({ name }) => name).join(', ')} may hold what nobody else has. ${wayBack} Where its controller runs, do not end it.`,
    evidence: evidence(servers, dataOf),
  };
}

export const noPrimary = (servers: readonly Server[], dataOf: DataOf): Diagnostic => ({
  code: 'SAF004',
  what: 'no server is primary, and there are standbys',
  why: 'the primary may have been on a host that is not in the inventory, or its data is gone; a new one would not fit the standbys',
  fix: 'Find the last primary and name it in the inventory. Where it is lost for good, pgduet status shows which standby is ahead; where its controller runs, mc_ctl start --force-start and mc_ctl switch --force make it primary. Then run the same command again.',
  evidence: evidence(servers, dataOf),
});
