/** Names that the servers of a cluster give each other inside PostgreSQL. Pure. */

/** NAMEDATALEN - 1: PostgreSQL cuts a longer name in a replication command, and finds it under the cut one only. */
const longestName = 63;

/** A server's name in the letters of slots: lower case letters, digits and underscores ("Replication Slots"). */
export const slotName = (server: string, prefix = ''): string =>
  `${prefix}${server.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`.slice(0, longestName);

/** Nobody else gives a slot such a name. */
export const standbySlotPrefix = 'pgduet_for_';

/** The slot that a standby streams through where it follows the logical slots of its primary. */
export const standbySlotName = (server: string): string => slotName(server, standbySlotPrefix);

export const isStandbySlot = (slot: string): boolean => slot.startsWith(standbySlotPrefix);

/** The slot that keeps WAL for the base backup of this server. */
export const copySlotName = (server: string): string => slotName(server, 'pgduet_copy_');
