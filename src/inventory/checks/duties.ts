/** What the servers may do besides streaming: words that say something, and somebody who can take over. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { mayTakeOver } from '../cluster.ts';
import { type Draft, type DraftHost, isArbiter, serversOf } from '../draft.ts';

export const checkDuties = (draft: Draft): Diagnostic[] => [
  ...draft.hosts.flatMap((host) => [...checkPlace(draft, host), ...checkIdle(draft, host)]),
  ...checkCandidates(draft),
];

const keys = ['failover', 'priority', 'replication'] as const;

const given = (draft: Draft, { name }: DraftHost) => keys.filter((key) => draft.has('hosts', name, key));

/** An arbiter has no data, and who is primary in the beginning is not kept from it. */
function checkPlace(draft: Draft, host: DraftHost): Diagnostic[] {
  const { name } = host;
  if (isArbiter(host))
    return given(draft, host).map((key) => ({
      code: 'INV005',
      what: `'${key}' says nothing of the arbiter '${name}'`,
      why: 'it has no PostgreSQL, and never takes over',
      fix: `Remove ${key}.`,
      at: draft.keyAt('hosts', name, key),
    }));
  if (host.role !== 'primary' || mayTakeOver(host)) return [];
  const key = host.duty.replication === 'asynchronous' ? 'replication' : 'failover';
  return [
    {
      code: 'INV008',
      what: `'${name}' has the role primary, and is kept from it by ${key}: ${host.duty[key]}`,
      why: 'after a failover it would never come back by itself, which is hardly meant',
      fix: `Remove ${key}, or give '${name}' role: standby.`,
      at: draft.valueAt('hosts', name, key),
    },
  ];
}

/** A word beside another one that makes it idle. */
function checkIdle(draft: Draft, host: DraftHost): Diagnostic[] {
  const { name, duty } = host;
  if (isArbiter(host)) return [];
  const isCopy = duty.replication === 'asynchronous';
  const idle = (key: 'priority' | 'failover', why: string, fix: string): Diagnostic => ({
    code: 'INV005',
    what: `${key} of '${name}' would never be asked`,
    why,
    fix,
    at: draft.valueAt('hosts', name, key),
  });
  const because = isCopy
    ? 'an asynchronous copy never takes over by itself'
    : 'with failover: never it never takes over by itself';
  return [
    ...(!mayTakeOver(host) && draft.has('hosts', name, 'priority')
      ? [idle('priority', because, 'Remove priority.')]
      : []),
    ...(isCopy && duty.failover === 'automatic' && draft.has('hosts', name, 'failover')
      ? [idle('failover', because, 'Remove failover, or replication: asynchronous.')]
      : []),
  ];
}

function checkCandidates(draft: Draft): Diagnostic[] {
  const standbys = serversOf(draft).filter(({ role }) => role === 'standby');
  if (standbys.length === 0 || standbys.some(mayTakeOver)) return [];
  const names = standbys.map(({ name }) => `'${name}'`).join(' and ');
  return [
    {
      code: 'INV008',
      what: `no standby may take over: ${names} ${standbys.length === 1 ? 'is' : 'are'} kept from it`,
      why: 'when the primary fails, nothing would happen by itself, and status and check would call that a fault for ever',
      fix: 'Add a standby that may, or take failover: never or replication: asynchronous from one of them; with multiplexing.failover: manual nobody takes over by itself either.',
      at: draft.keyAt('hosts', standbys[0]?.name ?? ''),
    },
  ];
}
