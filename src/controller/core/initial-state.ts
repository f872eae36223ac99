/** The state before the first event. In: what the configuration and the clocks say. Out: a state. Pure. */
import { type ArbiterLine, giveUpTimeMs, type ServerConf, type ServerLine } from '../config.ts';
import type { Clocks } from './event.ts';
import { notAsked } from './references.ts';
import { newRhythm } from './rhythm.ts';
import type { Arbiter, Peer, State } from './state.ts';

/** The state of a controller that has looked at nothing yet. */
export function initialState(facts: {
  readonly self: ServerLine;
  readonly servers: readonly ServerLine[];
  readonly arbiters?: readonly ArbiterLine[];
  readonly conf: ServerConf;
  readonly dir?: string;
  readonly controllerVersion: string;
  readonly clocks: Clocks;
}): State {
  const { self, servers, arbiters = [], conf, dir = 'DIR', controllerVersion, clocks } = facts;
  const { at: now, wall, sinceBoot } = clocks;
  const quiet = { missed: 0, error: '', full: false };
  return {
    self,
    servers,
    conf,
    dir,
    controllerVersion,
    now,
    wall,
    sinceBoot,
    own: {
      phase: 'unknown',
      phaseSinceWall: wall,
      role: null,
      report: null,
      missedChecks: 0,
      missedSince: now,
      disks: { data: quiet, transaction_log: quiet, tablespace: quiet },
      refusal: null,
    },
    peers: Object.fromEntries(
      servers.filter((line) => line.id !== self.id).map((line) => [line.id, newPeer(line, now, wall)]),
    ),
    arbiters: Object.fromEntries(arbiters.map((line) => [line.id, newArbiter(line)])),
    failover: { enabled: conf.failover === 'automatic', changedAtWall: 0 },
    degraded: null,
    boot: { kind: 'new' },
    waitingForStart: [],
    stop: null,
    mirroring: {
      status: 'unknown',
      reason: 'the controller has just started',
      advice: 'wait a moment',
      sinceWall: wall,
      reasonSinceWall: wall,
    },
    persisted: null,
    unsaved: null,
    place: null,
    incarnation: '',
    named: [],
    seq: 0,
    tick: clocks,
    graceFrom: now,
    grantedMs: giveUpTimeMs(conf),
    timesSeq: 0,
    leaving: null,
    sync: null,
    forgotten: false,
    confirmed: false,
    change: null,
    proving: null,
    checkpointing: false,
    slotting: null,
    rowAt: {},
    origins: {},
    namesSetAt: -1,
    lagging: [],
    parted: [],
    weakened: [],
    strangers: [],
    parked: {},
    addresses: {},
    withdrawn: {},
    suspects: [],
    preparing: null,
    giving: null,
    promotion: null,
    aborted: null,
    takeover: null,
    declined: null,
    yield: null,
    unhitched: false,
    hitching: false,
    hitchAfter: 0,
    cutAfter: 0,
    ending: null,
    revival: null,
    references: notAsked,
    cell: null,
    vote: null,
    voteAfter: 0,
    refused: null,
    verdicts: {},
    fences: {},
    detaching: null,
    maintaining: null,
    maintenance: undefined,
    task: null,
    warned: [],
    waitingForSwitch: [],
    waitingForDetach: [],
    waitingForMaintenance: [],
    passedOn: [],
  };
}

export function newPeer(line: ServerLine, now: number, wall: number): Peer {
  const rhythm = newRhythm(now);
  const never = { signAt: now, heardWall: null, heardAt: now, asleepMs: 0, asleepSeq: 0, rhythm, view: null };
  return { line, reach: 'unknown', sinceWall: wall, sinceAt: now, ...never };
}

export const newArbiter = (line: ArbiterLine): Arbiter => ({
  line,
  heardAt: -1,
  heardWall: null,
  why: 'it was not heard yet',
  view: null,
});
