/** The host of an arbiter: what says nothing of it, and a directory that its unit can be named after. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { type Draft, type DraftHost, isArbiter } from '../draft.ts';

export const checkArbiter = (draft: Draft): Diagnostic[] =>
  draft.hosts
    .filter(isArbiter)
    .flatMap((host) => [
      ...checkIdle(draft, host),
      ...checkKeys(draft, host),
      ...checkDirectory(draft, host),
    ]);

const ofServers = ['postgres', 'log_transfer_address'] as const;

const checkIdle = (draft: Draft, { name }: DraftHost): Diagnostic[] =>
  ofServers
    .filter((key) => draft.has('hosts', name, key))
    .map((key) => ({
      code: 'INV005',
      what: `'${key}' says nothing of the arbiter '${name}'`,
      why: 'an arbiter has no PostgreSQL and takes part in no replication',
      fix: `Remove ${key}, or give '${name}' another role.`,
      at: draft.keyAt('hosts', name, key),
    }));

const ofArbiters = ['port', 'management_dir'];

/** Its file is the same for all the clusters that it serves. */
const checkKeys = (draft: Draft, { name }: DraftHost): Diagnostic[] =>
  Object.keys(draft.data.hosts?.[name]?.multiplexing ?? {})
    .filter((key) => !ofArbiters.includes(key))
    .map((key) => ({
      code: 'INV005',
      what: `'${key}' says nothing of the arbiter '${name}'`,
      why: 'it is a key of the file of a server, and an arbiter has none',
      fix: `Remove ${key}, or write it under the servers that it is meant for.`,
      at: draft.keyAt('hosts', name, 'multiplexing', key),
    }));

function checkDirectory(draft: Draft, { name, managementDir = '' }: DraftHost): Diagnostic[] {
  const last = managementDir.split('/').at(-1) ?? '';
  // A path that is none, or has characters that no file takes, is told of every directory.
  if (/^[A-Za-z0-9._-]*$/.test(last) || !/^\/[^\s'"\\#$`%]*$/.test(managementDir)) return [];
  return [
    {
      code: 'INV009',
      what: `management_dir '${managementDir}' of the arbiter '${name}' cannot name its unit`,
      why: `the unit is called mcarb_ and the last part of the path, and '${last}' is no name for one`,
      fix: "End it with letters, digits, '.', '_' and '-', for example /mcarb/arbiter.",
      at: draft.hostValueAt(name, 'multiplexing', 'management_dir'),
    },
  ];
}
