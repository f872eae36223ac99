/** What the survey sees of the keys by which the controllers prove who they are (ADR 30). Pure. */
import { identitiesFile, type Publics, parseIdentities } from '../base/identities.ts';
import { quote } from '../base/shell.ts';
import type { Server } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { identityProbe, readIdentity } from '../resources/controller/identity-look.ts';

export interface IdentitiesSeen {
  /** The public part of the key of this server. */
  readonly identity?: string;
  /** Those of all servers, as its file has them. */
  readonly identities?: Publics;
}

export function identityProbes({ multiplexing }: Server): {
  readonly identity: Probe;
  readonly identities: Probe;
} {
  const path = quote(`${multiplexing.managementDir}/${identitiesFile}`);
  return {
    identity: identityProbe(multiplexing),
    identities: { shell: `if [ -f ${path} ]; then text_of ${path}; fi` },
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
