/**
 * Whether the reference addresses answer, as each controller shows it in the file that it renews at every heartbeat. A host
 * whose controller does not show it has a finding of its own. Pure.
 */
import { type ProbeReply, present } from '../../resources/contract/kind.ts';
import type { Audit } from '../audit.ts';
import { readOwnRow, statusFileProbe } from './status-file.ts';

/** Addresses that do not answer. */
type Quiet = readonly string[];

export const references: Audit<Quiet> = {
  name: 'the reference addresses',
  probe: ({ name, multiplexing }) => {
    const asked = multiplexing.referenceAddresses.length > 0;
    return { shell: asked ? statusFileProbe(multiplexing.managementDir, name) : ':' };
  },
  read: (reply: ProbeReply, { name }) => {
    const row = readOwnRow(reply, name);
    return row.state === 'present' ? present(row.value.quiet_references ?? []) : row;
  },
  judge: (_, seen) =>
    [...seen].flatMap(([host, quiet]) =>
      quiet.map((address) => ({
        code: 'NET003' as const,
        host,
        object: address,
        declared: 'a reference address that answers',
        found: 'no answer',
      })),
    ),
};
