/**
 * Checks what came over the admin link before the core sees it. Peers hold the key of the cluster, but may be of another
 * version: a view of another shape is refused as a whole, a field that is not known here is left alone. Pure.
 */
import { isObject } from '../../base/json.ts';
import { replicationDuties, takeoverDuties } from '../config.ts';
import type { PeerRequest } from '../core/event.ts';
import {
  type ArbiterView,
  type Asker,
  type Cell,
  type CellName,
  type Duty,
  diskParts,
  type Echo,
  type FailoverFlag,
  type FailoverSlot,
  type Handover,
  type InstanceReport,
  type Maintenance,
  maintenanceStages,
  phases,
  type ReplayLeft,
  roles,
  type Sender,
  type ServerView,
  type SlotReport,
  type StandbySlot,
  type Stranger,
  type SyncSet,
  strangerKinds,
  type Takeover,
  type Task,
  type TimelineEnd,
  type Vote,
  type Yield,
} from '../core/view.ts';

type Check = (value: unknown) => boolean;
/** A check for each field of a type, so that a field without one is a type error. */
type Shape<T> = { readonly [Field in keyof T]-?: Check };

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const flag: Check = (value) => typeof value === 'boolean';
const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.some((word) => word === value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** A field that a peer of an earlier version does not tell. */
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const object = <T>(shape: Shape<T>): Check => {
  const checks = Object.entries<Check>(shape);
  return (value) => isObject(value) && checks.every(([field, check]) => check(value[field]));
};

const ids = listOf(text);
const position = orNull(text);

const sender = object<Sender>({
  name: text,
  address: text,
  state: text,
  syncState: text,
  lagBytes: number,
  replayLagBytes: optional(number),
});

const slots = object<SlotReport>({
  wanted: flag,
  waitedFor: text,
  standbys: listOf(object<StandbySlot>({ name: text, active: flag, keeps: flag })),
  failover: listOf(object<FailoverSlot>({ name: text, active: flag, synced: flag, confirmed: text })),
});

const report = object<InstanceReport>({
  role: oneOf(roles),
  timeline: number,
  lsn: text,
  replayedLsn: optional(orNull(text)),
  senders: listOf(sender),
  receiver: orNull(text),
  synchronousStandbyNames: text,
  weakened: optional(ids),
  systemId: text,
  version: text,
  startedAtWall: number,
  history: optional(listOf(object<TimelineEnd>({ timeline: number, endsAt: text }))),
  nextXid: optional(orNull(number)),
  port: number,
  socketDir: text,
  slots: optional(orNull(slots)),
});

const cells = listOf(object<CellName>({ at: text, id: text }));

const cell = object<Cell>({
  id: text,
  term: number,
  holder: orNull(text),
  attempt: number,
  gaveBack: optional(text),
});

const vote = object<Vote>({
  cells,
  term: number,
  attempt: number,
  stage: oneOf(['asking', 'won', 'back']),
  against: orNull(text),
  names: optional(flag),
});

const sync = object<SyncSet>({
  primary: text,
  timeline: number,
  epoch: number,
  members: ids,
  eligible: ids,
  voters: ids,
  needed: number,
  term: optional(number),
  cells: optional(cells),
});

const handover = object<Handover>({
  id: number,
  kind: oneOf(['switch', 'failover']),
  to: text,
  checkpoint: position,
  believers: optional(ids),
});

const takeover = object<Takeover>({
  from: orNull(text),
  kind: oneOf(['handover', 'silence', 'force']),
  id: number,
  checkpoint: position,
  stage: oneOf(['ask', 'fence', 'cut', 'gather', 'promote']),
  unfenced: optional(flag),
  unproven: optional(flag),
  lsn: position,
  toldSeq: optional(number),
  startedAtWall: optional(number),
});

const asker = object<Asker>({ pid: number, user: text, server: text });

const task = object<Task>({
  work: oneOf(['switch', 'detach', 'stop', 'failover']),
  by: orNull(asker),
  sinceWall: number,
});

/** What a date can be made of. */
const wall: Check = (value) => typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8e15;
const shortText: Check = (value) => typeof value === 'string' && value.length <= 1000;

const maintenance = object<Maintenance>({
  timeline: number,
  number: wall,
  stage: oneOf(maintenanceStages),
  by: shortText,
  sinceWall: wall,
  reason: shortText,
  untilWall: orNull(wall),
});

const echo = object<Echo>({ incarnation: text, seq: number });

const view = object<ServerView>({
  id: text,
  phase: oneOf(phases),
  role: orNull(oneOf(roles)),
  report: orNull(report),
  lastTimeline: number,
  failedDisks: listOf(oneOf(diskParts)),
  fullDisks: optional(listOf(oneOf(diskParts))),
  unsaved: optional(text),
  failover: object<FailoverFlag>({ enabled: flag, changedAtWall: number }),
  controllerVersion: text,
  understands: optional(number),
  incarnation: text,
  seq: number,
  leaving: orNull(oneOf(['instance', 'controller'])),
  sync: orNull(sync),
  handover: orNull(handover),
  declined: orNull(object<NonNullable<ServerView['declined']>>({ id: number, why: text })),
  takeover: orNull(takeover),
  yield: orNull(object<Yield>({ to: text, lsn: position })),
  echoes: optional(recordOf(echo)),
  busy: optional(orNull(task)),
  refusal: optional(text),
  detached: optional(ids),
  lagging: optional(ids),
  parted: optional(ids),
  forgotten: optional(flag),
  replay: optional(orNull(object<ReplayLeft>({ leftBytes: number, bytesPerSecond: number }))),
  waitsMs: optional(number),
  maintenance: optional(recordOf(maintenance)),
  strangers: optional(listOf(object<Stranger>({ kind: oneOf(strangerKinds), name: text }))),
  quietReferences: optional(ids),
  cell: optional(orNull(cell)),
  vote: optional(orNull(vote)),
  duty: optional(
    object<Duty>({
      takeover: oneOf(takeoverDuties),
      priority: number,
      replication: oneOf(replicationDuties),
    }),
  ),
});

const arbiterView = object<ArbiterView>({
  id: text,
  incarnation: text,
  seq: number,
  cell,
  version: text,
  echoes: recordOf(echo),
});

/** A cell, wherever it was kept. */
export const isCell = (value: unknown): value is Cell => cell(value);

/** What an arbiter tells, of exactly the one that the connection belongs to. */
export const isArbiterView = (value: unknown, from: string): value is ArbiterView =>
  isObject(value) && value.id === from && arbiterView(value);

/** A view of exactly the peer that the connection belongs to. */
export const isView = (value: unknown, from: string): value is ServerView =>
  isObject(value) && value.id === from && view(value);

type Request<Kind> = Extract<PeerRequest, { kind: Kind }>;
type RequestShapes = { readonly [Kind in PeerRequest['kind']]: Check };
const asked = { kind: text, by: optional(asker) };

const requests: RequestShapes = {
  stop: object<Request<'stop'>>({ ...asked, mcOnly: flag, force: flag }),
  switch: object<Request<'switch'>>({
    ...asked,
    force: flag,
    noFencing: flag,
    to: optional(text),
    maxWaitMs: optional(number),
  }),
  'abort-switch': object<Request<'abort-switch'>>(asked),
  detach: object<Request<'detach'>>({ ...asked, noFencing: flag, server: optional(text) }),
  attach: object<Request<'attach'>>({ ...asked, server: text }),
  'maintenance-begin': object<Request<'maintenance-begin'>>({
    ...asked,
    server: text,
    who: shortText,
    reason: shortText,
    untilWall: orNull(wall),
    replace: flag,
    alone: flag,
  }),
  'maintenance-end': object<Request<'maintenance-end'>>({
    ...asked,
    server: text,
    who: text,
    of: optional(text),
  }),
};

export const isPeerRequest = (value: unknown): value is PeerRequest =>
  isObject(value) && Object.entries(requests).some(([kind, check]) => value.kind === kind && check(value));
