/**
 * A role that was on its way when the servers went down, as the records of their controllers say it: which takeover counts as one that was made, and who
 * may become primary where the controllers have to end it. In: a leader, and standbys. Out: plain answers. Pure. docs/adr/0026-all-servers-down.md has the rule.
 */
import { isSameLineage, type Lineage } from '../postgres/lineage.ts';
import type { ControllerRecord } from './record.ts';
import type { HostView } from './survey.ts';

/** A server with what the decision needs of it. */
export interface Known {
  readonly name: string;
  readonly lineage: Lineage;
  readonly view: HostView;
}

/**
 * The promise of a leader about its own timeline, as its controller will know it. A takeover that was promoted and not written down is
 * written down first when the controller starts: nobody may take over from it, and it is in the term that it has won.
 */
export function ownPromise({ name, lineage, view: { record } }: Known): ControllerRecord | undefined {
  if (!record?.whole) return undefined;
  const { takeover, seen, primary, timeline, term, won } = record;
  if (!takeover) return primary === name && timeline === lineage.timeline ? record : undefined;
  // What a standby has seen of its own timeline lags behind the promise by which it takes over (`begunTimeline` of the core).
  const before = takeover.kind === 'force' ? seen : Math.max(seen, timeline);
  const isMade = takeover.stage === 'promote' && before + 1 === lineage.timeline && takeover.from === primary;
  if (!isMade || primary === name) return undefined;
  const nobody = { voters: [], needed: 0, eligible: [], believers: [] };
  const first = { primary: name, timeline: lineage.timeline, term: won === term ? term + 1 : term };
  return { ...record, ...first, ...nobody };
}

/** Whoever may become primary, or why that cannot be told; nobody where no role is on its way. */
type Heirs = { readonly heirs: readonly string[] } | { readonly why: string };

/**
 * The data of its receiver says that it is a standby still, so that only the controllers know whether it takes the role: they end the switch, or take
 * it back. Where they could meet a takeover that is none of that switch nothing is started.
 */
export function heirsOf(leader: Known, standbys: readonly Known[]): Heirs {
  const takers = standbys.filter(({ view }) => view.record?.takeover);
  const given = leader.view.record?.handover?.to;
  if (takers.length === 0 && given === undefined) return { heirs: [] };
  const [taker] = takers;
  if (takers.length > 1)
    return { why: `${takers.map(({ name }) => name).join(' and ')} were taking over at once` };
  const strange = taker && strangeness(leader, taker);
  if (strange !== undefined) return { why: strange };
  const promise = ownPromise(leader);
  if (!promise || promise.takeover) return { why: `${leader.name}: its record is not its own promise` };
  if (given !== undefined && !standbys.some(({ name }) => name === given))
    return { why: `${leader.name}: it has given its role to ${given || 'nobody knows whom'}` };
  if (given !== undefined && taker && taker.name !== given)
    return { why: `${leader.name} has given its role to ${given}, and ${taker.name} was taking over` };
  const able = [
    ...promise.believers,
    ...(given === undefined ? [] : [given]),
    ...(taker ? [taker.name] : []),
  ];
  return {
    heirs: [leader.name, ...standbys.map(({ name }) => name).filter((name) => able.includes(name))],
  };
}

/** A takeover that its controller could go on with beside the leader, or that is none from it. */
function strangeness(leader: Known, { name, lineage, view: { record } }: Known): string | undefined {
  const { from, kind } = record?.takeover ?? {};
  if (!record?.whole) return `${name}: the record of its controller is torn`;
  if (from !== leader.name) return `${name}: its record names a takeover from ${from || 'nobody knows whom'}`;
  if (kind !== 'handover' && kind !== 'silence') return `${name}: a person has ordered its takeover`;
  return isSameLineage(lineage, leader.lineage)
    ? undefined
    : `${name}: it was taking over from ${leader.name}, and is on another timeline`;
}
