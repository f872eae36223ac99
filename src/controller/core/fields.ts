/**
 * What a change of each field means: whether the pair is judged again, and whether it is reported to the peers at once.
 * In: two states. Out: yes or no. A field without a row is a type error, so that every omission is a decision that
 * stands here. Whether a field is written to the state file is said by `Kept` (state.ts). Pure.
 */

import { sameConfDuty, sameDuty } from './duty.ts';
import { sameIds } from './names.ts';
import { sameReferences } from './references.ts';
import type { OwnServer, Peer, State } from './state.ts';
import type { InstanceReport, Sender, ServerView } from './view.ts';

type Same<T> = (before: T, after: T) => boolean;
type Comparison<T> = { readonly [Field in keyof T]-?: Same<T[Field]> };

/** Values are plain data that is replaced and never changed, so the same object means the same content. */
const same: Same<unknown> = (before, after) => before === after;
/** A change of this field does not matter. */
const ignored: Same<unknown> = () => true;

/** Compares field by field. Called after every event, so it makes no objects. */
function fieldByField<T extends object>(comparison: Comparison<T>): Same<T | null | undefined> {
  const fields = Object.keys(comparison) as (keyof T)[];
  return (before, after) => {
    if (before === after) return true;
    if (!before || !after) return false;
    for (const field of fields) if (!comparison[field](before[field], after[field])) return false;
    return true;
  };
}

/** The judgement asks who streams, and how; position and lag move with every check. */
const sameSender = fieldByField<Sender>({
  name: same,
  address: ignored,
  state: same,
  syncState: same,
  lagBytes: ignored,
  replayLagBytes: ignored,
});

/** Role and timeline are judged as those of the server, which outlast the report. */
const sameReport = fieldByField<InstanceReport>({
  role: ignored,
  timeline: ignored,
  lsn: ignored,
  replayedLsn: ignored,
  senders: (before, after) =>
    before.length === after.length && before.every((row, index) => sameSender(row, after[index])),
  receiver: same,
  synchronousStandbyNames: same,
  weakened: (before = [], after = []) => sameIds(before, after),
  systemId: same,
  version: ignored,
  startedAtWall: ignored,
  history: ignored,
  nextXid: ignored,
  port: ignored,
  socketDir: ignored,
  // A standby compares its own slots with those of its primary at its own checks.
  slots: ignored,
});

const sameOwn = fieldByField<OwnServer>({
  phase: same,
  phaseSinceWall: ignored,
  role: same,
  report: sameReport,
  missedChecks: ignored,
  missedSince: ignored,
  disks: same,
  refusal: same,
});

/** `declined` is an answer to another server's handover, which is judged where it is. */
const sameView = fieldByField<ServerView>({
  id: ignored,
  phase: same,
  role: same,
  report: sameReport,
  lastTimeline: same,
  failedDisks: (before, after) => before.length === after.length,
  fullDisks: same,
  failover: ignored,
  controllerVersion: ignored,
  understands: ignored,
  incarnation: ignored,
  seq: ignored,
  leaving: same,
  sync: same,
  handover: same,
  declined: ignored,
  takeover: same,
  yield: same,
  echoes: ignored,
  busy: same,
  refusal: same,
  detached: same,
  lagging: same,
  parted: same,
  strangers: same,
  quietReferences: same,
  forgotten: same,
  duty: sameDuty,
  cell: ignored,
  vote: ignored,
  replay: ignored,
  maintenance: same,
  waitsMs: ignored,
  unsaved: same,
});

const samePeer = fieldByField<Peer>({
  line: ignored,
  reach: same,
  sinceWall: ignored,
  sinceAt: ignored,
  signAt: ignored,
  heardWall: ignored,
  heardAt: ignored,
  asleepMs: ignored,
  asleepSeq: ignored,
  rhythm: ignored,
  view: sameView,
});

const samePeers: Same<State['peers']> = (before, after) => {
  for (const id in after) if (!samePeer(before[id], after[id])) return false;
  return true;
};

/** The peers act upon phase and role, and can follow a new primary only once it has its first report. */
const nothingNewOfOwn: Same<OwnServer> = (before, after) =>
  (before.phase === after.phase || before.role === null) &&
  before.role === after.role &&
  (before.report !== null || after.report === null);

interface Uses<T> {
  /** The judgement of the pair depends on the field: a change that this does not call the same calls `assess`. */
  readonly judged?: Same<T>;
  /** The peers act upon the field: a change is reported at once. Other changes go with the next heartbeat. */
  readonly reported?: Same<T>;
}

const judged = { judged: same };
const reported = { reported: same };
const judgedAndReported = { ...judged, ...reported };
const neither = {};

const stateFields: { readonly [Field in keyof State]-?: Uses<State[Field]> } = {
  // Fixed as long as the controller runs; a reload replaces `servers` with `conf`.
  self: neither,
  servers: judged,
  conf: { reported: sameConfDuty },
  dir: neither,
  controllerVersion: neither,
  incarnation: neither,
  named: neither,
  // Clocks and numbers.
  now: neither,
  wall: neither,
  seq: neither,
  sinceBoot: neither,
  tick: neither,
  graceFrom: neither,
  // A reload tells its times at once.
  timesSeq: reported,
  grantedMs: neither,
  // What is observed.
  own: { judged: sameOwn, reported: nothingNewOfOwn },
  peers: { judged: samePeers },
  arbiters: neither,
  rowAt: neither,
  origins: neither,
  lagging: judgedAndReported,
  parted: judgedAndReported,
  weakened: neither,
  strangers: judgedAndReported,
  addresses: neither,
  // What is decided and remembered.
  failover: judgedAndReported,
  degraded: judged,
  sync: judgedAndReported,
  forgotten: judged,
  confirmed: judged,
  parked: judgedAndReported,
  // What is under way.
  boot: judged,
  stop: judged,
  leaving: reported,
  change: neither,
  proving: neither,
  checkpointing: neither,
  slotting: neither,
  namesSetAt: neither,
  preparing: neither,
  promotion: neither,
  aborted: neither,
  withdrawn: neither,
  suspects: neither,
  // A cell is written before it is told, and both at once: who asks waits for it.
  cell: reported,
  vote: reported,
  lineages: neither,
  voteAfter: neither,
  refused: neither,
  giving: {
    judged: same,
    reported: (before, after) => before?.stage === after?.stage && before?.taken === after?.taken,
  },
  takeover: judgedAndReported,
  declined: reported,
  yield: judgedAndReported,
  unhitched: neither,
  hitching: neither,
  hitchAfter: neither,
  cutAfter: neither,
  ending: neither,
  revival: neither,
  detaching: neither,
  maintaining: neither,
  maintenance: judgedAndReported,
  task: judgedAndReported,
  // Questions to the policy and their answers.
  references: { judged: sameReferences, reported: sameReferences },
  verdicts: neither,
  fences: neither,
  warned: neither,
  // Who waits for an answer.
  waitingForStart: neither,
  waitingForSwitch: neither,
  waitingForDetach: neither,
  waitingForMaintenance: neither,
  passedOn: neither,
  // What the judgement and the state file leave behind.
  mirroring: neither,
  persisted: neither,
  unsaved: judged,
  place: judgedAndReported,
};

/** One comparison of all fields that have this use; the others make no difference. */
function sameBy(use: keyof Uses<unknown>): Same<State> {
  const comparisons = Object.entries(stateFields).flatMap(([field, uses]) => {
    const compare = (uses as Uses<unknown>)[use];
    return compare ? [{ field: field as keyof State, compare }] : [];
  });
  return (before, after) => comparisons.every(({ field, compare }) => compare(before[field], after[field]));
}

/** True when `assess` and `livePrimaries` say the same of both states. */
export const sameJudgement = sameBy('judged');
/** True when there is nothing that must be reported to the peers at once. */
export const nothingToReport = sameBy('reported');
