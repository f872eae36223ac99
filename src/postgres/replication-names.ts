/** Names that the servers of a cluster give each other inside PostgreSQL. Pure. */

/** The slot that keeps WAL for the base backup of this server. Letters, digits and underscores only ("Replication Slots"). */
export const copySlotName = (server: string): string =>
  `pgduet_copy_${server.toLowerCase().replace(/[^a-z0-9]/g, '_')}`;
