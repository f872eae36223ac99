/**
 * Checks what came over the admin link before the core sees it. Peers hold the key of the cluster, but may be of another
 * version: a view of another shape is refused as a whole. Pure.
 */
import type { PeerRequest } from '../core/event.ts';
import type { InstanceReport, Sender, ServerView } from '../core/state.ts';

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
  all(value, 'number', 'timeline', 'startedAtWall') &&
  all(value, 'string', 'lsn', 'synchronousStandbyNames', 'systemId', 'version') &&
  (value.receiver === null || typeof value.receiver === 'string') &&
  Array.isArray(value.senders) &&
  value.senders.every(isSender);

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
    all(value, 'string', 'controllerVersion')
  );
}

export const isPeerRequest = (value: unknown): value is PeerRequest =>
  isObject(value) && value.kind === 'stop' && all(value, 'boolean', 'mcOnly', 'force');
