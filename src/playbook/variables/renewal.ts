/** The variables of a renewal of the secrets: how far it has come, and the marks of the keys. The values themselves are secrets. Pure. */
import { clusterMark } from '../../controller/config-arbiter-key.ts';
import type { Situation } from '../../intent/intent.ts';
import { isTurned } from '../../intent/renew.ts';

/** False and empty for every other command. */
export interface RenewalVariables {
  /** Not all servers use the new values yet: both are to be known everywhere. */
  readonly open: boolean;
  readonly key: boolean;
  readonly password: boolean;
  /** Marks of the cluster keys: of the one that comes, and of those that are to be heard at this stage. */
  readonly speaks: string;
  readonly hears: readonly string[];
}

const none: RenewalVariables = { open: false, key: false, password: false, speaks: '', hears: [] };

export function renewalVariables({ cluster, view, intent }: Situation): RenewalVariables {
  if (intent.kind !== 'renew' || !intent.renewal) return none;
  const { key, password } = intent.renewal;
  const open = !isTurned(cluster, view, intent.renewal);
  const speaks = key ? clusterMark(key.to) : '';
  return {
    open,
    key: key !== undefined,
    password: password !== undefined,
    speaks,
    hears: key ? [...(open ? [clusterMark(key.from)] : []), speaks] : [],
  };
}
