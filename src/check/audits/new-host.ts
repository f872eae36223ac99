/** A host that is new, in the place of a server that the cluster has had: the former host is not locked out. Pure. */
import { newMembers } from '../../observe/newcomers.ts';
import { roleProbe } from '../../observe/survey.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import { readDataDirectory } from '../../resources/data/data-directory.ts';
import type { Audit } from '../audit.ts';

export const newHost: Audit<true> = {
  name: 'new hosts',
  probe: roleProbe,
  read: (reply) =>
    readDataDirectory(reply) ? present(true) : unknown('the data directory could not be looked at'),
  judge: ({ cluster, view, primary }, seen) =>
    primary === undefined
      ? []
      : newMembers(cluster, view)
          .filter((name) => seen.has(name))
          .map((name) => ({
            code: 'CTL014',
            host: name,
            object: name,
            declared: `a standby of ${primary}`,
            found: `nothing of it, and ${primary} has had a standby of that name`,
          })),
};
