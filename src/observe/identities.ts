/** What the survey sees of the keys by which the controllers prove who they are (ADR 30). Pure. */
import { identitiesFile, type Publics, parseIdentities } from '../base/identities.ts';
import { quote } from '../base/shell.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import {
  type IdentityPlace,
  identityProbe,
  readerOf,
  readIdentity,
} from '../resources/controller/identity-look.ts';

export interface IdentitiesSeen {
  /** The public part of the key of this server, or of the arbiter. */
  readonly identity?: string;
  /** Those of all, as its file has them. */
  readonly identities?: Publics;
}

interface IdentityProbes {
  readonly identity: Probe;
  readonly identities: Probe;
}

export const identityProbes = ({ multiplexing: { managementDir } }: Server): IdentityProbes =>
  probesAt({ managementDir });

/** On the host of an arbiter, which carries no server. */
export const arbiterProbes = ({ name, arbiter }: Cluster): Partial<IdentityProbes> =>
  arbiter ? probesAt({ managementDir: `${arbiter.managementDir}/clusters/${name}`, isArbiter: true }) : {};

function probesAt(place: IdentityPlace): IdentityProbes {
  const path = quote(`${place.managementDir}/${identitiesFile}`);
  return {
    identity: identityProbe(place),
    identities: { shell: `if [ -f ${path} ]; then ${readerOf(place)} ${path}; fi` },
  };
}

export function readIdentitiesSeen(replies: {
  readonly identity?: ProbeReply | undefined;
  readonly identities?: ProbeReply | undefined;
}): IdentitiesSeen {
  const identity = replies.identity && readIdentity(replies.identity);
  const identities = parseIdentities(replies.identities?.stdout ?? '');
  return {
    ...(identity?.state === 'present' && identity.value.public ? { identity: identity.value.public } : {}),
    ...(identities ? { identities } : {}),
  };
}
