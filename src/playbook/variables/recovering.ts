/** The variables of `pgduet recover`: which servers it starts, and what has to be so of those that were primary before. Pure. */
import type { Situation } from '../../intent/intent.ts';
import { leftAlone } from '../../intent/maintenance.ts';
import { recovers, settles } from '../../intent/recover.ts';
import { mayTakeOver } from '../../inventory/cluster.ts';
import { startCommands } from '../../observe/last-primary.ts';
import { type ServerVariables, serverVariables } from './server.ts';

export interface RecoveringVariables {
  /** This server is started. */
  readonly starts: boolean;
  /** It is, and a switch is ended by that. */
  readonly settles: boolean;
  /** Whoever may become primary by that. */
  readonly heirs: readonly string[];
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
  /** This server gave its role away, and is started, too. */
  readonly joins: boolean;
  readonly promise: string;
  readonly commands: string;
}

const nothing: RecoveringVariables = {
  starts: false,
  settles: false,
  heirs: [],
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
  joins: false,
  promise: '',
  commands: '',
};

export function recoveringVariables(situation: Situation, server: string): RecoveringVariables {
  const { intent, cluster, view } = situation;
  if (intent.kind !== 'recover') return nothing;
  const { last, hosts, primary } = view;
  const former = last?.formers.find(({ name }) => name === server);
  const out = leftAlone(intent, view);
  const starts = recovers(intent, view, server);
  const open = settles(view);
  const joins = (name: string) => last?.formers.some((one) => one.name === name && one.joins) === true;
  const ends = open || joins(server);
  return {
    starts: starts && !ends,
    settles: starts && ends,
    heirs: last && last.heirs.length > 0 ? last.heirs : [primary],
    // Who follows whom is known once that is over.
    followers: (open ? [] : cluster.servers)
      .filter((one) => one.name !== primary && mayTakeOver(one) && recovers(intent, view, one.name))
      .filter((one) => !out.includes(one.name) && !joins(one.name))
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
    joins: joins(server),
    promise: former?.promise ?? '',
    commands: startCommands(cluster, hosts),
  };
}
