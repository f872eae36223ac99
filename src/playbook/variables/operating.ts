/** The variables of the verbs that an operator has for servers that are there. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { isOperating, means } from '../../intent/operating.ts';

export interface OperatingVariables {
  /** The command is about this server. */
  readonly means: boolean;
  /** When it had read its files, or was started, as the first observation has shown it; empty where that does not matter. */
  readonly since: string;
  /** The primary gives its role to the target first. */
  readonly switches: boolean;
  /** The command is about a standby. */
  readonly standbys: boolean;
}

export function operatingVariables({ intent, cluster, view }: Situation, server: string): OperatingVariables {
  if (!isOperating(intent)) return { means: false, since: '', switches: false, standbys: false };
  return {
    means: means(intent, server),
    since: intent.found?.[server] ?? '',
    switches: intent.kind === 'restart' && intent.to !== undefined,
    standbys: cluster.servers.some(({ name }) => name !== view.primary && means(intent, name)),
  };
}
