/** The variables of the verbs that an operator has for servers that are there. Pure. */

import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import { isOperating, means, meant, type OperatingIntent } from '../../intent/operating.ts';
import { mayTakeOver } from '../../inventory/cluster.ts';
import { type ServerVariables, serverVariables } from './server.ts';

export interface OperatingVariables {
  /** The command is about this server. */
  readonly means: boolean;
  /** When it had read its files, or was started, as the first observation has shown it; empty where that does not matter. */
  readonly since: string;
  /** Standbys that were in sync then. */
  readonly inSync: readonly string[];
  /** The primary gives its role to the target first. */
  readonly switches: boolean;
  /** The command is about a standby. */
  readonly standbys: boolean;
  /** All servers that it is about, and whether these are all that there are. */
  readonly names: readonly string[];
  readonly all: boolean;
  /** Who has asked for it. */
  readonly by: string;
  /** Behind a start: this server runs; and the standbys that do, and that commits wait for. */
  readonly runs: boolean;
  readonly followers: readonly ServerVariables[];
}

const nothing: OperatingVariables = {
  means: false,
  since: '',
  inSync: [],
  switches: false,
  standbys: false,
  names: [],
  all: false,
  by: '',
  runs: false,
  followers: [],
};

export function operatingVariables(situation: Situation, server: string): OperatingVariables {
  const { intent, cluster, view } = situation;
  if (!isOperating(intent)) return nothing;
  const names = meant(intent, cluster);
  const out = leftAlone(intent, view);
  const runs = (name: string): boolean =>
    names.includes(name) || view.hosts.get(name)?.data?.running === true;
  return {
    means: means(intent, server),
    since: ('found' in intent ? intent.found?.[server] : undefined) ?? '',
    inSync: inSyncOf(intent, view.primary),
    switches: 'to' in intent && intent.to !== undefined,
    standbys: names.some((name) => name !== view.primary),
    names,
    all: names.length === cluster.servers.length,
    by: byOf(intent),
    runs: runs(server),
    followers: cluster.servers
      .filter((one) => one.name !== view.primary && mayTakeOver(one) && runs(one.name))
      .filter((one) => !out.includes(one.name))
      .map((one) => serverVariables(one, view)),
  };
}

/** Whoever has become primary since is in sync with nobody. */
const inSyncOf = (intent: OperatingIntent, primary: string): readonly string[] =>
  intent.kind === 'restart' ? (intent.inSync ?? []).filter((name) => name !== primary) : [];

const byOf = (intent: OperatingIntent): string => (intent.kind === 'stop' ? intent.by : '');
