/** The variables of `pgduet recover`: which servers it starts, and what has to be so of those that were primary before. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import { recovers } from '../../intent/recover.ts';
import { mayTakeOver } from '../../inventory/cluster.ts';
import { startCommands } from '../../observe/last-primary.ts';
import { type ServerVariables, serverVariables } from './server.ts';

export interface RecoveringVariables {
  /** This server is started. */
  readonly starts: boolean;
  /** Standbys that are, too, and that commits wait for. */
  readonly followers: readonly ServerVariables[];
  /** This server was primary before, and stays as it is. */
  readonly former: boolean;
  /** Any server was. */
  readonly formers: boolean;
  /** The primary does not run yet. */
  readonly decides: boolean;
  readonly timeline: string;
  readonly history: string;
  readonly fork: string;
  readonly restless: string;
  readonly successor: string;
  readonly unproven: string;
  readonly promise: string;
  readonly commands: string;
}

const nothing: RecoveringVariables = {
  starts: false,
  followers: [],
  former: false,
  formers: false,
  decides: false,
  timeline: '',
  history: '',
  fork: '',
  restless: '',
  successor: '',
  unproven: '',
  promise: '',
  commands: '',
};

export function recoveringVariables(situation: Situation, server: string): RecoveringVariables {
  const { intent, cluster, view } = situation;
  if (intent.kind !== 'recover') return nothing;
  const { last, hosts, primary } = view;
  const former = last?.formers.find(({ name }) => name === server);
  const out = leftAlone(intent, view);
  return {
    starts: recovers(intent, view, server),
    followers: cluster.servers
      .filter((one) => one.name !== primary && mayTakeOver(one) && recovers(intent, view, one.name))
      .filter((one) => !out.includes(one.name))
      .map((one) => serverVariables(one, view)),
    former: former !== undefined,
    formers: (last?.formers ?? []).length > 0,
    decides: hosts.get(primary)?.data?.running !== true,
    timeline: String(last?.lineage?.timeline ?? 0),
    history: (last?.lineage?.left ?? []).map(({ timeline, at }) => `${timeline} ${at}`).join(', '),
    fork: former?.fork ?? '',
    restless: former?.restless ?? '',
    successor: former?.successor ?? '',
    unproven: former?.unproven ?? '',
    promise: former?.promise ?? '',
    commands: startCommands(cluster, hosts),
  };
}
