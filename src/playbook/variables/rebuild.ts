/** The variables of a rebuild. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { rewinds } from '../../intent/rebuild.ts';
import { cidr } from './replication.ts';
import type { ServerVariables } from './server.ts';

export interface RebuildVariables {
  /** As long as the target is a former primary that could be rewound: the primary then lets pg_rewind in from its address. */
  readonly rewinds: boolean;
  readonly user: string;
  readonly address: string;
  readonly copy: boolean;
  readonly keepCopy: string;
}

export function rebuildVariables(situation: Situation, target: ServerVariables): RebuildVariables {
  const asked = situation.intent.kind === 'rebuild' ? situation.intent : undefined;
  return {
    rewinds: rewinds(situation),
    user: 'pgduet_rewind',
    address: cidr(target.logTransferAddress),
    copy: asked?.copy ?? false,
    keepCopy: asked?.keepCopy ?? '',
  };
}
