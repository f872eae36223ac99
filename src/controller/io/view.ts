/**
 * Checks what came over the admin link before the core sees it. Peers hold the key of the cluster, but may be of another
 * version: a view of another shape is refused as a whole. Pure.
 */
import type { PeerRequest } from '../core/event.ts';
import type { Handover, InstanceReport, Sender, ServerView, SyncSet, Takeover, Yield } from '../core/view.ts';

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const all = (value: Fields, type: 'string' | 'number' | 'boolean', ...names: string[]): boolean =>
  names.every((name) => typeof value[name] === type);

const phases = ['unknown', 'held', 'waiting', 'starting', 'running', 'silent', 'stopping', 'stopped', 'down'];
const roles = ['primary', 'standby'];
const parts = ['data', 'transaction_log', 'tablespace'];

const isSender = (value: unknown): value is Sender =>
  isObject(value) &&
  all(value, 'string', 'name', 'address', 'state', 'syncState') &&
  all(value, 'number', 'lagBytes');

const isReport = (value: unknown): value is InstanceReport =>
  isObject(value) &&
  roles.includes(String(value.role)) &&
  all(value, 'number', 'timeline', 'startedAtWall', 'port') &&
  all(value, 'string', 'lsn', 'synchronousStandbyNames', 'systemId', 'version', 'socketDir') &&
  (value.receiver === null || typeof value.receiver === 'string') &&
  Array.isArray(value.senders) &&
  value.senders.every(isSender);

const isIds = (value: unknown): boolean =>
  Array.isArray(value) && value.every((id) => typeof id === 'string');

const isSync = (value: unknown): value is SyncSet =>
  isObject(value) &&
  all(value, 'string', 'primary') &&
  all(value, 'number', 'timeline', 'epoch', 'needed') &&
  [value.members, value.eligible, value.voters].every(isIds);

const isLsn = (value: unknown): boolean => value === null || typeof value === 'string';

const isHandover = (value: unknown): value is Handover =>
  isObject(value) &&
  ['switch', 'failover'].includes(String(value.kind)) &&
  all(value, 'number', 'id') &&
  all(value, 'string', 'to') &&
  isLsn(value.checkpoint);

const stages = ['ask', 'fence', 'cut', 'gather', 'promote'];

const isTakeover = (value: unknown): value is Takeover =>
  isObject(value) &&
  ['handover', 'silence', 'force'].includes(String(value.kind)) &&
  stages.includes(String(value.stage)) &&
  all(value, 'number', 'id') &&
  isLsn(value.from) &&
  isLsn(value.checkpoint) &&
  isLsn(value.lsn);

const isYield = (value: unknown): value is Yield =>
  isObject(value) && all(value, 'string', 'to') && isLsn(value.lsn);

const isDeclined = (value: unknown): boolean =>
  isObject(value) && all(value, 'number', 'id') && all(value, 'string', 'why');

const isAsker = (value: unknown): boolean =>
  isObject(value) && all(value, 'string', 'user', 'server') && all(value, 'number', 'pid');

const isTask = (value: unknown): boolean =>
  isObject(value) &&
  ['switch', 'detach', 'stop', 'failover'].includes(String(value.work)) &&
  all(value, 'number', 'sinceWall') &&
  (value.by === null || isAsker(value.by));

/** The part of a view that belongs to switch and disconnection. */
const isPart = (value: Fields): boolean =>
  all(value, 'string', 'incarnation') &&
  all(value, 'number', 'seq') &&
  [null, 'instance', 'controller'].includes(value.leaving as string | null) &&
  (value.sync === null || isSync(value.sync)) &&
  (value.handover === null || isHandover(value.handover)) &&
  (value.takeover === null || isTakeover(value.takeover)) &&
  (value.yield === null || isYield(value.yield)) &&
  (value.declined === null || isDeclined(value.declined)) &&
  (value.busy == null || isTask(value.busy)) &&
  (value.detached === undefined || isIds(value.detached));

/** A view of exactly the peer that the connection belongs to. */
export function isView(value: unknown, from: string): value is ServerView {
  return (
    isObject(value) &&
    value.id === from &&
    phases.includes(String(value.phase)) &&
    (value.role === null || roles.includes(String(value.role))) &&
    (value.report === null || isReport(value.report)) &&
    Array.isArray(value.failedDisks) &&
    value.failedDisks.every((part) => parts.includes(String(part))) &&
    isObject(value.failover) &&
    all(value.failover, 'boolean', 'enabled') &&
    all(value.failover, 'number', 'changedAtWall') &&
    all(value, 'number', 'lastTimeline') &&
    all(value, 'string', 'controllerVersion') &&
    isPart(value)
  );
}

export function isPeerRequest(value: unknown): value is PeerRequest {
  if (!isObject(value) || (value.by !== undefined && !isAsker(value.by))) return false;
  switch (value.kind) {
    case 'stop':
      return all(value, 'boolean', 'mcOnly', 'force');
    case 'switch':
      return all(value, 'boolean', 'force', 'noFencing') && ['string', 'undefined'].includes(typeof value.to);
    case 'detach':
      return all(value, 'boolean', 'noFencing');
    default:
      return false;
  }
}
