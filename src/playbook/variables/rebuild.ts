/** The variables of a rebuild. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { rewinds } from '../../intent/rebuild.ts';
import { addressesFor, cidr } from './replication.ts';
import type { ServerVariables } from './server.ts';

export interface RebuildVariables {
  /** As long as the target is a former primary that could be rewound: the primary then lets pg_rewind in from its address. */
  readonly rewinds: boolean;
  readonly user: string;
  readonly address: string;
  /** As pg_hba.conf of this host knows the target. */
  readonly addresses: readonly string[];
  readonly copy: boolean;
  readonly keepCopy: string;
}

export function rebuildVariables(
  situation: Situation,
  target: ServerVariables,
  host: string,
): RebuildVariables {
  const asked = situation.intent.kind === 'rebuild' ? situation.intent : undefined;
  return {
    rewinds: rewinds(situation),
    user: 'pgduet_rewind',
    address: cidr(target.logTransferAddress),
    addresses: addressesFor(target.logTransferAddress, host, situation.view),
    copy: asked?.copy ?? false,
    keepCopy: asked?.keepCopy ?? '',
  };
}
