/**
 * What a controller of the small world knows, without what makes no difference to what it decides: two states of the same words
 * are one state. A field of the core without a line here is a type error, so that every omission is a decision that stands here.
 * In: values of the core. Out: text. Pure.
 */
import type { Arbiter, OwnServer, Peer, Persisted, State } from '../../../src/controller/core/state.ts';
import type { InstanceReport, ServerView } from '../../../src/controller/core/view.ts';

type Told<T> = { readonly [Field in keyof T]-?: ((value: NonNullable<T[Field]>) => unknown) | false };

/** The moment in which everything happens; other times are before or behind it. */
export const now = 1_000_000;

const all = (value: unknown): unknown => value;
/** When something may be done; since when it may makes no difference. */
const isDue = (at: number): number => Math.max(at, now - 1);
/** Fixed, or never used where this world goes. */
const no = false;
/** For people: texts, times of day. Nothing is decided by it. */
const shown = false;

function told<T extends object>(table: Told<T>): (value: T) => unknown[] {
  const fields = Object.keys(table) as (keyof T)[];
  const used = fields.flatMap((field) => {
    const words = table[field];
    return words === false ? [] : [{ field, words: words as (value: unknown) => unknown }];
  });
  return (value) => used.map(({ field, words }) => (value[field] == null ? null : words(value[field])));
}

const ofReport = told<InstanceReport>({
  role: all,
  timeline: all,
  lsn: all,
  replayedLsn: no,
  senders: (rows) => rows.map((row) => [row.name, row.state, row.syncState, row.lagBytes]),
  receiver: all,
  synchronousStandbyNames: all,
  weakened: no,
  systemId: no,
  version: no,
  startedAtWall: all,
  history: no,
  nextXid: no,
  port: no,
  socketDir: no,
  slots: no,
});

/** Of a primary others need to know no more than that it is one: its rows and names are its own matter. */
const ofTheirs = (report: InstanceReport): unknown =>
  report.role === 'primary'
    ? [report.timeline, report.startedAtWall]
    : ofReport({ ...report, senders: [], synchronousStandbyNames: '' });

const ofView = told<ServerView>({
  id: all,
  phase: all,
  role: all,
  report: ofTheirs,
  lastTimeline: all,
  failedDisks: no,
  fullDisks: no,
  failover: no,
  controllerVersion: no,
  understands: no,
  incarnation: all,
  seq: all,
  leaving: all,
  sync: all,
  handover: all,
  declined: (it) => it.id,
  takeover: all,
  yield: all,
  echoes: all,
  busy: (it) => it.work,
  refusal: no,
  detached: all,
  maintenance: all,
  lagging: no,
  parted: no,
  strangers: all,
  quietReferences: no,
  forgotten: all,
  cell: all,
  vote: all,
  replay: no,
  duty: no,
  waitsMs: no,
  unsaved: all,
});
export const wordsOfView = (view: ServerView): string => JSON.stringify(ofView(view));

const ofOwns = (report: InstanceReport): unknown =>
  report.role === 'primary' ? ofReport(report) : ofTheirs(report);

const ofOwn = told<OwnServer>({
  phase: all,
  phaseSinceWall: shown,
  role: all,
  report: ofOwns,
  missedChecks: all,
  missedSince: no,
  disks: no,
  refusal: no,
});

const ofPeer = (numberOf: (view: ServerView) => number) =>
  told<Peer>({
    line: no,
    reach: all,
    sinceWall: shown,
    // Asked for only where the promise names no register, which is a broken rule here (rules.ts).
    sinceAt: no,
    signAt: all,
    heardWall: shown,
    heardAt: all,
    asleepMs: all,
    asleepSeq: all,
    rhythm: no,
    view: numberOf,
  });

const ofArbiter = told<Arbiter>({
  line: no,
  heardAt: all,
  heardWall: shown,
  why: shown,
  view: (it) => it.cell,
});

/** Without the position and the time of writing, which decide nothing, and `degraded`, by which a hook is called or not. */
export const wordsOfRecord = ({ lsn, wroteWall, systemId, degraded, ...record }: Persisted): string =>
  JSON.stringify(record);

const each =
  <T>(words: (value: T) => unknown) =>
  (values: Readonly<Record<string, T>>) =>
    Object.values(values).map(words);

/** What a peer has told has a number already. */
export const wordsOfState = (numberOf: (view: ServerView) => number): ((state: State) => string) => {
  const ofState = told<State>({
    self: (it) => it.id,
    servers: no,
    conf: no,
    dir: no,
    controllerVersion: no,
    now: no,
    // Numbers of handovers come from it.
    wall: all,
    sinceBoot: no,
    own: ofOwn,
    peers: each(ofPeer(numberOf)),
    arbiters: each(ofArbiter),
    boot: all,
    waitingForStart: (it) => it.length,
    stop: all,
    mirroring: shown,
    // All else that it says is said by the state.
    persisted: ({ role, timeline, handover }) => [role, timeline, handover],
    unsaved: no,
    place: all,
    incarnation: all,
    named: no,
    seq: all,
    tick: no,
    graceFrom: all,
    timesSeq: no,
    leaving: all,
    confirmed: all,
    // How long it has been so counts only while it is being reported.
    change: ({ stage, at, to }) => [stage, to, stage === 'setting' ? 0 : at],
    proving: all,
    checkpointing: all,
    slotting: no,
    rowAt: all,
    namesSetAt: (at) => at === now,
    weakened: no,
    lagging: no,
    parted: no,
    strangers: all,
    addresses: no,
    preparing: all,
    giving: all,
    promotion: ({ asked, at, stopping }) => [asked, at, stopping],
    aborted: all,
    declined: (it) => it.id,
    hitching: all,
    hitchAfter: isDue,
    cutAfter: isDue,
    ending: all,
    revival: all,
    references: no,
    voteAfter: isDue,
    refused: all,
    verdicts: no,
    fences: no,
    detaching: all,
    maintaining: all,
    maintenance: all,
    task: (it) => it.work,
    warned: shown,
    waitingForSwitch: (it) => it.length,
    waitingForDetach: (it) => it.map(({ id }) => id),
    waitingForMaintenance: (it) => it.length,
    passedOn: (it) => it.map(({ peer, work }) => [peer, work]),
    failover: (it) => it.enabled,
    degraded: shown,
    sync: all,
    forgotten: all,
    takeover: all,
    yield: all,
    unhitched: all,
    parked: all,
    withdrawn: all,
    suspects: all,
    origins: no,
    lineages: no,
    cell: all,
    vote: all,
    // All times are those of the beginning.
    grantedMs: no,
  });
  return (state) => JSON.stringify(ofState(state));
};
