/** WAL positions and lists of servers as values that can be compared. Pure. */
import type { ServerId } from './view.ts';

/** A position as a number; 2^53 bytes are more WAL than a cluster writes in its life. */
export function lsnValue(lsn: string): number {
  const [high = '0', low = '0'] = lsn.split('/');
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}

export const sameIds = (one: readonly ServerId[], other: readonly ServerId[]): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));
