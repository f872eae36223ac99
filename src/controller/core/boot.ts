/**
 * From the start of the controller to a running instance: attach to what runs, let a standby wait for its primary,
 * and let a primary ask its peers first. It must never start a second primary while a peer says that it is primary.
 */
import { giveUpTimeMs } from '../config.ts';
import type { Action } from './action.ts';
import { andThen, type Decision, decided, log, replies, withOwn } from './decision.ts';
import type { Happening } from './event.ts';
import { endedHere, entriesOf, isMaintained } from './maintenance.ts';
import { isDoubtful } from './pause.ts';
import type { Boot } from './processes.ts';
import { begunTimeline, firstPromise, isNewer, mayBelieve, ofCluster, promise } from './promise.ts';
import { mayBeCutOff } from './references.ts';
import { freshCell } from './register.ts';
import { knowsItsPlace, rest } from './resting.ts';
import { type Heard, hasPostmaster, heardPeers, isHeard } from './servers.ts';
import type { Kept, Peer, Persisted, State } from './state.ts';
import { lastTimeline, unknownPromotion } from './state.ts';
import { isTaken } from './term.ts';
import type { ServerId, ServerView, SyncSet, Takeover } from './view.ts';

const probeEveryMs = 1000;
const remindEveryMs = 600_000;
/** Pauses after each attempt to start an instance again; the first attempt is made at once. */
const pausesMs = [0, 3000, 15_000, 60_000];
const longestPauseMs = 60_000;

type BootEvent = Extract<Happening, { kind: 'boot' }>;

/** The first event: what was found on this host. */
export function onBoot(before: State, event: BootEvent): Decision {
  const state: State = {
    ...withOwn(before, { role: event.standby ? 'standby' : 'primary', phase: 'stopped' }),
    ...remembered(before, event),
    giving: stillGiving(event),
    promotion: event.restored?.takeover?.stage === 'promote' ? unknownPromotion(before.now) : null,
    persisted: event.restored,
    incarnation: event.incarnation,
    named: event.named,
  };
  const torn = andThen(decided(state, ...(event.torn ? [log('MCA01026')] : [])), (it) =>
    finishTakeover(it, event),
  );
  if (event.running) {
    return andThen(torn, (it) =>
      decided({ ...withOwn(it, { phase: 'unknown' }), boot: { kind: 'done' } }, log('MCA01002')),
    );
  }
  if (event.mcOnly) return andThen(torn, (it) => decided({ ...it, boot: { kind: 'left' } }, log('MCA01032')));
  return andThen(torn, (it) => beginStart(it, false));
}

/** The instance was promoted, but the controller ended before it could take note. */
function finishTakeover(state: State, { standby, restored }: BootEvent): Decision {
  if (standby || !restored?.takeover) return decided(state);
  const { takeover } = restored;
  const promised = firstPromise(state, takeover, begunTimeline(state, takeover, restored.timeline));
  return decided(
    endedHere({ ...state, sync: promised, withdrawn: {}, suspects: [], origins: {}, degraded: 'switched' }),
    log('MCA00062'),
    {
      kind: 'hook',
      hook: 'post-switch',
      target: takeover.from ?? '',
    },
  );
}

/** A promotion that was asked for may still come, as long as the same postmaster runs (`promotion.ts` looks which it is). */
const interrupted = (takeover: Takeover, running: boolean): Takeover =>
  running && takeover.stage === 'promote' ? takeover : { ...takeover, stage: 'ask', lsn: null };

/** The file of an earlier version does not say who has confirmed. */
const unconfirmed = ({ sync }: Persisted): Record<ServerId, number> =>
  Object.fromEntries(
    (sync?.voters ?? []).filter((id) => !sync?.eligible.includes(id)).map((id) => [id, sync?.epoch ?? 0]),
  );

/** What the state file says. A takeover that was interrupted is examined again before it goes on. */
function remembered(before: State, event: BootEvent): Kept {
  const { failover, restored, torn, standby, running, incarnation } = event;
  const asked = failover === null ? null : { enabled: failover, changedAtWall: before.wall };
  const takeover = standby ? restored?.takeover : null;
  return {
    failover: asked ?? restored?.failover ?? before.failover,
    degraded: restored?.degraded ?? null,
    sync: restored?.sync ?? null,
    forgotten: torn || (restored?.forgotten ?? false),
    takeover: takeover ? interrupted(takeover, running) : null,
    // Without a position nobody counts on it yet, and the order to cut the receiver went with the controller: it is begun anew.
    yield: standby && restored?.yield?.lsn != null ? restored.yield : null,
    unhitched: standby && (restored?.unhitched ?? false),
    parked: restored?.parked ?? {},
    withdrawn: restored ? ofCluster(restored.withdrawn ?? unconfirmed(restored), before.peers) : {},
    suspects: restored?.suspects ?? [],
    origins: restored?.origins ?? {},
    // A memory that is lost is another cell.
    cell: restored?.cell ?? freshCell(incarnation),
    vote: restored?.vote ?? null,
    lineages: restored?.lineages,
    grantedMs: Math.max(restored?.grantedMs ?? 0, before.grantedMs ?? 0),
    maintenance: entriesOf(
      restored ?? {},
      before.servers.map((line) => line.id),
    ),
  };
}

/** A primary that had given its role away when the controller ended goes on to wait for the answer. */
const stillGiving = ({ restored, standby }: BootEvent): State['giving'] =>
  restored?.handover && !standby
    ? { stage: 'given', handover: restored.handover, tried: [], restartable: true }
    : null;

/** Starts the instance as far as its role allows it at this moment. */
export function beginStart(state: State, byPerson: boolean): Decision {
  if (state.giving) {
    if (!byPerson) return decided({ ...withOwn(state, { phase: 'stopped' }), boot: { kind: 'handed' } });
    // A person who asks for the start has decided that the role comes back.
    return beginStart({ ...state, giving: null }, true);
  }
  const goesOn = !isMaintained(state, state.self.id) || state.takeover?.kind === 'force';
  if (state.own.role === 'standby' && state.takeover && goesOn) return startInstance(state);
  if (state.own.role === 'standby') {
    const since = { sinceAt: state.now, probedAt: state.now };
    const boot = { kind: 'waiting-for-primary', ...since, remindedAt: -1 } as const;
    const waiting: State = { ...withOwn(state, { phase: 'waiting' }), boot };
    return andThen(decided(waiting), (it) => {
      const next = advanceBoot(it);
      return next.state.boot.kind === 'waiting-for-primary'
        ? { ...next, actions: [...next.actions, { kind: 'probe-primary' }] }
        : next;
    });
  }
  const untilAt = state.now + giveUpTimeMs(state.conf);
  const asking: State = {
    ...withOwn(state, { phase: 'waiting' }),
    boot: { kind: 'asking-peers', untilAt, byPerson, said: false },
  };
  return advanceBoot(asking);
}

const waits = ({ boot }: State): boolean =>
  boot.kind === 'asking-peers' || boot.kind === 'waiting-for-primary';

/** Looks whether what the start waits for has come. Called after everything that may have changed it. */
export function advanceBoot(state: State): Decision {
  const isOut = isMaintained(state, state.self.id);
  if (isOut && waits(state) && state.takeover?.kind !== 'force') return rest(state);
  switch (state.boot.kind) {
    case 'maintained':
      return isOut ? decided(state) : beginStart(state, false);
    case 'asking-peers':
      return askPeers(state, state.boot);
    case 'waiting-for-primary':
      return livePrimary(state) || isGathered(state) ? startInstance(state) : decided(state);
    case 'new':
    case 'handed':
    case 'starting':
    case 'left':
    case 'done':
    case 'failed':
      return decided(state);
  }
}

const livePrimary = (state: State): Heard | undefined =>
  heardPeers(state).find(({ view }) => view.role === 'primary' && hasPostmaster(view.phase));

/** Another standby needs this one's word for its takeover; only an instance that runs can give it. */
const isGathered = (state: State): boolean =>
  heardPeers(state).some(({ view }) => view.takeover?.stage === 'gather');

/** Servers that keep this one from starting, because they may have taken over and are not heard: the register can answer for them. */
export function unheardRivals(state: State): ServerId[] {
  const { boot, now, sync } = state;
  if (boot.kind !== 'asking-peers' || boot.byPerson || now < boot.untilAt) return [];
  return Object.values(state.peers)
    .filter(
      (peer) =>
        sync?.primary === state.self.id && couldTakeOver(state, peer.line.id) === 'yes' && !isHeard(peer),
    )
    .map((peer) => peer.line.id);
}

function askPeers(state: State, boot: Extract<Boot, { kind: 'asking-peers' }>): Decision {
  const taker = isTaken(state);
  if (taker === null) return askOthers(state, boot);
  if (!boot.byPerson) return sayOnce(state, log('MCA01070', { peers: taker }));
  // With its term it would stop again at once. Nobody can ask for one of this server's any more, until it names its register anew.
  return andThen(
    decided(promise(state, { cells: [], eligible: [] }), log('MCA01137', { server: taker })),
    (it) => askOthers(it, boot),
  );
}

function askOthers(state: State, { untilAt, byPerson }: Extract<Boot, { kind: 'asking-peers' }>): Decision {
  const primary = livePrimary(state);
  // It leads nobody: a person decides which of the two counts.
  const byHand = primary !== undefined && isMaintained(state, primary.line.id);
  if (byHand && !byPerson)
    return hold(
      state,
      primary.line.id,
      'MCA01154',
      'is in maintenance, and somebody has made it primary by hand: look which of both counts',
    );
  if (primary && !byHand) {
    const why = 'is primary; this server must be rebuilt as its standby';
    return hold(heeding(state, primary.view), primary.line.id, 'MCA01006', why);
  }
  const newer = newerPrimary(state);
  if (newer !== null && !byPerson) return yieldTo(state, newer);
  const perhaps = Object.values(state.peers).filter((peer) => mayBePrimary(state, peer));
  if (!byPerson && perhaps.length > 0) return waitForWord(state, perhaps);
  // It is heard again, and may be primary in a moment: that ends with its own word, and no person's.
  const taker = heardPeers(state).find(({ view }) => view.takeover !== null);
  if (taker) return waitForWord(state, [taker]);
  const isRival = (peer: Peer) => wouldBePrimary(state, peer, byPerson);
  const rival = Object.values(state.peers).find(isRival);
  const open = Object.values(state.peers).filter((peer) => !hasAnswered(state, peer) || isRival(peer));
  if (open.length === 0) return startInstance(chosen(state));
  if (state.now < untilAt) return decided(state);
  if (rival) return holdBeside(state, rival.line.id);
  if (!byPerson && mayBeCutOff(state)) return sayOnce(state, log('MCA01114'));
  const peers = open.map((peer) => peer.line.id).join(', ');
  return andThen(decided(chosen(state), log('MCA01007', { peers })), startInstance);
}

/** A person has chosen this server beside a newer one that its record names: with that record it would stop again at once. */
function chosen(state: State): State {
  const { self, sync, named } = state;
  const timeline = lastTimeline(state);
  if (sync === null || sync.primary === self.id || sync.timeline <= timeline) return state;
  const voters = {
    members: Object.keys(state.peers),
    eligible: [],
    voters: named,
    needed: Math.min(1, named.length),
  };
  return promise(state, { primary: self.id, timeline, cells: [], ...voters });
}

/** A newer primary decides by its own word; when its instance does not run, this server is no substitute for it. */
function yieldTo(state: State, id: ServerId): Decision {
  const peer = state.peers[id];
  if (peer && !isHeard(peer)) return waitForWord(state, [peer]);
  // Every promise is later than that of a server that has forgotten its own, which may be the newer one all the same.
  if (lastTimeline(state) === 0) return holdBeside(state, id);
  const knowing = peer ? heeding(state, peer.view) : state;
  return hold(knowing, id, 'MCA01071', 'was primary after this server, which must be rebuilt as a standby');
}

/** Remembers whose promise counts from now on: later this server asks the newer primary, also when that is not heard. */
const heeding = (state: State, { id, sync }: ServerView): State =>
  sync?.primary === id && isNewer(sync, state.sync) ? { ...state, sync } : state;

/** A server that is known to have been primary after this one, whether its instance runs now or not. */
function newerPrimary(state: State): ServerId | null {
  const own = lastTimeline(state);
  const later = (sync: SyncSet | null | undefined): boolean =>
    sync != null && sync.primary !== state.self.id && sync.timeline > own;
  if (later(state.sync)) return state.sync?.primary ?? null;
  for (const { line, view } of heardPeers(state)) {
    // It was a standby of this server. One whose controller has forgotten its record cannot say its timeline.
    if (view.role === 'primary' && couldTakeOver(state, line.id) === 'yes') return line.id;
    // Without a timeline of its own this server cannot tell who is older; that is for wouldBePrimary.
    if (own > 0 && view.role === 'primary' && view.lastTimeline > own) return line.id;
    if (later(view.sync)) return view.sync?.primary ?? null;
  }
  return null;
}

/** Whether a standby was allowed to take over from this server, as far as its record goes; a torn one says nothing. */
function couldTakeOver(state: State, id: ServerId): 'yes' | 'no' | 'perhaps' {
  const { self, sync, forgotten } = state;
  if (sync === null) return forgotten ? 'perhaps' : 'no';
  return sync.primary === self.id && mayBelieve(state, id) ? 'yes' : 'no';
}

/**
 * A standby that was allowed to take over has perhaps done so, and may have acknowledged commits before it fell silent:
 * only its own word counts here, and no policy stands in for it.
 */
function mayBePrimary(state: State, peer: Peer): boolean {
  const { line, view } = peer;
  const { sync } = state;
  // Whatever it was allowed to: a person may have forced it.
  if (view?.takeover) return true;
  // Its controller has attached to something that it had not looked at yet.
  if (view?.role === 'primary' && view.phase === 'unknown') return true;
  if (sync && sync.primary === line.id) return !isHeard(peer);
  if (couldTakeOver(state, line.id) === 'no') return false;
  return !isHeard(peer) || !answers(state, peer);
}

/** Says once whose word is missing. */
function waitForWord(state: State, peers: readonly Peer[]): Decision {
  const names = peers.map((peer) => peer.line.id).join(', ');
  return sayOnce(state, log('MCA01070', { peers: names }));
}

function sayOnce(state: State, words: Action): Decision {
  const { boot } = state;
  if (boot.kind !== 'asking-peers' || boot.said || state.now < boot.untilAt) return decided(state);
  return decided({ ...state, boot: { ...boot, said: true } }, words);
}

/**
 * It knows its role, and has said so after it heard of this start, and after the last pause of this server: what it said before
 * can have been out of date a moment later.
 */
function answers(state: State, { line, view }: Heard): boolean {
  const toThis = view.echoes === undefined || view.echoes[state.self.id]?.incarnation === state.incarnation;
  return view.role !== null && toThis && !isDoubtful(state, line.id);
}

const hasAnswered = (state: State, peer: Peer): boolean =>
  peer.reach === 'refused' || (isHeard(peer) && answers(state, peer));

/**
 * Another server that was primary, too, and is not known to be older: neither may take the other's silence for a yes.
 * A person who asks has chosen between servers that are held back.
 */
function wouldBePrimary(state: State, peer: Peer, byPerson: boolean): boolean {
  if (!isHeard(peer)) return false;
  const { view } = peer;
  if (view.role !== 'primary' || view.lastTimeline < lastTimeline(state)) return false;
  return view.phase === 'waiting' || (view.phase === 'held' && !byPerson);
}

const holdBeside = (state: State, rival: ServerId): Decision =>
  hold(state, rival, 'MCA01034', 'would start as primary, too; start the right one first');

function hold(
  state: State,
  peer: string,
  message: 'MCA01006' | 'MCA01034' | 'MCA01071' | 'MCA01154',
  reason: string,
): Decision {
  const why = `${peer} ${reason}`;
  return decided(
    { ...withOwn(state, { phase: 'held' }), boot: { kind: 'failed', why }, waitingForStart: [] },
    log(message, { peer }),
    ...replies(state.waitingForStart, false, why),
  );
}

export function onPrimaryProbe(state: State, open: boolean): Decision {
  if (state.boot.kind !== 'waiting-for-primary') return decided(state);
  if (open) return knowsItsPlace(state, state.boot) ? startInstance(state) : decided(state);
  const reminded = state.boot.remindedAt;
  if (reminded >= 0 && state.now - reminded < remindEveryMs) return decided(state);
  return decided({ ...state, boot: { ...state.boot, remindedAt: state.now } }, log('MCA01005'));
}

export function onBootTick(state: State): Decision {
  const { boot } = state;
  if (boot.kind !== 'waiting-for-primary' || state.now - boot.probedAt < probeEveryMs)
    return advanceBoot(state);
  return decided({ ...state, boot: { ...boot, probedAt: state.now } }, { kind: 'probe-primary' });
}

export function startInstance(state: State): Decision {
  const starting: State = {
    ...withOwn(state, { phase: 'starting', report: null }),
    boot: { kind: 'starting' },
  };
  return decided(starting, log('MCA01003', { role: state.own.role ?? 'primary' }), {
    kind: 'start-instance',
    role: state.own.role ?? 'primary',
  });
}

/** The instance of a primary is started again by the controller: one attempt more in its series. */
export function countAttempt(state: State): State {
  const attempts = (state.revival?.attempts ?? 0) + 1;
  const nextAt = state.now + (pausesMs[attempts] ?? longestPauseMs);
  return { ...state, revival: { attempts, nextAt, over: false } };
}

export function onInstanceStarted(state: State): Decision {
  if (state.boot.kind !== 'starting') return decided(state);
  const running: State = {
    ...withOwn(state, { phase: 'running', missedChecks: 0 }),
    boot: { kind: 'done' },
  };
  return decided(running);
}

export function onStartFailed(state: State, why: string): Decision {
  if (state.boot.kind !== 'starting') return decided(state);
  const failed: State = {
    ...withOwn(state, { phase: state.revival ? 'down' : 'stopped' }),
    boot: { kind: 'failed', why },
    waitingForStart: [],
  };
  return decided(failed, log('MCA01008', { why }), ...replies(state.waitingForStart, false, why));
}
