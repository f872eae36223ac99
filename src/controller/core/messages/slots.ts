/** Messages about slots of standbys and of consumers that go on behind a switch. In: nothing; these are words. Pure. */
import type { Message } from './message.ts';
import { nothing } from './message.ts';

export const slotMessages = {
  MCA01140: {
    type: 'LOG',
    text: 'consumers of failover slots wait for {servers} from now on',
    cause:
      'A standby uses its slot and commits wait for it, or one is out. synchronized_standby_slots follows.',
    did: 'It changed synchronized_standby_slots in postgresql.conf, and the instance has read it.',
    todo: nothing,
  },
  MCA01141: {
    type: 'NOTICE',
    text: 'the slot {slot} from the time as primary is dropped: the primary has it, and further',
    cause:
      'This server was primary. PostgreSQL does not follow the slots of another one as long as an own slot has the name of one of them.',
    did: 'It drops the own one. The server then follows that of the primary.',
    todo: nothing,
  },
  MCA01142: {
    type: 'ERROR',
    text: 'slots for standbys could not be changed: {why}',
    cause:
      'The instance has refused it: no slot is left (max_replication_slots), or ALTER SYSTEM holds synchronized_standby_slots.',
    did: 'It tries again. Until then a consumer of a failover slot may wait for a standby that is out, or be ahead of one that takes over.',
    todo: 'Remove the reason that is named.',
  },
} as const satisfies Record<string, Message>;
