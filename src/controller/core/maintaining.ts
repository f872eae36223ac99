/**
 * The process `maintenance`: a person puts a server into maintenance, or ends that. The primary carries it out: the server leaves the names as
 * one whose duty has changed does, and only when nobody relies on it, and whoever may take over remembers it, it is said that it has begun. In:
 * a state. Out: a decision. Pure. docs/adr/0018-maintenance-is-a-state-of-a-server.md has the reasons.
 */
import { giveUpTimeMs } from '../config.ts';
import { andThen, type Decision, decided, log, replies } from './decision.ts';
import { dutyAt, isAsynchronous, mayTakeOver } from './duty.ts';
import type { MaintenanceBegin, MaintenanceEnd } from './event.ts';
import { ended, entryOf, entryWords, opened, remembers, withEntry } from './maintenance.ts';
import type { Maintaining, ReplyTo } from './processes.ts';
import { mayBelieve, without } from './promise.ts';
import { hasPostmaster, isHeard, isInCharge } from './servers.ts';
import type { State } from './state.ts';
import { type Maintenance, type ServerId, understandsMaintenance } from './view.ts';

/** Longer than pre_detach_command and every silence that ends by itself; less than a request that is passed on is waited for. */
const patienceMs = 60_000;

/** mc_ctl maintenance begin on the primary. */
export function onBegin(state: State, replyTo: ReplyTo, wanted: MaintenanceBegin): Decision {
  const why = obstacleTo(state, wanted);
  if (why !== null) return decided(state, ...replies([replyTo], false, why));
  const { server: id, who, reason, untilWall } = wanted;
  const entry = entryOf(state, id);
  const words = { by: who, reason, untilWall };
  if (entry?.stage === 'open') return renew(state, replyTo, wanted, entry);
  const asked = withEntry(state, id, { stage: 'asked', sinceWall: state.wall, ...words });
  // A change that has failed before says nothing about this one.
  const change = state.change?.stage === 'failed' ? null : state.change;
  const going: State = { ...tells(asked, id, 'begin', replyTo), proving: null, change };
  return decided({ ...going, maintaining: { ...begun(going, id, 'begin'), stage: 'leaving' } });
}

/** It goes on, with what is said now; what is not said again stays as it was said by the same person. */
function renew(
  state: State,
  replyTo: ReplyTo,
  { server: id, who, reason, untilWall }: MaintenanceBegin,
  entry: Maintenance,
): Decision {
  const same = entry.by === who;
  const renewed = withEntry(state, id, {
    stage: 'open',
    by: who,
    sinceWall: same ? entry.sinceWall : state.wall,
    reason: same && reason === '' ? entry.reason : reason,
    untilWall: same ? (untilWall ?? entry.untilWall) : untilWall,
  });
  return decided(tells(renewed, id, 'renew', replyTo));
}

/** mc_ctl maintenance end on the primary. */
export function onEnd(state: State, replyTo: ReplyTo, { server: id, who, of }: MaintenanceEnd): Decision {
  const refuse = (why: string): Decision => decided(state, ...replies([replyTo], false, why));
  if (!isInCharge(state)) return refuse(`${state.self.id} does not serve as primary`);
  if (!state.servers.some((line) => line.id === id)) return refuse(unknown(state, id));
  const entry = entryOf(state, id);
  if (entry?.stage !== 'open')
    return decided(state, ...replies([replyTo], true, `${id} is in no maintenance`));
  if (entry.by !== who && entry.by !== of)
    return refuse(
      `${id} is in maintenance ${entryWords(entry)}; whoever knows that it may end says --of ${entry.by}`,
    );
  const peer = state.peers[id];
  // Outside of a maintenance it would lead the others away.
  if (isHeard(peer) && peer.view.role === 'primary' && hasPostmaster(peer.view.phase))
    return refuse(
      `${id} runs as primary, which somebody has made it by hand, and ${state.self.id} leads; bring over what only ${id} holds, stop its instance, and end the maintenance then`,
    );
  // A former detach is over with it, or it would stay out.
  const next = ended({ ...state, parked: without(state.parked, [id]) }, id);
  return decided(tells(next, id, 'end', replyTo), log('MCA01151', { server: id }));
}

const begun = (state: State, id: ServerId, goal: Maintaining['goal']): Maintaining => ({
  id,
  goal,
  stage: 'telling',
  untilAt: state.now + patienceMs,
  outAt: null,
});

const tells = (state: State, id: ServerId, goal: Maintaining['goal'], replyTo: ReplyTo): State => ({
  ...state,
  maintaining: begun(state, id, goal),
  waitingForMaintenance: [...state.waitingForMaintenance, replyTo],
});

const unknown = ({ servers }: State, id: ServerId): string =>
  `'${id}' is no server of this cluster; there are ${servers.map((line) => line.id).join(', ')}`;

function obstacleTo(state: State, { server: id, who, replace, alone }: MaintenanceBegin): string | null {
  const { sync, self } = state;
  if (id === self.id) return `${id} is the primary; switch first (mc_ctl switch)`;
  if (!isInCharge(state) || !sync) return `${self.id} does not serve as primary`;
  const peer = state.peers[id];
  if (!peer) return unknown(state, id);
  const entry = entryOf(state, id);
  if (entry && entry.stage !== 'ended' && entry.by !== who && !replace)
    return `${id} is in maintenance ${entryWords(entry)}; --replace takes it over`;
  const old = Object.values(state.peers).filter(
    (it) => isHeard(it) && (it.view.understands ?? 1) < understandsMaintenance,
  );
  if (old.length > 0)
    return `the controller of ${old.map((it) => it.line.id).join(', ')} is of an earlier version; run pgduet provision first`;
  if (state.change && state.change.stage !== 'failed')
    return 'synchronous_standby_names is being changed; try again in a moment';
  if (isRelied(state, id) && !isHeard(peer))
    return `${id} is not heard, and commits may wait for it, or it may take over; when it is out, or is heard again, it can be put into maintenance`;
  const left = sync.voters.filter((it) => it !== id);
  // One that is about to be waited for counts, too.
  const counts = isRelied(state, id) || (isHeard(peer) && !isAsynchronous(dutyAt(state, id)));
  if (entry?.stage !== 'open' && counts && left.length === 0 && !alone)
    return `no commit would wait for any standby while ${id} is out, so that there is no second copy; --alone says that this is meant`;
  return null;
}

/** Commits wait for it, or it may take over, or believes so. */
const isRelied = (state: State, id: ServerId): boolean =>
  state.sync?.voters.includes(id) === true || mayBelieve(state, id);

/** Called after every event. */
export function advanceMaintenance(state: State): Decision {
  const { maintaining } = state;
  if (!isInCharge(state)) return maintaining ? lose(state, maintaining) : decided(state);
  const left = Object.keys(state.maintenance ?? {}).filter(
    (id) => entryOf(state, id)?.stage === 'asked' && maintaining?.id !== id,
  );
  // A primary that is no more had begun it, and nobody was told that it has.
  const told = left.reduce(
    (so, id) =>
      andThen(so, (it) =>
        decided(
          ended(it, id),
          log('MCA01152', { server: id, why: 'the primary has changed, or was started again, meanwhile' }),
        ),
      ),
    decided(state),
  );
  return maintaining ? andThen(told, (it) => goOn(it, maintaining)) : told;
}

/** Whoever is primary next ends what was only asked for. */
const lose = (state: State, { goal, stage, id }: Maintaining): Decision =>
  answered(
    state,
    false,
    goal === 'begin' && stage === 'leaving'
      ? `${state.self.id} does not serve as primary any more: the maintenance of ${id} has not begun`
      : `${state.self.id} does not serve as primary any more: whether everybody remembers what is asked about the maintenance of ${id}, mc_ctl status says`,
  );

const answered = (state: State, ok: boolean, text: string): Decision =>
  decided(
    { ...state, maintaining: null, waitingForMaintenance: [] },
    ...replies(state.waitingForMaintenance, ok, text),
  );

function goOn(state: State, maintaining: Maintaining): Decision {
  const { id, goal, stage } = maintaining;
  if (stage === 'leaving') return leave(state, maintaining);
  const open = deaf(state, id);
  if (open.length > 0) {
    if (state.now < maintaining.untilAt) return decided(state);
    const why = `${open.join(', ')} has not confirmed that it knows`;
    if (goal === 'begin') return fail(state, id, why);
    const word = goal === 'end' ? `the maintenance of ${id} is over` : `${id} is in maintenance`;
    return answered(state, true, `${word}; ${why}`);
  }
  return answered(state, true, goal === 'end' ? endWords(state, id) : beginWords(state, id));
}

/** Who has to remember it before it is said: whoever may take over, and the server itself where it is heard. */
function deaf(state: State, id: ServerId): ServerId[] {
  const concerned = [
    ...new Set([...(state.sync?.eligible ?? []), ...(isHeard(state.peers[id]) ? [id] : [])]),
  ];
  return concerned.filter((it) => {
    const peer = state.peers[it];
    return !isHeard(peer) || !remembers(state, peer.view, id);
  });
}

function leave(state: State, maintaining: Maintaining): Decision {
  const { id, untilAt } = maintaining;
  const { sync, change, now } = state;
  if (isRelied(state, id) && !isHeard(state.peers[id]))
    return fail(state, id, `${id} has fallen silent before it had confirmed that it does not take over`);
  if (change?.stage === 'failed') return fail(state, id, 'synchronous_standby_names could not be set');
  if (now > untilAt) return fail(state, id, `${id} was not out in time`);
  if (!sync || isRelied(state, id) || change) return decided(state);
  const outAt = maintaining.outAt ?? now;
  const out: State = { ...state, maintaining: { ...maintaining, outAt } };
  // Who is left was to be proven anew: until then nobody could take over.
  const hoped = sync.voters.some((it) => mayTakeOver(dutyAt(state, it))) && sync.eligible.length === 0;
  if (hoped && now - outAt < giveUpTimeMs(state.conf)) return decided(out);
  const entry = entryOf(state, id);
  if (!entry) return decided(out);
  const next = withEntry(out, id, { ...entry, stage: 'open' });
  const telling: Maintaining = { ...maintaining, outAt, stage: 'telling' };
  return decided({ ...next, maintaining: telling }, opened(id, { ...entry, stage: 'open' } as Maintenance));
}

function fail(state: State, id: ServerId, why: string): Decision {
  const told = decided(ended(state, id), log('MCA01152', { server: id, why }));
  return andThen(told, (it) => answered(it, false, `the maintenance of ${id} has not begun: ${why}`));
}

function beginWords(state: State, id: ServerId): string {
  const { voters = [], eligible = [] } = state.sync ?? {};
  const copies =
    voters.length === 0
      ? `no commit waits for a standby: ${state.self.id} alone has what is written meanwhile`
      : `commits wait for ${voters.join(', ')}${eligible.length === 0 ? ', which may not take over yet' : ''}`;
  const deafness = isHeard(state.peers[id])
    ? ''
    : `; ${id} is not heard, and does not know it before it hears another server`;
  const votes = state.sync?.cells?.some(({ at }) => at === id)
    ? `; ${id} votes on who may act on a silence: while its controller is away, the next failure is left to a person`
    : '';
  return `${id} is in maintenance; ${copies}${votes}${deafness}`;
}

const endWords = (state: State, id: ServerId): string =>
  isHeard(state.peers[id])
    ? `the maintenance of ${id} is over; its instance comes back by itself`
    : `the maintenance of ${id} is over; it is not heard, and comes back when it hears that`;
