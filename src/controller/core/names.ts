/** WAL positions, amounts of WAL and lists of servers as values that can be compared. Pure. */
import type { ServerId } from './view.ts';

/** A position as a number; 2^53 bytes are more WAL than a cluster writes in its life. */
export function lsnValue(lsn: string): number {
  const [high = '0', low = '0'] = lsn.split('/');
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}

const bytesPerMegabyte = 1024 ** 2;

/** An amount of WAL as people read it, such as "12.3 MB". */
export const megabytes = (bytes: number): string =>
  bytes < bytesPerMegabyte / 10 ? `${bytes} bytes` : `${(bytes / bytesPerMegabyte).toFixed(1)} MB`;

export const sameIds = (one: readonly ServerId[], other: readonly ServerId[]): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));
