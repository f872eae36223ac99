/**
 * The slots that standbys stream through, and the list of those that logical walsenders wait for (PostgreSQL 17), so that the logical
 * slots of a primary go on behind a switch. A primary keeps WAL and consumers for a standby only as long as commits wait for it. A
 * standby keeps nothing for others. In: a state. Out: what to do about slots. Pure. docs/adr/0019-slots-that-fail-over.md
 */
import { isStandbySlot, standbySlotName } from '../../postgres/replication-names.ts';
import { parseNames } from '../../postgres/standby-names.ts';
import type { SlotWork } from './action.ts';
import { type Decision, decided, log } from './decision.ts';
import { lsnValue, sameIds } from './names.ts';
import { isHeard, isInCharge } from './servers.ts';
import { given, type State } from './state.ts';
import type { FailoverSlot, ServerId, SlotReport, StandbySlot } from './view.ts';

const retryAfterMs = 5000;
/** An answer of the instance that was on its way meanwhile shows the slots as they were. */
const settleMs = 1000;

export function advanceSlots(state: State): Decision {
  const slots = state.own.report?.slots;
  const { slotting } = state;
  if (!slots || slotting?.stage === 'doing' || isBusy(state)) return decided(state);
  const pauseMs = slotting?.stage === 'failed' ? retryAfterMs : settleMs;
  if (slotting && state.now - slotting.at < pauseMs) return decided(state);
  const to = state.own.role === 'primary' ? workOfPrimary(state, slots) : workOfStandby(state, slots);
  if (!to || isNothing(to)) return decided(slotting ? { ...state, slotting: null } : state);
  return decided(
    { ...state, slotting: { stage: 'doing', at: state.now, why: slotting?.why ?? null } },
    ...tell(state, slots, to),
    { kind: 'set-slots', to },
  );
}

/** While roles or names change, they are whose slots nobody knows yet. */
const isBusy = (state: State): boolean =>
  state.own.phase !== 'running' ||
  state.stop !== null ||
  state.ending !== null ||
  state.takeover !== null ||
  state.yield !== null ||
  given(state) !== null ||
  (state.change !== null && state.change.stage !== 'failed');

const isNothing = ({ waitFor, make, renew, drop }: SlotWork): boolean =>
  waitFor === undefined && make.length + renew.length + drop.length === 0;

const slotOf = ({ standbys }: SlotReport, id: ServerId): StandbySlot | undefined =>
  standbys.find(({ name }) => name === standbySlotName(id));

/** Whether the list has the slot of this server. */
const isListed = ({ waitedFor }: SlotReport, id: ServerId): boolean =>
  parseNames(waitedFor).ids.includes(standbySlotName(id));

function workOfPrimary(state: State, slots: SlotReport): SlotWork | undefined {
  const { sync } = state;
  if (!sync || !isInCharge(state)) return undefined;
  const ids = Object.keys(state.peers);
  const unused = slots.standbys.filter(({ active }) => !active);
  if (!slots.wanted)
    return { ...listed(slots, []), make: [], renew: [], drop: unused.map(({ name }) => name) };
  const ours = ids.map(standbySlotName);
  const spare = ids.filter((id) => !sync.voters.includes(id));
  return {
    ...listed(
      slots,
      sync.voters.filter((id) => isListed(slots, id) || slotOf(slots, id)?.active),
    ),
    make: ids.filter((id) => !slotOf(slots, id)),
    renew: spare.filter((id) => unused.some(({ name, keeps }) => keeps && name === standbySlotName(id))),
    // Of a server that is of the cluster no more, and of this one from its time as a standby.
    drop: unused.flatMap(({ name }) => (ours.includes(name) ? [] : [name])),
  };
}

/** The list as it is to be; nothing where it is so. */
function listed({ waitedFor }: SlotReport, waitFor: readonly ServerId[]): Pick<SlotWork, 'waitFor'> {
  const standing = parseNames(waitedFor).ids.filter(isStandbySlot);
  return sameIds(standing, waitFor.map(standbySlotName)) ? {} : { waitFor };
}

function workOfStandby(state: State, slots: SlotReport): SlotWork {
  const unused = slots.standbys.filter(({ active }) => !active).map(({ name }) => name);
  const left = slots.failover.filter(({ synced, active }) => !synced && !active);
  const drop = slots.wanted ? left.filter((slot) => isFurther(state, slot)).map(({ name }) => name) : [];
  return { make: [], renew: [], drop: [...unused, ...drop] };
}

/** The primary has this slot, and its consumer has confirmed as much there: nobody needs the one that was left here. */
function isFurther(state: State, { name, confirmed }: FailoverSlot): boolean {
  const primary = Object.values(state.peers).find(
    (peer) => isHeard(peer) && peer.view.role === 'primary' && peer.view.phase === 'running',
  );
  const report = primary?.view?.report;
  if (!report || report.systemId !== state.own.report?.systemId) return false;
  const theirs = report.slots?.failover.find((slot) => slot.name === name);
  return theirs !== undefined && lsnValue(theirs.confirmed) >= lsnValue(confirmed);
}

/** What people notice: consumers that wait for another server, a slot of theirs that goes. */
function tell(state: State, slots: SlotReport, { waitFor, drop }: SlotWork) {
  const gone = drop.filter((name) => slots.failover.some((slot) => slot.name === name));
  // A failure says itself what was tried; it is not told with every attempt.
  if (state.slotting?.why) return [];
  return [
    ...(waitFor ? [log('MCA01140', { servers: waitFor.join(', ') || 'no standby' })] : []),
    ...gone.map((slot) => log('MCA01141', { slot })),
  ];
}

/** How it ended. The same failure is told once. */
export function onSlotsSet(state: State, why: string | null): Decision {
  const { slotting } = state;
  if (slotting?.stage !== 'doing') return decided(state);
  const next: State = { ...state, slotting: { stage: why === null ? 'done' : 'failed', at: state.now, why } };
  return decided(next, ...(why === null || why === slotting.why ? [] : [log('MCA01142', { why })]));
}

/**
 * Consumers may be ahead of this standby as long as they do not wait for it. One that streams without its slot holds nobody up, nor
 * does a list that cannot be changed.
 */
export function awaitsList(state: State, id: ServerId): boolean {
  const slots = state.own.report?.slots;
  if (!slots?.wanted || state.slotting?.why) return false;
  return slotOf(slots, id)?.active === true && !isListed(slots, id);
}
