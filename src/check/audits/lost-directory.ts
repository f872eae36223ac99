/** A management directory that is lost, or on a file system that is not mounted: who vouches for the data, and what brings it back. Pure. */
import { lostObstacle, lostServers } from '../../observe/lost-ways.ts';
import { roleProbe } from '../../observe/survey.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import { readDataDirectory } from '../../resources/data/data-directory.ts';
import type { Audit } from '../audit.ts';

export const lostDirectory: Audit<true> = {
  name: 'management directories',
  probe: roleProbe,
  read: (reply) =>
    readDataDirectory(reply) ? present(true) : unknown('the data directory could not be looked at'),
  judge: ({ cluster, view }) =>
    lostServers(cluster, view.hosts).map((server) => {
      const { name, multiplexing } = server;
      const by = view.vouched?.get(name)?.by;
      const obstacle = lostObstacle(cluster, view.hosts, server);
      const words = by === undefined ? 'nobody vouches for it' : `${by} vouches for it`;
      return {
        code: 'CTL016',
        host: name,
        object: name,
        declared: multiplexing.managementDir,
        found: view.hosts.get(name)?.data?.directoryAway ?? `nothing that says whose data it has; ${words}`,
        ...(obstacle ? { repair: obstacle.fix, commands: obstacle.commands ?? [] } : {}),
      };
    }),
};
