/** Whether the disks of each instance have room, as its controller shows it in the file that it renews at every heartbeat. Pure. */
import { type ProbeReply, present } from '../../resources/contract/kind.ts';
import type { Audit } from '../audit.ts';
import { readOwnRow, statusFileProbe } from './status-file.ts';

/** Parts whose disk is full, such as data. */
type Full = readonly string[];

export const fullDisks: Audit<Full> = {
  name: 'the room on the disks',
  probe: ({ name, multiplexing }) => ({ shell: statusFileProbe(multiplexing.managementDir, name) }),
  read: (reply: ProbeReply, { name }) => {
    const row = readOwnRow(reply, name);
    return row.state === 'present' ? present(partsOf(row.value.disk_status ?? '')) : row;
  },
  judge: (_, seen) =>
    [...seen].flatMap(([host, parts]) =>
      parts.map((part) => ({
        code: 'DIR006' as const,
        host,
        object: part,
        declared: 'a disk with room',
        found: 'less than 16 MB left',
      })),
    ),
};

const partsOf = (diskStatus: string): Full => /^full\((.*)\)$/.exec(diskStatus)?.[1]?.split(',') ?? [];
